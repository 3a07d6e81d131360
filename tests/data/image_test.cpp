#include "weft/data/image.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/io_error.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/core/crc32.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

using namespace weft;

namespace {

const std::filesystem::path image_folder =
    std::filesystem::path(WEFT_SOURCE_DIR) / "tests/data/images";

Bytes pixels(const std::filesystem::path& path, const Shape& shape,
             const ReadImageOptions& options) {
    const Tensor<std::uint8_t> image = read_image(path, options);
    CHECK(image.shape() == shape);
    return {image.begin(), image.end()};
}

Bytes pixels(const std::string& name, const Shape& shape, Index channels = 0) {
    return pixels(image_folder / name, shape, {.channels = channels});
}

/// What is wrong with the file, without its name, which the message has to start with.
std::string image_error(const std::filesystem::path& path) {
    return io_error(path, [&] { read_image(path); });
}

/// The small ones, of each kind that there is.
const std::vector<std::string> png_names{
    "grey.png",       "colour.png",   "transparent.png",   "16_bits.png",    "palette.png",
    "grey_alpha.png", "grey_key.png", "palette_alpha.png", "interlaced.png", "16_bits_alpha.png"};
const std::vector<std::string> jpeg_names{"grey.jpg",    "colour.jpg", "progressive.jpg",
                                          "restart.jpg", "cmyk.jpg",   "sampling.jpg"};

/// Four bytes, the highest first.
std::string big_endian(std::size_t value) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xFF);
    return bytes;
}

std::string chunk(const std::string& name, const std::string& data) {
    return big_endian(data.size()) + name + data + big_endian(detail::crc32(name + data));
}

/// Puts the right CRC-32 behind the chunk of that name.
std::string sealed(std::string png, const std::string& name) {
    const std::size_t at = png.find(name);
    REQUIRE(at != std::string::npos);
    std::size_t size = 0;
    for (std::size_t i = at - 4; i < at; ++i) size = size << 8 | static_cast<unsigned char>(png[i]);
    const std::string end = at + 4 + size > png.size() ? "" : png.substr(at + 4 + size);
    const std::string check = big_endian(detail::crc32(png.substr(at, 4 + size)));
    return png.replace(at + 4 + size, std::min<std::size_t>(4, end.size()), check);
}

/// EXIF data that hold an orientation, between two other entries.
std::string exif_of(int orientation, bool is_big_endian) {
    const auto number = [&](unsigned value, unsigned count) {
        std::string bytes;
        for (unsigned i = 0; i < count; ++i) {
            const unsigned shift = 8 * (is_big_endian ? count - 1 - i : i);
            bytes += static_cast<char>(value >> shift & 0xFF);
        }
        return bytes;
    };
    const auto entry = [&](unsigned tag, unsigned value) {
        return number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2);
    };
    return (is_big_endian ? "MM" : "II") + number(42, 2) + number(8, 4) + number(3, 2) +
           entry(0x0100, 5) + entry(0x0112, static_cast<unsigned>(orientation)) + entry(0x0128, 2) +
           number(0, 4);
}

std::string jpeg_with_exif(std::string jpeg, const std::string& exif) {
    const std::string size = big_endian(2 + 6 + exif.size()).substr(2);
    // Another APP1 comes first, as of a program that edited the picture.
    const std::string other{"\xFF\xE1\x00\x08http:/", 10};
    return jpeg.insert(2, other + "\xFF\xFF\xE1" + size + std::string("Exif\0\0", 6) + exif);
}

/// As bytes, for a reader of EXIF data.
int orientation_in(const std::string& exif) {
    return detail::exif_orientation(
        {reinterpret_cast<const unsigned char*>(exif.data()), exif.size()});
}

}  // namespace

