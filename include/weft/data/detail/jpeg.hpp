/// \file
/// Reads JPEG files through TurboJPEG, libjpeg-turbo's own interface.
#pragma once

#include "weft/data/detail/exif.hpp"
#include "weft/data/detail/image_file.hpp"

#include <turbojpeg.h>

#include <memory>

namespace weft::detail {

/// Whether the bytes start as every JPEG file does.
WEFT_COLD inline bool is_jpeg(std::span<const unsigned char> bytes) {
    return bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

/// Sets the JFIF revision to 1; some cameras write others. No pixel depends on it, but the decoder
/// warns, which would count as damage.
WEFT_COLD inline void set_jfif_revision(std::span<unsigned char> jpeg) {
    constexpr std::string_view name("JFIF\0", 5);
    constexpr std::size_t at = 6, revision = at + name.size();  // after SOI, APP0 and its size
    if (jpeg.size() > revision && jpeg[3] == 0xE0 &&
        std::equal(name.begin(), name.end(), jpeg.begin() + at)) {
        jpeg[revision] = 1;
    }
}

/// Converts CMYK to RGB. As Adobe's programs do, all others store inverted values: 255 is no ink.
inline void cmyk_to_rgb(std::vector<unsigned char>& pixels) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < pixels.size(); i += 4) {
        for (std::size_t c = 0; c < 3; ++c) {
            pixels[to++] = static_cast<unsigned char>((pixels[i + c] * pixels[i + 3] + 127) / 255);
        }
    }
    pixels.resize(to);
}

/// The picture in a JPEG file: grey if the file holds only that, or if `grey` asks for it. Warnings
/// of the decoder, such as truncated data, are errors too.
WEFT_COLD inline StoredImage read_jpeg(ImageFile& file, bool grey) {
    set_jfif_revision(file.bytes());
    struct Destroy {
        void operator()(void* decoder) const { tjDestroy(decoder); }
    };
    const std::unique_ptr<void, Destroy> decoder(tjInitDecompress());
    const auto fail = [&] {
        file.fail(concat("is damaged: ", std::string_view(tjGetErrorStr2(decoder.get()))));
    };
    const unsigned char* const bytes = file.bytes().data();
    const unsigned long size_bytes = file.bytes().size();

    int width = -1, height = -1, sampling = -1, space = -1;
    tjDecompressHeader3(decoder.get(), bytes, size_bytes, &width, &height, &sampling, &space);
    // Before version 3, TurboJPEG reports an error for chroma sampling without a name, but can
    // decode it.
    if (width < 1 || height < 1 || space < 0) fail();
    file.require_size(height, width, most_jpeg_pixels_per_byte, 8);

    const bool is_cmyk = space == TJCS_CMYK || space == TJCS_YCCK;
    int format = is_cmyk ? TJPF_CMYK : TJPF_RGB;
    if (!is_cmyk && (grey || space == TJCS_GRAY)) format = TJPF_GRAY;
    StoredImage image(height, width, tjPixelSize[format]);
    if (tjDecompress2(decoder.get(), bytes, size_bytes, image.pixels.data(), width, 0, height,
                      format, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS) != 0) {
        fail();
    }
    if (is_cmyk) {
        cmyk_to_rgb(image.pixels);
        image.channels = 3;
    }
    image.orientation = exif_orientation(jpeg_exif(file.bytes()));
    return image;
}

}  // namespace weft::detail
