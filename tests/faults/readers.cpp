// Readers of data where any operation fails.
#include "tests/faults/survive.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/data/cifar10.hpp"
#include "weft/data/csv.hpp"
#include "weft/data/fashion_mnist.hpp"
#include "weft/data/gzip.hpp"
#include "weft/data/idx.hpp"
#include "weft/data/image.hpp"
#include "weft/data/image_dataset.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/data/stream_idx.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <numeric>

using namespace weft;
using namespace weft::faults;
namespace fs = std::filesystem;

namespace {

/// Work that reads: what it returns is what it returns where nothing fails.
template <class Read>
Work reads(std::string name, std::vector<std::string> names, Read read,
           std::vector<Kind> left_out = {}) {
    const auto right = std::make_shared<const decltype(read())>(read());
    return {.name = std::move(name),
            .prepare =
                [=] {
                    const auto found = std::make_shared<decltype(read())>();
                    return Attempt{[=] { *found = read(); },
                                   [=](bool is_done) {
                                       if (is_done) CHECK((*found == *right));
                                   }};
                },
            .names = std::move(names),
            .left_out = std::move(left_out)};
}

template <class Scalar>
std::vector<Scalar> numbers(const Tensor<Scalar>& tensor) {
    return {tensor.begin(), tensor.end()};
}

/// IDX of n samples (5, 4), or of n labels.
Bytes idx_images(std::uint8_t n) {
    Bytes bytes{0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 5, 0, 0, 0, 4};
    for (int i = 0; i < n * 20; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 7));
    return bytes;
}
Bytes idx_labels(std::uint8_t n) {
    Bytes bytes{0, 0, 8, 1, 0, 0, 0, n};
    for (std::uint8_t i = 0; i < n; ++i) bytes.push_back(i % 10);
    return bytes;
}

void gzip(const fs::path& path, const Bytes& bytes) {
    const gzFile file = gzopen(path.string().c_str(), "wb");
    REQUIRE(file != nullptr);
    REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) ==
            static_cast<int>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
}

/// All samples of a set, read in batches of 3.
std::vector<float> all_batches(const Examples<float>& examples) {
    std::vector<Index> order(static_cast<std::size_t>(examples->size()));
    std::iota(order.begin(), order.end(), Index{0});
    const auto reader = examples->read_batches({order, 3, {}});
    const auto left = static_cast<Index>(order.size());
    std::vector<float> all;
    for (Index first = 0; first < left; first += 3) {
        const Index n = (std::min)(Index{3}, left - first);
        std::vector<float> x(static_cast<std::size_t>(n * examples->input_shape().size()));
        std::vector<float> y(static_cast<std::size_t>(n));
        reader->next(x.data(), y.data());
        all.insert(all.end(), x.begin(), x.end());
        all.insert(all.end(), y.begin(), y.end());
    }
    return all;
}

}  // namespace

TEST_CASE("IDX files, plain, compressed and streamed") {
    const TemporaryFolder folder;
    const fs::path plain = folder.file("images", idx_images(8)), packed = folder / "images.gz",
                   labels = folder.file("labels", idx_labels(8));
    gzip(packed, idx_images(8));
    survive(reads("read_idx", {plain.string()},
                  [&] { return numbers(read_idx<std::uint8_t>(plain)); }));
    for (const fs::path& path : {plain, packed}) {
        survive(reads("read_idx_any", {path.string()},
                      [&] { return numbers(read_idx_any<std::uint8_t>(path)); }));
    }
    survive(reads("stream_idx", {plain.string(), labels.string()},
                  [&] { return all_batches(stream_idx<float>(plain, labels)); }));
}

TEST_CASE("batches that are read ahead, and without a thread to read them") {
    const TemporaryFolder folder;
    const fs::path plain = folder.file("images", idx_images(8)),
                   labels = folder.file("labels", idx_labels(8));
    survive(reads("prefetched", {plain.string(), labels.string()},
                  [&] { return all_batches(prefetched(stream_idx<float>(plain, labels), 2)); }));
}

