#include "weft/data/cifar10.hpp"

#include "tests/support/io_error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// Records of those labels. Red, green and blue of pixel p of record i are p, p + 1 + i and
/// p + 100, all modulo 256.
std::string records(const std::vector<int>& labels) {
    std::string bytes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        bytes.push_back(static_cast<char>(labels[i]));
        for (const std::size_t offset : {std::size_t{0}, 1 + i, std::size_t{100}}) {
            for (std::size_t p = 0; p < 1024; ++p) bytes.push_back(static_cast<char>(p + offset));
        }
    }
    return bytes;
}

int expected(Index record, Index h, Index w, Index c) {
    const Index offset = c == 0 ? 0 : c == 1 ? 1 + record : 100;
    return static_cast<int>((32 * h + w + offset) % 256);
}

std::string cifar10_error(const std::filesystem::path& path) {
    return io_error([&] { stream_cifar10<float>(std::span(&path, 1)); });
}

}  // namespace

TEST_CASE("pictures come channels last, from several files, in any order") {
    const TemporaryFolder folder;
    const std::vector<std::filesystem::path> paths{folder.file("a.bin", records({3, 9})),
                                                   folder.file("b.bin", records({0}))};
    const auto examples = stream_cifar10<float>(paths);
    CHECK(examples->size() == 3);
    CHECK(examples->input_shape() == Shape{32, 32, 3});
    Tensor<float> x({4, 32, 32, 3});
    std::array<float, 4> y{};
    examples->gather(std::array<Index, 4>{2, 1, 0, 1}, x.data(), y.data());
    CHECK(y == std::array<float, 4>{0, 9, 3, 9});
    const std::array<Index, 4> record{0, 1, 0, 1};  // within its file
    for (Index n = 0; n < 4; ++n) {
        for (const Index h : {0, 7, 31}) {
            for (const Index w : {0, 13, 31}) {
                for (Index c = 0; c < 3; ++c) {
                    CHECK(x(n, h, w, c) == static_cast<float>(expected(
                                               record[static_cast<std::size_t>(n)], h, w, c)));
                }
            }
        }
    }
}

TEST_CASE("the six files are loaded as bytes") {
    const TemporaryFolder folder;
    for (int i = 1; i <= 5; ++i) {
        folder.file("data_batch_" + std::to_string(i) + ".bin", records({i, 9}));
    }
    CHECK_THROWS_WITH_AS(load_cifar10(folder.path()),
                         ((folder / "test_batch.bin") + ": no such file").c_str(), IoError);
    folder.file("test_batch.bin", records({7}));
    const Cifar10 data = load_cifar10(folder.path());
    CHECK(data.train_images.shape() == Shape{10, 32, 32, 3});
    CHECK(data.test_images.shape() == Shape{1, 32, 32, 3});
    CHECK(data.train_labels[4] == 3);
    CHECK(data.train_labels[5] == 9);
    CHECK(data.test_labels[0] == 7);
    CHECK(data.train_images(9, 30, 2, 1) == expected(1, 30, 2, 1));
    CHECK(data.test_images(0, 5, 6, 2) == expected(0, 5, 6, 2));
    CHECK(cifar10_classes[9] == "truck");
}

TEST_CASE("files of other sizes and labels are refused by name and byte") {
    const TemporaryFolder folder;
    const auto short_file = folder.file("short.bin", records({1}).substr(1));
    CHECK(cifar10_error(short_file) ==
          short_file.string() + ": holds 3072 bytes, expected records of 3073");
    CHECK(cifar10_error(folder.file("long.bin", records({1}) + "x"))
              .ends_with("holds 3074 bytes, expected records of 3073"));
    CHECK(cifar10_error(folder.file("empty.bin", ""))
              .ends_with("holds 0 bytes, expected records of 3073"));
    const auto wrong = folder.file("wrong.bin", records({1, 2, 10}));
    CHECK(cifar10_error(wrong) ==
          wrong.string() + ": the label of record 2, byte 6146, is 10, expected 0 to 9");
}
