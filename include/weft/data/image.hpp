/// \file
/// Pictures in PNG and JPEG files. Needs stb.
#pragma once

#include "weft/data/detail/stb.hpp"
#include "weft/data/idx.hpp"
#include "weft/data/resize.hpp"

#include <vector>

namespace weft {

/// Reads a PNG or JPEG file as bytes (H, W, channels): 1 for grey, 3 for red, green and blue, 0 for
/// what the file holds. Colour turns grey as (77 R + 150 G + 29 B) / 256, rounded down; 16 bits
/// become 8; transparency and the turn that a camera notes (EXIF) are left out.
/// Throws IoError, which names the file, when it is missing, is neither of these or is damaged;
/// and when it is above 256 MiB or 2^26 pixels, declares more pixels than its bytes can stand for,
/// or unpacks to more than those call for.
/// ArgumentError for other channels.
inline Tensor<std::uint8_t> read_image(const std::filesystem::path& path, Index channels = 0);

/// Writes an image (H, W) or (H, W, C), with C = 1 for grey or 3 for colour, as PNG. Throws
/// ShapeError for other shapes, IoError when the file cannot be written.
inline void write_png(const std::filesystem::path& path, TensorView<const std::uint8_t> image);

namespace detail {

inline constexpr std::uint64_t largest_image_file = std::uint64_t{256} << 20;
inline constexpr Index most_image_pixels = Index{1} << 26;

/// The most pixels that a byte stands for. PNG: deflate makes at most 1032 bytes of one (matches of
/// 258 bytes, in two bits each), each of 8 pixels of one bit. JPEG: each of a byte's bits may be
/// the code of a block of 8 x 8.
inline constexpr Index most_png_pixels_per_byte = 1032 * 8;
inline constexpr Index most_jpeg_pixels_per_byte = 8 * 64;

/// Whether the bytes start as every PNG file does.
WEFT_COLD inline bool is_png(std::span<const unsigned char> bytes) {
    constexpr unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    return bytes.size() >= std::size(signature) &&
           std::ranges::equal(bytes.first(std::size(signature)), signature);
}

/// Whether a Huffman table in JPEG data, or what may be taken for one, declares more than the 256
/// codes that there can be: stb_image before 2.28 does not check.
WEFT_COLD inline bool has_wrong_huffman_table(std::span<const unsigned char> bytes) {
    const auto at = [&](std::size_t i) -> std::size_t { return i < bytes.size() ? bytes[i] : 0; };
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
        if (bytes[i] != 0xFF || bytes[i + 1] != 0xC4) continue;  // marker DHT
        const std::size_t end = i + 2 + 256 * at(i + 2) + at(i + 3);
        for (std::size_t table = i + 4; table < end;) {
            std::size_t codes = 0;
            for (std::size_t length = 1; length <= 16; ++length) codes += at(table + length);
            if (codes > 256) return true;
            table += 17 + codes;
        }
    }
    return false;
}

}  // namespace detail

inline Tensor<std::uint8_t> read_image(const std::filesystem::path& path, Index channels) {
    namespace stb = detail::stb;
    if (channels != 0 && channels != 1 && channels != 3) {
        throw ArgumentError(concat("read_image: channels is ", channels, ", expected 0, 1 or 3"));
    }
    detail::FileBytes file(path);
    const auto fail = [&](std::string_view what) -> void {
        throw IoError(concat(file.name(), ": ", what));
    };
    if (file.size() > detail::largest_image_file) {
        fail(concat("holds ", file.size(), " bytes, expected a picture of at most ",
                    detail::largest_image_file));
    }
    const int size_bytes = static_cast<int>(file.size());
    std::vector<unsigned char> bytes(static_cast<std::size_t>(size_bytes));
    file.read(std::as_writable_bytes(std::span(bytes)));

    // What is no PNG file stb takes for JPEG, also one with fill bytes before its first marker.
    const bool is_png = detail::is_png(bytes);
    if (!is_png && detail::has_wrong_huffman_table(bytes)) fail("is damaged: bad Huffman table");
    stb::largest_allocation = 1 << 20;  // for the state of the decoder
    int width = 0, height = 0, channels_in_file = 0;
    if (stb::stbi_info_from_memory(bytes.data(), size_bytes, &width, &height, &channels_in_file) ==
        0) {
        fail(concat("is no PNG or JPEG file that can be read: ", stb::stbi_failure_reason()));
    }
    if (Index{width} * height > detail::most_image_pixels) {
        fail(concat("has ", height, " x ", width, " pixels, expected at most ",
                    detail::most_image_pixels, " in all"));
    }
    // JPEG codes blocks of 8 x 8, and stb pads to several of them.
    const Index block = is_png ? 1 : 8, padding = is_png ? 0 : 64;
    const auto padded = [&](Index extent) { return (extent + block - 1) / block * block; };
    const Index most_pixels = size_bytes * (is_png ? detail::most_png_pixels_per_byte
                                                   : detail::most_jpeg_pixels_per_byte);
    if (padded(width) * padded(height) > most_pixels) {
        fail(concat("has ", height, " x ", width, " pixels, expected at most ", most_pixels, " in ",
                    size_bytes, " bytes"));
    }
    // A pixel takes at most 8 bytes, and stb doubles what it unpacks to.
    stb::largest_allocation =
        static_cast<std::size_t>(16 * (width + padding) * (height + padding)) + 2 * bytes.size() +
        (1 << 20);
    if (channels == 0) channels = channels_in_file < 3 ? 1 : 3;
    struct Free {
        void operator()(unsigned char* pixels) const { stb::stbi_image_free(pixels); }
    };
    const std::unique_ptr<unsigned char, Free> pixels(stb::stbi_load_from_memory(
        bytes.data(), size_bytes, &width, &height, &channels_in_file, static_cast<int>(channels)));
    if (pixels == nullptr) fail(concat("is damaged: ", stb::stbi_failure_reason()));
    return Tensor<std::uint8_t>(
        TensorView<const std::uint8_t>(pixels.get(), {height, width, channels}));
}

inline void write_png(const std::filesystem::path& path, TensorView<const std::uint8_t> image) {
    const Shape shape = image.shape();
    const Index channels = shape.rank() == 2 ? 1 : shape.rank() == 3 ? shape[2] : 0;
    if ((channels != 1 && channels != 3) || shape.size() == 0 ||
        shape[0] * shape[1] > detail::most_image_pixels) {
        throw ShapeError(concat("write_png: image has shape ", shape,
                                ", expected (H, W), (H, W, 1) or (H, W, 3)"));
    }
    std::ofstream file(path, std::ios::binary);
    const auto write = [](void* to, void* bytes, int size) {
        static_cast<std::ofstream*>(to)->write(static_cast<const char*>(bytes), size);
    };
    const int row_bytes = static_cast<int>(shape[1] * channels);
    const int written = detail::stb::stbi_write_png_to_func(
        write, &file, static_cast<int>(shape[1]), static_cast<int>(shape[0]),
        static_cast<int>(channels), image.data(), row_bytes);
    file.close();
    if (written == 0 || !file) throw IoError(concat(path.string(), ": cannot be written"));
}

}  // namespace weft