TEST_CASE("PNG files of all kinds are read as bytes") {
    CHECK(pixels("grey.png", {2, 3, 1}) == Bytes{10, 20, 255, 5, 6, 8});
    CHECK(pixels("colour.png", {1, 2, 3}) == Bytes{200, 30, 60, 1, 2, 3});
    CHECK(pixels("transparent.png", {1, 2, 3}) == Bytes{200, 30, 60, 1, 2, 3});
    CHECK(pixels("16_bits.png", {1, 2, 1}) == Bytes{0x12, 0xFF});
    CHECK(pixels("palette.png", {1, 4, 3}) == Bytes{0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 8, 7});
    CHECK(pixels("interlaced.png", {6, 7, 1}) ==
          Bytes{0,   1,   2,   3,   4,   5,   6,   40,  41,  42,  43,  44,  45,  46,
                80,  81,  82,  83,  84,  85,  86,  120, 121, 122, 123, 124, 125, 126,
                160, 161, 162, 163, 164, 165, 166, 200, 201, 202, 203, 204, 205, 206});
    // Without opacity, which they have too.
    CHECK(pixels("grey_alpha.png", {1, 3, 1}) == Bytes{100, 100, 100});
    CHECK(pixels("grey_key.png", {1, 3, 1}) == Bytes{7, 8, 9});
    CHECK(pixels("palette_alpha.png", {1, 4, 3}) == pixels("palette.png", {1, 4, 3}));
    CHECK(pixels("16_bits_alpha.png", {1, 2, 3}) == Bytes{0x12, 0x20, 0xFF, 0, 1, 2});
}

