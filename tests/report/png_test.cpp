#include "src/report/png.hpp"

#include "tests/support/compare.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

using namespace weft;

namespace {

std::uint32_t big_endian(std::string_view bytes) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        number = number << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return number;
}

/// The content of stored blocks.
std::string inflate_stored(std::string_view stream) {
    REQUIRE(stream.substr(0, 2) == "\x78\x01");
    std::string bytes;
    std::size_t at = 2;
    for (bool last = false; !last;) {
        last = stream[at] != 0;
        REQUIRE((stream[at] == 0 || stream[at] == 1));
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(stream[at + i]); };
        const std::size_t size = byte(1) + 256u * byte(2);
        REQUIRE((size ^ (byte(3) + 256u * byte(4))) == 0xFFFF);
        bytes += stream.substr(at + 5, size);
        at += 5 + size;
    }
    std::uint64_t a = 1, b = 0;
    for (const char c : bytes) b += a += static_cast<unsigned char>(c);
    REQUIRE(big_endian(stream.substr(at)) == (b % 65521 << 16 | a % 65521));
    REQUIRE(at + 4 == stream.size());
    return bytes;
}

/// The pixels (H, W, C) of a file that encode_png wrote, every length and check sum looked at.
Tensor<std::uint8_t> decode_png(std::string_view png) {
    REQUIRE(png.substr(0, 8) == "\x89PNG\r\n\x1A\n");
    std::vector<std::pair<std::string, std::string>> chunks;
    for (png.remove_prefix(8); !png.empty();) {
        const std::size_t size = big_endian(png);
        REQUIRE(png.size() >= size + 12);
        CHECK(big_endian(png.substr(8 + size)) == detail::crc32(png.substr(4, 4 + size)));
        chunks.emplace_back(png.substr(4, 4), png.substr(8, size));
        png.remove_prefix(size + 12);
    }
    REQUIRE(chunks.size() == 3);
    CHECK(chunks[0].first == "IHDR");
    CHECK(chunks[1].first == "IDAT");
    CHECK(chunks[2] == std::pair<std::string, std::string>("IEND", ""));
    const std::string& header = chunks[0].second;
    REQUIRE(header.size() == 13);
    CHECK(header[8] == 8);
    CHECK((header[9] == 0 || header[9] == 2));
    CHECK(header.substr(10) == std::string(3, '\0'));
    const Index width = big_endian(header), height = big_endian(header.substr(4));
    const Index channels = header[9] == 0 ? 1 : 3;
    Tensor<std::uint8_t> pixels({height, width, channels});
    const std::string rows = inflate_stored(chunks[1].second);
    REQUIRE(static_cast<Index>(rows.size()) == height * (width * channels + 1));
    for (Index i = 0; i < height; ++i) {
        const auto first = static_cast<std::size_t>(i * (width * channels + 1));
        CHECK(rows[first] == 0);
        std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(first) + 1, width * channels,
                    pixels.data() + i * width * channels);
    }
    return pixels;
}

Tensor<std::uint8_t> ramp(const Shape& shape) {
    Tensor<std::uint8_t> pixels(shape);
    for (Index i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37 + 200);
    return pixels;
}

}  // namespace

TEST_CASE("PNG: grey and colour pictures come back, of one pixel and of many blocks") {
    for (const Shape& shape : {Shape{1, 1, 1}, Shape{1, 1, 3}, Shape{5, 3, 1}, Shape{4, 7, 3},
                               Shape{300, 400, 1}, Shape{1, 65534, 1}, Shape{1, 65535, 1}}) {
        INFO(shape.to_string());
        const auto pixels = ramp(shape);
        CHECK(identical(decode_png(detail::encode_png(pixels)), pixels));
    }
}

TEST_CASE("PNG: a shape that is no picture is refused") {
    for (const Shape& shape : {Shape{5, 3}, Shape{5, 3, 2}, Shape{5, 3, 4}, Shape{0, 3, 1}}) {
        CHECK_THROWS_WITH_AS(
            detail::encode_png(ramp(shape)),
            concat("png: pixels have shape ", shape, ", expected (H, W, 1 or 3)").c_str(),
            ShapeError);
    }
}
