/// \file
/// The orientation of the camera, in a picture's EXIF data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace weft::detail {

/// Reads numbers of one byte order from untrusted bytes.
struct ExifBytes {
    std::span<const unsigned char> bytes;
    bool big_endian = true;

    /// The number in `count` bytes from `at`; 0 beyond the end.
    std::uint32_t number(std::size_t at, std::size_t count) const {
        if (at > bytes.size() || count > bytes.size() - at) return 0;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            value = value << 8 | bytes[at + (big_endian ? i : count - 1 - i)];
        }
        return value;
    }

    bool starts_with(std::string_view text) const {
        return bytes.size() >= text.size() &&
               std::equal(text.begin(), text.end(), bytes.begin(), [](char a, unsigned char b) {
                   return static_cast<unsigned char>(a) == b;
               });
    }
};

/// The orientation in EXIF data, which start like a TIFF file: the sides of the scene that the
/// stored row 0 and column 0 show.
///
///   1 top, left      2 top, right     3 bottom, right     4 bottom, left
///   5 left, top      6 right, top     7 right, bottom     8 left, bottom
///
/// 1 if the data have no orientation, or one out of range.
/// Source: CIPA DC-008-2019 (EXIF 2.32), section 4.6.4, tag 274; TIFF 6.0, section 2.
inline int exif_orientation(std::span<const unsigned char> bytes) {
    using namespace std::string_view_literals;
    ExifBytes exif{bytes};
    exif.big_endian = exif.starts_with("MM\0*"sv);
    if (!exif.big_endian && !exif.starts_with("II*\0"sv)) return 1;
    const std::size_t directory = exif.number(4, 4);
    const std::uint32_t entries = exif.number(directory, 2);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const std::size_t entry = directory + 2 + std::size_t{12} * i;
        if (exif.number(entry, 2) != 0x0112) continue;
        // One number of 16 bits.
        if (exif.number(entry + 2, 2) != 3 || exif.number(entry + 4, 4) != 1) return 1;
        const std::uint32_t value = exif.number(entry + 8, 2);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

/// The EXIF data of a JPEG file, in its first APP1 marker named Exif. Empty if there are none.
inline std::span<const unsigned char> jpeg_exif(std::span<const unsigned char> jpeg) {
    using namespace std::string_view_literals;
    const ExifBytes file{jpeg};
    std::size_t at = 2;  // after SOI
    while (file.number(at, 1) == 0xFF) {
        const std::uint32_t marker = file.number(at + 1, 1);
        if (marker == 0xFF) {  // a fill byte
            ++at;
            continue;
        }
        const std::uint32_t size = file.number(at + 2, 2);
        if (marker == 0xDA || size < 2 || at + 2 + size > jpeg.size()) break;  // SOS
        const ExifBytes segment{jpeg.subspan(at + 4, size - 2)};
        constexpr auto name = "Exif\0\0"sv;
        if (marker == 0xE1 && segment.starts_with(name)) return segment.bytes.subspan(name.size());
        at += 2 + size;
    }
    return {};
}

/// The EXIF data of a PNG file, in its first eXIf chunk. Empty if there are none.
inline std::span<const unsigned char> png_exif(std::span<const unsigned char> png) {
    const ExifBytes file{png};
    std::size_t at = 8;  // after the signature
    while (at + 12 <= png.size()) {
        const std::size_t size = file.number(at, 4);
        if (size > png.size() - at - 12) break;
        const ExifBytes chunk{png.subspan(at + 4, 4 + size)};
        if (chunk.starts_with("eXIf")) return chunk.bytes.subspan(4);
        if (chunk.starts_with("IEND")) break;
        at += 12 + size;
    }
    return {};
}

}  // namespace weft::detail