TEST_CASE("what is transparent is laid over a background by request") {
    const auto over = [](const std::string& name, const Shape& shape, Color background,
                         Index channels = 0) {
        return pixels(image_folder / name, shape, {.channels = channels, .background = background});
    };
    // (128 x + 127 * 255) / 255 = 127.5, 128.004, 128.5 for x = 1, 2, 3.
    CHECK(over("transparent.png", {1, 2, 3}, white_background) ==
          Bytes{255, 255, 255, 128, 128, 129});
    CHECK(over("transparent.png", {1, 2, 3}, {10, 0, 255}) == Bytes{10, 0, 255, 5, 1, 129});
    CHECK(over("transparent.png", {1, 2, 1}, white_background, 1) == Bytes{255, 128});
    CHECK(over("grey_alpha.png", {1, 3, 1}, white_background) == Bytes{100, 177, 255});
    CHECK(over("grey_alpha.png", {1, 3, 3}, {0, 0, 9}, 3) ==
          Bytes{100, 100, 100, 50, 50, 55, 0, 0, 9});
    CHECK(over("grey_key.png", {1, 3, 1}, white_background) == Bytes{7, 255, 9});
    CHECK(over("palette_alpha.png", {1, 4, 3}, white_background) ==
          Bytes{255, 255, 255, 255, 127, 127, 0, 255, 0, 9, 8, 7});
    CHECK(over("16_bits_alpha.png", {1, 2, 3}, {0, 0, 0}) == Bytes{9, 16, 128, 0, 1, 2});
    CHECK(over("colour.png", {1, 2, 3}, white_background) == Bytes{200, 30, 60, 1, 2, 3});
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

TEST_CASE("JPEG files of inks and of unusual sampling are read") {
    // (255 - ink) (255 - black) / 255.
    const Bytes inks = pixels("cmyk.jpg", {8, 8, 3});
    for (std::size_t i = 0; i < inks.size(); ++i) {
        CHECK(std::abs(inks[i] - std::array{197, 157, 117}[i % 3]) <= 4);
    }
    CHECK(std::abs(pixels("cmyk.jpg", {8, 8, 1}, 1)[0] - 164) <= 4);
    CHECK(std::abs(pixels("sampling.jpg", {8, 16, 3})[0] - 200) <= 4);
    // 0.299 * 200 + 0.587 * 30 + 0.114 * 60, which the file holds itself.
    CHECK(std::abs(pixels("colour.jpg", {8, 16, 1}, 1)[0] - 84) <= 4);
}

TEST_CASE("a picture is turned as its camera was, in both byte orders") {
    const TemporaryFolder folder;
    write_png(folder / "a.png", Tensor<std::uint8_t>({2, 3}, {1, 2, 3, 4, 5, 6}));
    const std::string png = contents_of(folder / "a.png");
    const std::string jpeg = contents_of(image_folder / "blocks.jpg");
    const std::array<Bytes, 8> expected{{{1, 2, 3, 4, 5, 6},
                                         {3, 2, 1, 6, 5, 4},
                                         {6, 5, 4, 3, 2, 1},
                                         {4, 5, 6, 1, 2, 3},
                                         {1, 4, 2, 5, 3, 6},
                                         {4, 1, 5, 2, 6, 3},
                                         {6, 3, 5, 2, 4, 1},
                                         {3, 6, 2, 5, 1, 4}}};
    for (int orientation = 1; orientation <= 8; ++orientation) {
        INFO("orientation ", orientation);
        const Bytes& turned = expected[static_cast<std::size_t>(orientation - 1)];
        const Shape shape = orientation < 5 ? Shape{2, 3, 1} : Shape{3, 2, 1};
        for (const bool is_big_endian : {false, true}) {
            const std::string exif = exif_of(orientation, is_big_endian);
            for (const char* before : {"IDAT", "IEND"}) {
                std::string copy = png;
                const auto path =
                    folder.file("b.png", copy.insert(copy.find(before) - 4, chunk("eXIf", exif)));
                CHECK(pixels(path, shape, ReadImageOptions{}) == turned);
                CHECK(pixels(path, {2, 3, 1}, {.exif_orientation = false}) == expected[0]);
            }
            const auto path = folder.file("b.jpg", jpeg_with_exif(jpeg, exif));
            const Tensor<std::uint8_t> image = read_image(path);
            REQUIRE(image.shape() == Shape{8 * shape[0], 8 * shape[1], 1});
            for (Index h = 0; h < image.shape()[0]; ++h) {
                for (Index w = 0; w < image.shape()[1]; ++w) {
                    const int block = turned[static_cast<std::size_t>(h / 8 * shape[1] + w / 8)];
                    CHECK(std::abs(image(h, w, 0) - (40 * block - 20)) <= 2);
                }
            }
            CHECK(read_image(path, {.exif_orientation = false}).shape() == Shape{16, 24, 1});
        }
    }
}

TEST_CASE("EXIF data that make no sense leave a picture as it is") {
    const std::string exif = exif_of(6, true);
    REQUIRE(orientation_in(exif) == 6);
    const std::size_t entry = exif.find("\x01\x12");
    for (std::size_t size = 0; size < exif.size(); ++size) {
        CHECK(orientation_in(exif.substr(0, size)) == (size < entry + 10 ? 1 : 6));
    }
    for (const int value : {0, 9, 255, 65535}) CHECK(orientation_in(exif_of(value, false)) == 1);
    const auto changed = [&](std::size_t at, const std::string& bytes) {
        return orientation_in(std::string(exif).replace(at, bytes.size(), bytes));
    };
    CHECK(changed(0, "MI") == 1);
    CHECK(changed(4, "\xFF\xFF\xFF\xFF") == 1);  // a directory beyond the end
    CHECK(changed(4, std::string(4, '\0')) == 1);
    CHECK(changed(8, "\xFF\xFF") == 6);  // more entries than there are bytes
    CHECK(changed(entry, "\x01\x13") == 1);
    CHECK(changed(8, std::string("\xFF\xFF", 2)) == 6);
    CHECK(changed(entry + 2, std::string("\0\x04", 2)) == 1);  // of 32 bits
    CHECK(changed(entry + 4, "\xFF") == 1);                    // many numbers
    for (std::size_t i = 0; i < exif.size(); ++i) {
        for (int byte = 0; byte < 256; ++byte) {
            const int orientation = changed(i, std::string(1, static_cast<char>(byte)));
            CHECK((orientation >= 1 && orientation <= 8));
        }
    }
    // Segments of JPEG files that end beyond the file, and before they begin.
    const TemporaryFolder folder;
    const std::string jpeg = contents_of(image_folder / "grey.jpg");
    for (const std::string& size : {std::string("\xFF\xFF"), std::string(2, '\0')}) {
        const std::string bytes = std::string(jpeg).replace(4, 2, size);
        CHECK(
            detail::jpeg_exif({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()})
                .empty());
    }
    const auto path = folder.file("a.jpg", jpeg_with_exif(jpeg, "MM"));
    CHECK(read_image(path).shape() == Shape{8, 8, 1});
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
                         "/no/such/folder/a.png: cannot be created: No such file or directory",
                         IoError);
    CHECK_THROWS_AS(write_png("/dev/full", Tensor<std::uint8_t>({64, 64})), IoError);
}