TEST_CASE("Fashion-MNIST") {
    const TemporaryFolder folder;
    gzip(folder / "train-images-idx3-ubyte.gz", idx_images(8));
    gzip(folder / "train-labels-idx1-ubyte.gz", idx_labels(8));
    folder.file("t10k-images-idx3-ubyte", idx_images(5));
    folder.file("t10k-labels-idx1-ubyte", idx_labels(5));
    survive(reads("load_fashion_mnist", {folder.path().string()}, [&] {
        const FashionMnist data = load_fashion_mnist(folder.path());
        std::vector<std::uint8_t> all = numbers(data.train_images);
        for (const auto* more : {&data.train_labels, &data.test_images, &data.test_labels}) {
            all.insert(all.end(), more->begin(), more->end());
        }
        return all;
    }));
}

TEST_CASE("CIFAR-10") {
    const TemporaryFolder folder;
    std::vector<fs::path> files;
    for (const char label : {'\1', '\2'}) {
        files.push_back(folder.file(concat("batch_", static_cast<int>(label)),
                                    std::string(1, label) + std::string(3072, 'a')));
    }
    survive(reads("stream_cifar10", {folder.path().string()},
                  [&] { return all_batches(stream_cifar10<float>(files)); }));
}

TEST_CASE("CSV") {
    const TemporaryFolder folder;
    std::string text = "label,a,b\n";
    for (int i = 0; i < 2000; ++i)
        text += concat(i % 2 ? "dog" : "cat", ",", i, ",\"", i * 2, "\"\n");
    const fs::path path = folder.file("table.csv", text);
    Work work = reads("read_csv", {path.string()}, [&] {
        const auto table = read_csv<float>(path);
        std::vector<float> all = numbers(table.x);
        all.insert(all.end(), table.labels.begin(), table.labels.end());
        return all;
    });
    work.most_places = 200;
    survive(work);
}

TEST_CASE("pictures") {
    const TemporaryFolder folder;
    const fs::path images = fs::path(WEFT_SOURCE_DIR) / "tests/data/images";
    for (const char* name : {"colour.png", "interlaced.png", "palette.png", "colour.jpg"}) {
        const fs::path path = images / name;
        Work work = reads(concat("read_image ", name), {path.string()},
                          [&] { return numbers(read_image(path)); });
        work.library_leaks = path.extension() == ".jpg";  // jpeg_create_decompress
        survive(work);
    }
    for (const char* name : {"cat", "dog"}) {
        fs::create_directory(folder.path() / name);
        fs::copy_file(images / "colour.png", folder.path() / name / "1.png");
        fs::copy_file(images / "colour.png", folder.path() / name / "2.png");
    }
    // libstdc++'s directory_iterator ends the program where it gets no memory.
    survive(reads("list_image_folder", {folder.path().string()},
                  [&] {
                      const ImageFiles files = list_image_folder(folder.path());
                      return std::tuple(files.paths, numbers(files.labels), files.classes);
                  },
                  {Kind::memory}));
    const fs::path csv = folder.file("classes.csv", "id,label\n1,a\n2,b\n");
    survive(reads("list_images", {csv.string()}, [&] {
        const ImageFiles files = list_images(folder.path() / "cat", csv);
        return std::tuple(files.paths, numbers(files.labels), files.classes);
    }));
    const ImageFiles files = list_image_folder(folder.path());
    survive(reads("stream_images", {folder.path().string()}, [&] {
        return all_batches(stream_images<float>(files, {.height = 5, .width = 4}));
    }));
}

TEST_CASE("a picture that is written is the old one or the new one") {
    const TemporaryFolder folder;
    const fs::path path = folder / "picture.png";
    Tensor<std::uint8_t> image({40, 30, 3});
    for (Index i = 0; i < image.size(); ++i) image[i] = static_cast<std::uint8_t>(i * i % 251);
    write_png(path, image);
    const std::string complete = contents_of(path);
    survive({.name = "write_png",
             .prepare =
                 [&] {
                     folder.file("picture.png", "old");
                     return Attempt{[&] { write_png(path, image); },
                                    [&](bool is_done) {
                                        const std::string found = contents_of(path);
                                        CHECK((found == complete || (!is_done && found == "old")));
                                        CHECK(std::distance(fs::directory_iterator(folder.path()),
                                                            fs::directory_iterator()) == 1);
                                    }};
                 },
             .names = {path.string()}});
}
