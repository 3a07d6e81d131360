/// \file
/// read_image and write_png: pictures in PNG and JPEG files. Needs libpng and libjpeg-turbo.
#pragma once

#include "weft/core/atomic_file.hpp"
#include "weft/core/file_name.hpp"
#include "weft/data/detail/jpeg.hpp"
#include "weft/data/detail/png.hpp"

#include <filesystem>
#include <optional>

namespace weft {

/// Red, green and blue, 0 to 255.
struct Color {
    std::uint8_t red;    ///< 0 to 255
    std::uint8_t green;  ///< 0 to 255
    std::uint8_t blue;   ///< 0 to 255
};

inline constexpr Color white_background{255, 255, 255};

/// How read_image converts a picture to an image (H, W, C).
struct ReadImageOptions {
    Index channels = 0;                    ///< 1 grey, 3 red, green and blue, 0 what the file holds
    std::optional<Color> background = {};  ///< behind transparent pixels; none: opacity is ignored
    bool exif_orientation = true;          ///< turn and mirror as the file's EXIF data say
};

/// Reads a PNG or JPEG file as bytes (H, W, channels). 16 bits become 8. Over a background B, a
/// pixel X of opacity a becomes (a X + (255 - a) B) / 255, rounded. Grey is
/// (77 R + 150 G + 29 B) / 256, rounded down; for JPEG it is the decoder's.
/// Throws IoError, which names the file, when it is missing, is not PNG or JPEG, or is damaged. For
/// PNG all checksums are verified; JPEG has none, so errors and warnings of the decoder count. Also
/// throws IoError for more than 256 MiB or 2^26 pixels, for more pixels than the file's bytes can
/// encode, and for more data than pixels. Throws ArgumentError for other channels.
inline Tensor<std::uint8_t> read_image(const std::filesystem::path& path,
                                       const ReadImageOptions& options = {});

inline Tensor<std::uint8_t> read_image(const std::filesystem::path& path, Index channels) {
    return read_image(path, {.channels = channels});
}

/// Writes an image (H, W) or (H, W, C), with C = 1 for grey or 3 for colour, as PNG. Throws
/// ShapeError for other shapes, IoError when the file cannot be written; one of that name is then
/// as it was.
inline void write_png(const std::filesystem::path& path, TensorView<const std::uint8_t> image);

namespace detail {

/// The name, with article, of a known picture format that is not supported; else empty.
WEFT_COLD inline std::string_view other_format(std::span<const unsigned char> bytes) {
    using namespace std::string_view_literals;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto has = [&](std::size_t at, std::string_view name) {
        return text.size() >= at && text.substr(at).starts_with(name);
    };
    if (has(8, "WEBP")) return "a WebP";
    if (has(4, "ftyp")) return "an HEIC or AVIF";
    if (has(0, "GIF8")) return "a GIF";
    if (has(0, "BM")) return "a BMP";
    if (has(0, "II*\0"sv) || has(0, "MM\0*"sv)) return "a TIFF";
    return {};
}

inline int grey_of(Color color) {
    return (77 * color.red + 150 * color.green + 29 * color.blue) / 256;
}

/// The color of a pixel of 1 to 4 channels; 1 and 2 are grey.
inline Color color_of(const unsigned char* pixel, Index channels) {
    return channels < 3 ? Color{pixel[0], pixel[0], pixel[0]} : Color{pixel[0], pixel[1], pixel[2]};
}

/// The color with the given opacity, over a background.
inline Color over(Color color, int opacity, Color background) {
    const auto mix = [&](int x, int below) {
        return static_cast<std::uint8_t>((opacity * x + (255 - opacity) * below + 127) / 255);
    };
    return {mix(color.red, background.red), mix(color.green, background.green),
            mix(color.blue, background.blue)};
}

/// The picture after orientation, background and conversion of channels.
inline Tensor<std::uint8_t> shown(const StoredImage& image, const ReadImageOptions& options) {
    const int orientation = options.exif_orientation ? image.orientation : 1;
    const bool transposed = orientation >= 5;
    const bool rows_flipped =
        orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool columns_flipped =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool has_opacity = image.channels % 2 == 0;
    const Index channels = options.channels != 0 ? options.channels : image.channels < 3 ? 1 : 3;
    Tensor<std::uint8_t> result({transposed ? image.width : image.height,
                                 transposed ? image.height : image.width, channels});
    std::uint8_t* to = result.data();
    for (Index h = 0; h < result.shape()[0]; ++h) {
        for (Index w = 0; w < result.shape()[1]; ++w) {
            Index row = transposed ? w : h, column = transposed ? h : w;
            if (rows_flipped) row = image.height - 1 - row;
            if (columns_flipped) column = image.width - 1 - column;
            const unsigned char* const pixel =
                image.pixels.data() + (row * image.width + column) * image.channels;
            Color color = color_of(pixel, image.channels);
            if (has_opacity && options.background) {
                color = over(color, pixel[image.channels - 1], *options.background);
            }
            if (channels == 3) {
                *to++ = color.red;
                *to++ = color.green;
                *to++ = color.blue;
            } else {
                *to++ = static_cast<std::uint8_t>(grey_of(color));
            }
        }
    }
    return result;
}

}  // namespace detail

inline Tensor<std::uint8_t> read_image(const std::filesystem::path& path,
                                       const ReadImageOptions& options) {
    const Index channels = options.channels;
    if (channels != 0 && channels != 1 && channels != 3) {
        throw ArgumentError(concat("read_image: channels is ", channels, ", expected 0, 1 or 3"));
    }
    detail::ImageFile file(path);
    if (detail::is_png(file.bytes())) {
        return detail::shown(detail::PngReader(file).read(), options);
    }
    if (!detail::is_jpeg(file.bytes())) {
        const std::string_view other = detail::other_format(file.bytes());
        if (other.empty()) file.fail("is not a PNG or JPEG file");
        file.fail(concat("is ", other, " file, expected PNG or JPEG"));
    }
    return detail::shown(detail::read_jpeg(file, channels == 1), options);
}

inline void write_png(const std::filesystem::path& path, TensorView<const std::uint8_t> image) {
    const Shape shape = image.shape();
    const Index channels = shape.rank() == 2 ? 1 : shape.rank() == 3 ? shape[2] : 0;
    if ((channels != 1 && channels != 3) || shape.size() == 0 ||
        shape[0] * shape[1] > detail::most_image_pixels) {
        throw ShapeError(concat("write_png: image has shape ", shape,
                                ", expected (H, W), (H, W, 1) or (H, W, 3)"));
    }
    png_image header{};
    header.version = PNG_IMAGE_VERSION;
    header.height = static_cast<png_uint_32>(shape[0]);
    header.width = static_cast<png_uint_32>(shape[1]);
    header.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
    std::vector<char> bytes(size);
    if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.data(), 0, nullptr) == 0) {
        throw IoError(concat(FileName(path).string(),
                             ": cannot be written: ", std::string_view(header.message)));
    }
    detail::AtomicFile file(path);
    file.write(bytes.data(), size);
    file.commit(false);
}

}  // namespace weft