TEST_CASE("what is no picture is refused by name") {
    const TemporaryFolder folder;
    CHECK(image_error(folder.path() / "missing.png") == "no such file");
    CHECK(image_error(folder.path()) == "is a directory, expected a regular file");
    CHECK(image_error(folder.file("empty.png", "")) == "is not a PNG or JPEG file");
    CHECK(image_error(folder.file("text.png", "hello")) == "is not a PNG or JPEG file");
    const auto other = [&](const std::string& bytes) {
        return image_error(folder.file("other.png", bytes));
    };
    CHECK(other("RIFF\x24\x01\x02\x03WEBPVP8 ") == "is a WebP file, expected PNG or JPEG");
    CHECK(other("\x01\x01\x01\x18"
                "ftypheic") == "is an HEIC or AVIF file, expected PNG or JPEG");
    CHECK(other("GIF89a") == "is a GIF file, expected PNG or JPEG");
    CHECK(other("BM") == "is a BMP file, expected PNG or JPEG");
    CHECK(other("MM") == "is not a PNG or JPEG file");
    CHECK(other(std::string("II*\0", 4)) == "is a TIFF file, expected PNG or JPEG");
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
    CHECK(image_error(folder.file("a.png", sealed(png, "IHDR"))) ==
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
    const std::filesystem::path path = folder.file("a.png", sealed(png, "IHDR"));
    const AllocationCounter counter;
    CHECK(image_error(path).starts_with("is damaged: "));
    CHECK(counter.bytes() < 1 << 20);  // 0 where they are not counted
    for (const char* name : {"eXIf", "iCCP", "zTXt", "abCd"}) {
        std::string grey = contents_of(image_folder / "grey.png");
        grey.insert(33, "\x7F\xFF\xFF\xFF" + (name + std::string(100, 'x')));
        const std::filesystem::path other = folder.file("b.png", grey);
        const AllocationCounter count;
        CHECK(image_error(other) == "is damaged: the file ends too early");
        CHECK(count.bytes() < 1 << 20);
    }
}

TEST_CASE("a flipped bit anywhere in a PNG file is an error") {
    const TemporaryFolder folder;
    for (const std::string& name : png_names) {
        INFO(name);
        std::string png = contents_of(image_folder / name);
        const std::size_t pixel_data = png.find("IDAT") - 4;
        png.insert(pixel_data, chunk("tEXt", "a comment") + chunk("eXIf", exif_of(1, true)));
        const ReadImageOptions options{.background = white_background};
        REQUIRE(read_image(folder.file("a.png", png), options).size() > 0);
        for (std::size_t bit = 0; bit < 8 * png.size(); ++bit) {
            std::string flipped = png;
            flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
            const auto path = folder.file("a.png", flipped);
            const std::string message = io_error(path, [&] { read_image(path, options); });
            INFO("bit ", bit, ": ", message);
            CHECK((message.starts_with("is damaged: ") || message == "is not a PNG or JPEG file"));
        }
    }
}

TEST_CASE("wrong pixels under a right CRC-32 are an error by their Adler-32") {
    const TemporaryFolder folder;
    const auto error_of = [&](const std::string& png) {
        return image_error(folder.file("a.png", png));
    };
    const auto read = [&](const std::string& png) { read_image(folder.file("a.png", png)); };
    for (const std::string& name : png_names) {
        INFO(name);
        const std::string png = contents_of(image_folder / name);
        const std::size_t begin = png.find("IDAT") + 4, end = png.size() - 16;  // CRC, IEND
        const std::string head = png.substr(0, begin - 8), tail = png.substr(end + 4);
        const std::string data = png.substr(begin, end - begin);
        CHECK_NOTHROW(read(head + chunk("IDAT", data) + tail));
        for (std::size_t i = 1; i <= 4; ++i) {
            std::string changed = data;
            changed[data.size() - i] = static_cast<char>(changed[data.size() - i] ^ 1);
            CHECK(error_of(head + chunk("IDAT", changed) + tail) ==
                  "is damaged: IDAT: incorrect data check");
            // All pixels come before it.
            CHECK(error_of(head + chunk("IDAT", changed.substr(0, data.size() - 4)) +
                           chunk("IDAT", changed.substr(data.size() - 4)) + tail) ==
                  "is damaged: IDAT: incorrect data check");
            CHECK(error_of(head + chunk("IDAT", data.substr(0, data.size() - i)) + tail)
                      .starts_with("is damaged: "));
        }
        CHECK(error_of(head + tail).starts_with("is damaged: "));
        CHECK(error_of(head + chunk("IDAT", data)) == "is damaged: the file ends too early");
        // Split over several chunks the same data are right.
        CHECK_NOTHROW(read(head + chunk("IDAT", data.substr(0, 3)) + chunk("IDAT", "") +
                           chunk("IDAT", data.substr(3)) + tail));
    }
}

TEST_CASE("a file cut at any byte is an error with a reason") {
    const TemporaryFolder folder;
    std::vector<std::string> names = png_names;
    names.insert(names.end(), jpeg_names.begin(), jpeg_names.end());
    for (const std::string& name : names) {
        const std::string whole = contents_of(image_folder / name);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const std::string message = image_error(folder.file("a", whole.substr(0, size)));
            INFO(name, " cut at ", size, ": ", message);
            CHECK((message == "is not a PNG or JPEG file" ||
                   (message.starts_with("is damaged: ") && message.size() > 20)));
        }
        // What comes behind the end, such as a video, is no matter.
        CHECK_NOTHROW(read_image(folder.file("a", whole + "more")));
    }
}

