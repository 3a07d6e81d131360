/// \file
/// The bytes of a picture file, and the picture stored in it.
#pragma once

#include "weft/data/idx.hpp"

#include <filesystem>
#include <vector>

namespace weft::detail {

inline constexpr std::uint64_t largest_image_file = std::uint64_t{256} << 20;
inline constexpr Index most_image_pixels = Index{1} << 26;

/// The most pixels per byte of the file. PNG: deflate expands a byte to at most 1032 (matches of
/// 258 bytes, two bits each), each of 8 pixels of one bit. JPEG: each bit may be the code of a
/// block of 8 x 8 pixels.
inline constexpr Index most_png_pixels_per_byte = 1032 * 8;
inline constexpr Index most_jpeg_pixels_per_byte = 8 * 64;

/// All bytes of a file.
class ImageFile {
public:
    /// Throws IoError when the file cannot be read or is too large.
    WEFT_COLD explicit ImageFile(const std::filesystem::path& path) {
        FileBytes file(path);
        name_ = file.name();
        if (file.size() > largest_image_file) {
            fail(concat("holds ", file.size(), " bytes, expected a picture of at most ",
                        largest_image_file));
        }
        bytes_.resize(file.size());
        file.read(bytes_.data(), bytes_.size());
    }

    std::span<unsigned char> bytes() { return bytes_; }
    std::span<const unsigned char> bytes() const { return bytes_; }

    [[noreturn]] WEFT_COLD void fail(std::string_view what) const {
        throw IoError(concat(name_, ": ", what));
    }

    /// Throws IoError when the picture is too large, or has more pixels, with both extents rounded
    /// up to whole blocks, than the file's bytes can encode.
    WEFT_COLD void require_size(Index height, Index width, Index most_pixels_per_byte,
                                Index block = 1) const {
        const auto require_at_most = [&](Index pixels, Index most, std::string_view where) {
            if (pixels <= most) return;
            fail(concat("has ", height, " x ", width, " pixels, expected at most ", most, " in ",
                        where));
        };
        const auto padded = [&](Index extent) { return (extent + block - 1) / block * block; };
        const Index size_bytes = static_cast<Index>(bytes_.size());
        require_at_most(height * width, most_image_pixels, "all");
        require_at_most(padded(height) * padded(width), size_bytes * most_pixels_per_byte,
                        concat(size_bytes, " bytes"));
    }

private:
    std::string name_;
    std::vector<unsigned char> bytes_;
};

/// A picture as its file stores it.
struct StoredImage {
    Index height, width;
    Index channels;                     ///< 1 grey, 3 colour, and one more, the last, for opacity
    std::vector<unsigned char> pixels;  ///< (height, width, channels)
    int orientation = 1;                ///< 1 to 8, see exif_orientation

    StoredImage(Index h, Index w, Index c)
        : height(h), width(w), channels(c), pixels(static_cast<std::size_t>(h * w * c)) {}
};

}  // namespace weft::detail
