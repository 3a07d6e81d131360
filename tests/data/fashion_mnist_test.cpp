#include "weft/data/fashion_mnist.hpp"

#include "examples/fashion_mnist/predictions.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/comma_locale.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/data/detail/fashion_mnist_places.hpp"
#include "weft/data/gzip.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <numeric>
#include <optional>

namespace {

namespace fs = std::filesystem;
using weft::Bytes;
using weft::TemporaryFolder;

const std::string train_images = "train-images-idx3-ubyte";
const std::string train_labels = "train-labels-idx1-ubyte";
const std::string test_images = "t10k-images-idx3-ubyte";
const std::string test_labels = "t10k-labels-idx1-ubyte";

void write_plain(const fs::path& path, const Bytes& bytes) {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    REQUIRE(out.flush().good());
}

void write_gzipped(const fs::path& path, const Bytes& bytes) {
    const gzFile file = gzopen(path.string().c_str(), "wb");
    REQUIRE(file != nullptr);
    REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) ==
            static_cast<int>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
}

/// n images of 2 by 3 pixels, all with the given value; an IDX file.
Bytes image_file(std::uint8_t n, std::uint8_t pixel = 7) {
    const Bytes header{0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 2, 0, 0, 0, 3};
    Bytes bytes(header.size() + n * 6u, pixel);
    std::ranges::copy(header, bytes.begin());
    return bytes;
}

Bytes label_file(const Bytes& values) {
    const Bytes header{0, 0, 8, 1, 0, 0, 0, static_cast<std::uint8_t>(values.size())};
    Bytes bytes(header.size() + values.size());
    std::ranges::copy(values, std::ranges::copy(header, bytes.begin()).out);
    return bytes;
}

/// Writes a set of 3 training and 2 test images, whose pixels have the given value.
void write_small_set(const fs::path& directory, std::uint8_t pixel = 7) {
    fs::create_directories(directory);
    write_plain(directory / train_images, image_file(3, pixel));
    write_plain(directory / train_labels, label_file({9, 0, 3}));
    write_plain(directory / test_images, image_file(2, pixel));
    write_plain(directory / test_labels, label_file({1, 2}));
}

