#include "weft/data/image.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/io_error.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

// A program's own use of stb stays possible.
#define STB_IMAGE_STATIC
#include <stb/stb_image.h>

using namespace weft;

namespace {

const std::filesystem::path image_folder =
    std::filesystem::path(WEFT_SOURCE_DIR) / "tests/data/images";

Bytes pixels(const std::string& name, const Shape& shape, Index channels = 0) {
    const Tensor<std::uint8_t> image = read_image(image_folder / name, channels);
    CHECK(image.shape() == shape);
    return {image.begin(), image.end()};
}

/// What is wrong with the file, without its name, which the message has to start with.
std::string image_error(const std::filesystem::path& path) {
    return io_error(path, [&] { read_image(path); });
}

}  // namespace

TEST_CASE("PNG files of all kinds are read as bytes") {
    CHECK(pixels("grey.png", {2, 3, 1}) == Bytes{10, 20, 255, 5, 6, 8});
    CHECK(pixels("colour.png", {1, 2, 3}) == Bytes{200, 30, 60, 1, 2, 3});
    CHECK(pixels("transparent.png", {1, 2, 3}) == Bytes{200, 30, 60, 1, 2, 3});
    CHECK(pixels("16_bits.png", {1, 2, 1}) == Bytes{0x12, 0xFF});
    CHECK(pixels("palette.png", {1, 4, 3}) == Bytes{0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 8, 7});
}

TEST_CASE("grey becomes colour, and colour grey") {
    CHECK(pixels("grey.png", {2, 3, 3}, 3) ==
          Bytes{10, 10, 10, 20, 20, 20, 255, 255, 255, 5, 5, 5, 6, 6, 6, 8, 8, 8});
    // (77 * 200 + 150 * 30 + 29 * 60) / 256 = 84.5...,  (77 + 300 + 87) / 256 = 1.8...
    CHECK(pixels("colour.png", {1, 2, 1}, 1) == Bytes{84, 1});
    CHECK_THROWS_WITH_AS(read_image(image_folder / "grey.png", 2),
                         "read_image: channels is 2, expected 0, 1 or 3", ArgumentError);
}

TEST_CASE("JPEG files are read, to the loss of their compression") {
    const Bytes grey = pixels("grey.jpg", {8, 8, 1});
    for (std::size_t i = 0; i < grey.size(); ++i) {
        CHECK(std::abs(grey[i] - static_cast<int>(i % 8 * 30)) <= 4);
    }
    const std::array<std::array<int, 3>, 2> halves{{{200, 30, 60}, {20, 180, 90}}};
    for (const char* name : {"colour.jpg", "progressive.jpg"}) {
        const Bytes colour = pixels(name, {8, 16, 3});
        for (std::size_t i = 0; i < colour.size(); ++i) {
            CHECK(std::abs(colour[i] - halves[i / 3 % 16 / 8][i % 3]) <= 4);
        }
    }
}

TEST_CASE("what is written as PNG comes back to the bit") {
    const TemporaryFolder folder;
    for (const Shape& shape : {Shape{5, 7}, Shape{7, 5, 1}, Shape{4, 3, 3}, Shape{1, 1}}) {
        const auto image = random_uniform<std::uint8_t>(shape, 1, 0, 256);
        write_png(folder / "image.png", image);
        const Tensor<std::uint8_t> copy = read_image(folder / "image.png");
        CHECK(std::ranges::equal(copy, image));
        CHECK(copy.shape() == Shape{shape[0], shape[1], shape.rank() == 3 ? shape[2] : 1});
    }
    for (const Shape& shape : {Shape{4}, Shape{2, 2, 2}, Shape{0, 3}, Shape{1, 2, 2, 1}}) {
        CHECK_THROWS_AS(write_png(folder / "image.png", Tensor<std::uint8_t>(shape)), ShapeError);
    }
    CHECK_THROWS_WITH_AS(write_png("/no/such/folder/a.png", Tensor<std::uint8_t>({1, 1})),
                         "/no/such/folder/a.png: cannot be written", IoError);
    CHECK_THROWS_AS(write_png("/dev/full", Tensor<std::uint8_t>({64, 64})), IoError);
}