TEST_CASE("what a JPEG decoder notices is an error") {
    const TemporaryFolder folder;
    const auto error_of = [&](const std::string& jpeg) {
        return image_error(folder.file("a.jpg", jpeg));
    };
    std::string jpeg = contents_of(image_folder / "grey.jpg");
    const std::size_t table = jpeg.find("\xFF\xC4");
    REQUIRE(table != std::string::npos);
    jpeg[table + 5 + 14] = jpeg[table + 5 + 15] = '\xFF';  // codes of 15 and of 16 bits
    CHECK(error_of(jpeg) == "is damaged: Bogus Huffman table definition");

    // A revision of JFIF that is not known, alone and before damage.
    jpeg = contents_of(image_folder / "grey.jpg");
    jpeg[jpeg.find("JFIF") + 5] = 0;
    CHECK(read_image(folder.file("a.jpg", jpeg)).shape() == Shape{8, 8, 1});
    CHECK(error_of(jpeg.substr(0, jpeg.size() - 1)) == "is damaged: Premature end of JPEG file");

    const std::string whole = contents_of(image_folder / "restart.jpg");
    const std::size_t first = whole.find("\xFF\xD0"), second = whole.find("\xFF\xD1");
    REQUIRE(second != std::string::npos);
    const std::string start = whole.substr(0, first), end = whole.substr(second);
    CHECK(error_of(start + end).starts_with("is damaged: Corrupt JPEG data: "));
    CHECK(error_of(start + "\xFF\xD0" + end)
              .starts_with("is damaged: Corrupt JPEG data: premature end of data segment"));
    CHECK(error_of(start + std::string(20, 'a') + whole.substr(first))
              .starts_with("is damaged: Corrupt JPEG data: "));
    for (const std::string& name : jpeg_names) {
        INFO(name);
        const std::string bytes = contents_of(image_folder / name);
        // Lengths of segments that are not there, and data that are cut out.
        CHECK(error_of(std::string(bytes).replace(4, 2, "\xFF\xFF")).starts_with("is damaged: "));
        if (name == "progressive.jpg") continue;  // that the last scan is missing cannot be known
        const std::string cut = bytes.substr(0, bytes.size() - 12) + "\xFF\xD9";
        CHECK(error_of(cut).starts_with("is damaged: "));
    }
}

TEST_CASE("every changed byte of a file is an image or an IoError") {
    const TemporaryFolder folder;
    for (const char* name : {"palette.png", "interlaced.png", "grey.jpg", "progressive.jpg"}) {
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
            for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
                std::string changed = whole;
                changed[i] = static_cast<char>(changed[i] ^ flip);
                read(changed);
            }
        }
    }
}
