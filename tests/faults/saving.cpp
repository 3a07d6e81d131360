// Saving and loading where any operation fails.
#include "tests/faults/survive.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/core/atomic_file.hpp"
#include "weft/io/model_file.hpp"
#include "weft/io/weights.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace weft;
using namespace weft::faults;
namespace fs = std::filesystem;

namespace {

Sequential<float> small_model(std::uint64_t seed) {
    Sequential model{Conv2D{.filters = 2, .kernel_size = 3, .activation = relu}, BatchNorm{},
                     Flatten{}, Dense{3, softmax}};
    model.set_device(Cpu(1));
    model.build({6, 6, 1}, seed);
    return model;
}

Tensor<float> some_input() {
    Tensor<float> x({2, 6, 6, 1});
    for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) / 7;
    return x;
}

std::vector<std::string> files_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

/// Work that writes "file" into a folder where an old one may lie: after it the file is the old or
/// the new one, and there is no other, but where it could not be removed.
Work writes(std::string name, bool replaces, std::function<void(const fs::path&)> write) {
    const auto folder = std::make_shared<TemporaryFolder>();
    const fs::path path = folder->path() / "file";
    write(path);
    const std::string complete = contents_of(path), old = "old contents";
    return {.name = std::move(name),
            .prepare =
                [=] {
                    for (const std::string& left : files_in(folder->path())) {
                        fs::remove(folder->path() / left);
                    }
                    if (replaces) {
                        folder->file("file", old);
                        fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
                    }
                    return Attempt{
                        [=] { write(path); },
                        [=](bool is_done) {
                            if (replaces || fs::exists(path)) {
                                const std::string contents = contents_of(path);
                                CHECK((contents == complete || (replaces && contents == old)));
                                const auto mode = fs::status(path).permissions();
                                if (replaces) CHECK((mode & fs::perms(0077)) == fs::perms());
                            }
                            if (is_done) CHECK(contents_of(path) == complete);
                            for (const std::string& left : files_in(folder->path())) {
                                CHECK(left == "file");
                            }
                        }};
                },
            .names = {path.string()},
            .left_out = {Kind::remove}};  // what is not removed is left over
}

/// Work that loads `file` with each kind of failure: what it returns are the right bytes.
Work reads(std::string name, const fs::path& path, std::function<std::vector<float>()> read) {
    const std::vector<float> right = read();
    return {.name = std::move(name),
            .prepare =
                [=] {
                    const auto found = std::make_shared<std::vector<float>>();
                    return Attempt{[=] { *found = read(); },
                                   [=](bool is_done) {
                                       if (is_done) CHECK(*found == right);
                                   }};
                },
            .names = {path.string()}};
}

std::vector<float> numbers(const Tensor<float>& tensor) { return {tensor.begin(), tensor.end()}; }

}  // namespace

TEST_CASE("a file that is written is the old one or the new one") {
    for (const bool replaces : {false, true}) {
        survive(writes("AtomicFile", replaces, [](const fs::path& path) {
            const std::string text(20'000, 'x');
            detail::AtomicFile file(path);
            file.write(text.data(), 10);
            file.write(text.data(), text.size());
            file.commit();
        }));
    }
}

TEST_CASE("a link stays one, whatever fails") {
    const TemporaryFolder folder;
    const fs::path path = folder / "file", link = folder / "link";
    fs::create_symlink("file", link);
    survive({.name = "AtomicFile through a link",
             .prepare =
                 [&] {
                     folder.file("file", "old");
                     return Attempt{[&] {
                                        detail::AtomicFile file(link);
                                        file.write("new", 3);
                                        file.commit();
                                    },
                                    [&](bool is_done) {
                                        const std::string found = contents_of(path);
                                        CHECK((found == "new" || (!is_done && found == "old")));
                                        CHECK(fs::is_symlink(link));
                                        CHECK(files_in(folder.path()).size() == 2);
                                    }};
                 },
             .names = {link.string()}});
}

TEST_CASE("weights and models are saved in full or not at all") {
    const Sequential<float> model = small_model(1);
    for (const bool replaces : {false, true}) {
        survive(writes("save_weights", replaces,
                       [&](const fs::path& path) { save_weights(model, path); }));
        survive(
            writes("save_model", replaces, [&](const fs::path& path) { save_model(model, path); }));
    }
}

TEST_CASE("what is loaded is the file's, or the model stays as it was") {
    const TemporaryFolder folder;
    const Tensor<float> x = some_input();
    const Sequential<float> saved = small_model(1);
    const fs::path weights = folder / "weights", whole = folder / "model";
    save_weights(saved, weights);
    save_model(saved, whole);

    survive(
        reads("load_model", whole, [&] { return numbers(load_model<float>(whole).predict(x)); }));

    const std::vector<float> before = numbers(small_model(2).predict(x)),
                             after = numbers(saved.predict(x));
    const auto loads = [&](const auto& load) {
        return [&, load] {
            const auto model = std::make_shared<Sequential<float>>(small_model(2));
            return Attempt{[=] { load(*model, weights); },
                           [&, model](bool is_done) {
                               CHECK(numbers(model->predict(x)) == (is_done ? after : before));
                               load_weights(*model, weights);
                               CHECK(numbers(model->predict(x)) == after);
                           }};
        };
    };
    survive({.name = "load_weights",
             .prepare = loads([](auto& model, const auto& path) { load_weights(model, path); }),
             .names = {weights.string()}});
    survive({.name = "load_matching_weights",
             .prepare =
                 loads([](auto& model, const auto& path) { load_matching_weights(model, path); }),
             .names = {weights.string()}});
}
