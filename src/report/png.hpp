/// \file
/// Small pictures as uncompressed PNG.
#pragma once

#include "weft/core/crc32.hpp"
#include "weft/core/tensor.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace weft::detail {

inline void append_big_endian(std::string& bytes, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes += static_cast<char>(number >> shift & 0xFF);
    }
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951, 3.2.4), each up to 65,535 bytes.
inline std::string zlib_stored(std::string_view bytes) {
    std::string stream = "\x78\x01";
    std::size_t first = 0;
    do {
        const std::string_view block = bytes.substr(first, 0xFFFF);
        first += block.size();
        stream += static_cast<char>(first == bytes.size());  // whether it is the last
        const std::size_t size = block.size();
        for (const std::size_t word : {size, ~size}) {
            stream += static_cast<char>(word & 0xFF);
            stream += static_cast<char>(word >> 8 & 0xFF);
        }
        stream += block;
    } while (first < bytes.size());
    std::uint32_t a = 1, b = 0;  // Adler-32
    for (const char byte : bytes) {
        a = (a + static_cast<unsigned char>(byte)) % 65521;
        b = (b + a) % 65521;
    }
    append_big_endian(stream, b << 16 | a);
    return stream;
}

inline void append_png_chunk(std::string& png, std::string_view type, std::string_view data) {
    const std::string content = concat(type, data);
    append_big_endian(png, static_cast<std::uint32_t>(data.size()));
    png += content;
    append_big_endian(png, crc32(content));
}

/// The bytes of a PNG file (ISO/IEC 15948) of pixels (H, W, C): C = 1 grey, C = 3 red, green, blue.
/// Throws ShapeError for other shapes.
inline std::string encode_png(TensorView<const std::uint8_t> pixels) {
    const Shape& shape = pixels.shape();
    if (shape.rank() != 3 || pixels.size() == 0 || (shape[2] != 1 && shape[2] != 3)) {
        throw ShapeError(concat("png: pixels have shape ", shape, ", expected (H, W, 1 or 3)"));
    }
    std::string header;
    append_big_endian(header, static_cast<std::uint32_t>(shape[1]));
    append_big_endian(header, static_cast<std::uint32_t>(shape[0]));
    header += '\x08';                           // bits a channel
    header += shape[2] == 1 ? '\x00' : '\x02';  // colour type
    header.append(3, '\0');                     // compression, filter, no interlace
    std::string rows;
    for (Index i = 0; i < shape[0]; ++i) {
        const TensorView<const std::uint8_t> row = pixels.sample(i);
        rows += '\0';  // no filter
        rows.append(row.begin(), row.end());
    }
    std::string png = "\x89PNG\r\n\x1A\n";
    append_png_chunk(png, "IHDR", header);
    append_png_chunk(png, "IDAT", zlib_stored(rows));
    append_png_chunk(png, "IEND", "");
    return png;
}

}  // namespace weft::detail