TEST_CASE("what is no picture is refused by name") {
    const TemporaryFolder folder;
    CHECK(image_error(folder.path() / "missing.png") == "no such file");
    CHECK(image_error(folder.path()) == "is a directory, expected a regular file");
    CHECK(image_error(folder.file("empty.png", "")).starts_with("is no PNG or JPEG file"));
    CHECK(image_error(folder.file("text.png", "hello")).starts_with("is no PNG or JPEG file"));
    const std::string whole = contents_of(image_folder / "grey.png");
    CHECK(image_error(folder.file("a.png", whole.substr(0, 60))).starts_with("is damaged: "));
}

TEST_CASE("no file makes the reader allocate much more than its picture takes") {
    const auto peak_kib = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
    };
    const auto before = peak_kib();
    CHECK(image_error(image_folder / "huge.png") ==
          "has 8192 x 8193 pixels, expected at most 67108864 in all");
    CHECK(image_error(image_folder / "bomb.png").starts_with("is damaged: "));
    // The sanitizers take memory for what they note of memory.
    if (AllocationCounter::available()) CHECK(peak_kib() - before < 6 * 1024);

    const TemporaryFolder folder;
    std::filesystem::resize_file(folder.file("large.png", "x"), (256 << 20) + 1);
    CHECK(image_error(folder.path() / "large.png") ==
          "holds 268435457 bytes, expected a picture of at most 268435456");
}

TEST_CASE("more pixels than a file's bytes can stand for are refused before memory is taken") {
    const TemporaryFolder folder;
    std::string png = contents_of(image_folder / "colour.png");
    png[21] = 16;  // the second byte of the height
    CHECK(image_error(folder.file("a.png", png)) ==
          "has 1048577 x 2 pixels, expected at most 594432 in 72 bytes");
    std::string jpeg = contents_of(image_folder / "grey.jpg");
    const std::size_t frame = jpeg.find("\xFF\xC0");
    REQUIRE(frame != std::string::npos);
    jpeg[frame + 5] = jpeg[frame + 7] = 4;  // the high bytes of height and width
    CHECK(image_error(folder.file("a.jpg", jpeg)) ==
          "has 1032 x 1032 pixels, expected at most 175104 in 342 bytes");
}

TEST_CASE("no more memory is taken for a chunk of PNG data than for its picture") {
    const TemporaryFolder folder;
    std::string png = contents_of(image_folder / "colour.png");
    REQUIRE(png.substr(37, 4) == "IDAT");
    png[18] = 100;  // width 25602
    png[34] = 127;  // 8 MiB of data
    const std::filesystem::path path = folder.file("a.png", png);
    const AllocationCounter counter;
    CHECK(image_error(path) == "is damaged: outofmem");
    CHECK(counter.bytes() < 1 << 20);  // 0 where they are not counted
}

TEST_CASE("a Huffman table of too many codes is refused, also behind fill bytes") {
    const TemporaryFolder folder;
    std::string jpeg = contents_of(image_folder / "grey.jpg");
    const std::size_t table = jpeg.find("\xFF\xC4");
    REQUIRE(table != std::string::npos);
    jpeg[table + 5 + 14] = jpeg[table + 5 + 15] = '\xFF';  // codes of 15 and of 16 bits
    CHECK(image_error(folder.file("a.jpg", jpeg)) == "is damaged: bad Huffman table");
    CHECK(image_error(folder.file("b.jpg", "\xFF" + jpeg)) == "is damaged: bad Huffman table");
}

TEST_CASE("every prefix and every changed byte of a file is an image or an IoError") {
    const TemporaryFolder folder;
    for (const char* name : {"grey.png", "palette.png", "grey.jpg", "progressive.jpg"}) {
        const std::string whole = contents_of(image_folder / name);
        const auto read = [&](const std::string& bytes) {
            const auto path = folder.file("changed", bytes);
            try {
                const Tensor<std::uint8_t> image = read_image(path, 3);
                CHECK(image.shape()[2] == 3);
            } catch (const IoError&) {
            }
        };
        for (std::size_t i = 0; i < whole.size(); ++i) {
            read(whole.substr(0, i));
            for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
                std::string changed = whole;
                changed[i] = static_cast<char>(changed[i] ^ flip);
                read(changed);
            }
        }
    }
}