/// Sets an environment variable, or removes it, for as long as the object lives.
class Environment {
public:
    Environment(const char* name, const std::optional<std::string>& value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old;
        set(value);
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() { set(old_); }

private:
    void set(const std::optional<std::string>& value) {
        value ? setenv(name_, value->c_str(), 1) : unsetenv(name_);
    }

    const char* name_;
    std::optional<std::string> old_;
};

/// The message of the IoError that loading from there throws.
std::string load_error(const fs::path& directory) {
    try {
        weft::load_fashion_mnist(directory);
    } catch (const weft::IoError& error) {
        return error.what();
    }
    FAIL("no IoError");
    return {};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Fashion-MNIST: a small set from a directory") {
    const TemporaryFolder folder;
    write_small_set(folder.path());
    const auto data = weft::load_fashion_mnist(folder.path());
    CHECK(data.train_images.shape() == weft::Shape{3, 2, 3});
    CHECK(data.test_images.shape() == weft::Shape{2, 2, 3});
    CHECK(data.train_images(2, 1, 2) == 7);
    CHECK(std::ranges::equal(data.train_labels, Bytes{9, 0, 3}));
    CHECK(std::ranges::equal(data.test_labels, Bytes{1, 2}));
}

TEST_CASE("Fashion-MNIST: names with dash or dot, plain or .gz, mixed") {
    const TemporaryFolder folder;
    write_plain(folder / "train-images-idx3-ubyte", image_file(2));
    write_gzipped(folder / "train-labels-idx1-ubyte.gz", label_file({4, 5}));
    write_plain(folder / "t10k-images.idx3-ubyte", image_file(1));
    write_gzipped(folder / "t10k-labels.idx1-ubyte.gz", label_file({6}));
    const auto data = weft::load_fashion_mnist(folder.path());
    CHECK(data.train_images.shape()[0] == 2);
    CHECK(data.train_labels[1] == 5);
    CHECK(data.test_images.shape()[0] == 1);
    CHECK(data.test_labels[0] == 6);
}

TEST_CASE("Fashion-MNIST: nothing found in the directory given, and nowhere else looked") {
    const TemporaryFolder folder;
    write_small_set(folder.path() / "elsewhere");
    const Environment weft_data("WEFT_DATA", folder / "elsewhere");
    const std::string missing = load_error(folder / "nope");
    CHECK(
        contains(missing, "\n  " + folder / "nope" + " (the directory given): no such directory"));
    CHECK_FALSE(contains(missing, "elsewhere"));
    CHECK(contains(missing, "apt-get install dataset-fashion-mnist"));
    CHECK(contains(missing, "bash examples/fashion_mnist/run.sh"));
    CHECK(contains(missing, "WEFT_DATA"));
    CHECK(contains(load_error(folder.path()),
                   folder.path().string() + " (the directory given): none of its files"));
}

TEST_CASE("Fashion-MNIST: WEFT_DATA comes first, its subfolder before itself") {
    const TemporaryFolder folder;
    const Environment weft_data("WEFT_DATA", folder.path().string());
    write_small_set(folder.path(), 50);
    CHECK(weft::load_fashion_mnist().train_images[0] == 50);
    write_small_set(folder.path() / "fashion-mnist", 60);
    CHECK(weft::load_fashion_mnist().train_images[0] == 60);
}

TEST_CASE("Fashion-MNIST: the places in their order") {
    using weft::detail::fashion_mnist_places;
    const fs::path debian = "/usr/share/datasets/fashion-mnist";
    const auto directories = [] {
        std::vector<fs::path> result;
        for (const auto& place : fashion_mnist_places()) result.push_back(place.directory);
        return result;
    };
    const Environment home("HOME", "/home/ada");
    {
        const Environment weft_data("WEFT_DATA", "/data");
        const Environment cache("XDG_CACHE_HOME", "/cache");
        CHECK(directories() == std::vector<fs::path>{"/data/fashion-mnist", "/data", debian,
                                                     "/cache/weft/fashion-mnist"});
    }
    for (const auto& unset : {std::optional<std::string>(), std::optional<std::string>("")}) {
        const Environment weft_data("WEFT_DATA", unset);
        const Environment cache("XDG_CACHE_HOME", unset);
        CHECK(directories() ==
              std::vector<fs::path>{debian, "/home/ada/.cache/weft/fashion-mnist"});
        const Environment no_home("HOME", unset);
        CHECK(directories() == std::vector<fs::path>{debian});
    }
    const Environment weft_data("WEFT_DATA", std::nullopt);
    const Environment relative("XDG_CACHE_HOME", "cache");
    CHECK(directories() == std::vector<fs::path>{debian, "/home/ada/.cache/weft/fashion-mnist"});
}

TEST_CASE("Fashion-MNIST: the cache is found when nothing else is") {
    const TemporaryFolder folder;
    const Environment weft_data("WEFT_DATA", folder / "empty");
    const Environment cache("XDG_CACHE_HOME", folder.path().string());
    const bool debian = fs::exists("/usr/share/datasets/fashion-mnist");
    if (!debian) {
        const std::string message = load_error({});
        CHECK(contains(message, folder / "empty/fashion-mnist" + " (WEFT_DATA): no such"));
        CHECK(contains(message, folder / "empty" + " (WEFT_DATA): no such"));
        CHECK(contains(message, "/usr/share/datasets/fashion-mnist"));
        CHECK(contains(message, folder / "weft/fashion-mnist" + " (cache): no such"));
    }
    write_small_set(folder.path() / "weft" / "fashion-mnist", 80);
    if (!debian) CHECK(weft::load_fashion_mnist().train_images[0] == 80);
    CHECK(weft::detail::fashion_mnist_places().back().directory ==
          folder.path() / "weft" / "fashion-mnist");
}

TEST_CASE("Fashion-MNIST: a place with damaged files is never passed over") {
    const TemporaryFolder folder;
    const Environment weft_data("WEFT_DATA", folder.path().string());
    write_small_set(folder.path());
    fs::remove(folder / test_labels);
    CHECK(load_error({}) == folder.path().string() +
                                ": holds t10k-images, but no t10k-labels-idx1-ubyte, plain or .gz");

    write_gzipped(folder / (test_labels + ".gz"), label_file({1, 2}));
    fs::resize_file(folder / (test_labels + ".gz"), 20);
    CHECK(load_error({}).starts_with(folder / (test_labels + ".gz") + ": is truncated"));

    fs::remove(folder / (test_labels + ".gz"));
    fs::create_directory(folder / test_labels);
    CHECK(load_error({}) == folder / test_labels + ": is a directory, expected a regular file");
}

TEST_CASE("Fashion-MNIST: what does not fit together is refused by name") {
    const TemporaryFolder folder;
    write_small_set(folder.path());

    SUBCASE("a wrong magic number") {
        write_plain(folder / train_images, {1, 0, 8, 3});
        CHECK(load_error(folder.path()) ==
              folder / train_images +
                  ": starts with 01 00 08 03, expected 00 00 <type> <rank> of IDX");
    }
    SUBCASE("labels where images belong") {
        write_plain(folder / train_images, label_file({1, 2, 3}));
        CHECK(load_error(folder.path()) ==
              folder / train_images + ": has shape (3,), expected images (N, H, W), at least one");
    }
    SUBCASE("images where labels belong") {
        write_plain(folder / test_labels, image_file(2));
        CHECK(load_error(folder.path()) ==
              folder / test_labels + ": has shape (2, 2, 3), expected labels (N,)");
    }
    SUBCASE("more labels than images") {
        write_plain(folder / train_labels, label_file({9, 0, 3, 1}));
        CHECK(load_error(folder.path()) == folder / train_labels +
                                               ": holds 4, more labels than the 3 images of " +
                                               folder / train_images);
    }
    SUBCASE("fewer labels than images") {
        write_plain(folder / test_labels, label_file({9}));
        CHECK(load_error(folder.path()) == folder / test_labels +
                                               ": holds 1, fewer labels than the 2 images of " +
                                               folder / test_images);
    }
    SUBCASE("a label out of range") {
        write_plain(folder / train_labels, label_file({9, 0, 10}));
        CHECK(load_error(folder.path()) ==
              folder / train_labels + ": label 2 is 10, expected 0 to 9");
    }
    SUBCASE("an empty set") {
        write_plain(folder / test_images, image_file(0));
        write_plain(folder / test_labels, label_file({}));
        CHECK(load_error(folder.path()) ==
              folder / test_images +
                  ": has shape (0, 2, 3), expected images (N, H, W), at least one");
    }
    SUBCASE("test images of another size") {
        write_plain(folder / test_images, {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5, 6});
        CHECK(load_error(folder.path()) ==
              folder / test_images + ": holds images of shape (1, 1), expected (2, 3) as in " +
                  folder / train_images);
    }
    SUBCASE("sizes beyond the file") {
        write_plain(folder / train_images,
                    {0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28, 1});
        CHECK(load_error(folder.path()) ==
              folder / train_images +
                  ": holds 1 bytes of elements, expected 47040000 for shape (60000, 28, 28) of "
                  "uint8");
    }
}

TEST_CASE("Fashion-MNIST: the classes") {
    CHECK(weft::fashion_mnist_classes.size() == 10);
    CHECK(weft::fashion_mnist_classes.front() == "T-shirt/top");
    CHECK(weft::fashion_mnist_classes[5] == "Sandal");
    CHECK(weft::fashion_mnist_classes.back() == "Ankle boot");
}

TEST_CASE("Fashion-MNIST: the published set, where it is installed") {
    std::optional<weft::FashionMnist> found;
    try {
        found = weft::load_fashion_mnist();
    } catch (const weft::IoError& error) {
        const std::string message = error.what();
        REQUIRE(message.starts_with("Fashion-MNIST not found"));
        MESSAGE("skipped: " << message);
        return;
    }
    const weft::FashionMnist& data = *found;
    CHECK(data.train_images.shape() == weft::Shape{60000, 28, 28});
    CHECK(data.train_labels.shape() == weft::Shape{60000});
    CHECK(data.test_images.shape() == weft::Shape{10000, 28, 28});
    CHECK(data.test_labels.shape() == weft::Shape{10000});
    CHECK(data.train_labels[0] == 9);
    CHECK(data.test_labels[0] == 9);
    for (std::uint8_t label = 0; label < 10; ++label) {
        CHECK(std::ranges::count(data.train_labels, label) == 6000);
        CHECK(std::ranges::count(data.test_labels, label) == 1000);
    }
    // The published mean of the training pixels, 0.2860 of 255.
    const auto sum = std::accumulate(data.train_images.begin(), data.train_images.end(), 0LL);
    const double mean = static_cast<double>(sum) / static_cast<double>(data.train_images.size());
    CHECK(mean > 0.28595 * 255);
    CHECK(mean < 0.28605 * 255);
}

TEST_CASE("predictions as CSV are the same in a locale of commas and grouped digits") {
    weft::Tensor<float> probabilities({1002, 2});
    for (weft::Index i = 0; i < 1002; ++i) probabilities(i, i % 2) = 1;
    const weft::CommaLocale locale;
    CHECK(predictions_csv(probabilities).ends_with("\n999,1\n1000,0\n1001,1\n"));
}
