/// \file
/// Reads PNG files through libpng.
#pragma once

#include "weft/data/detail/exif.hpp"
#include "weft/data/detail/image_file.hpp"

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

namespace weft::detail {

/// Whether the bytes start as every PNG file does.
WEFT_COLD inline bool is_png(std::span<const unsigned char> bytes) {
    constexpr unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    return bytes.size() >= std::size(signature) &&
           std::ranges::equal(bytes.first(std::size(signature)), signature);
}

/// Reads one file once. A wrong CRC-32 of any chunk is an error, as are a wrong Adler-32 of the
/// pixels and too many or too few of them.
class PngReader {
public:
    WEFT_COLD explicit PngReader(const ImageFile& file)
        : file_(file),
          png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning)),
          info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            file.fail("cannot be read: libpng does not start");
        }
    }
    PngReader(const PngReader&) = delete;
    PngReader& operator=(const PngReader&) = delete;
    ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

    WEFT_COLD StoredImage read() {
        attempt([this] { read_header(); });
        const Index height = png_get_image_height(png_, info_),
                    width = png_get_image_width(png_, info_);
        file_.require_size(height, width, most_png_pixels_per_byte);
        attempt([this] { choose_format(); });
        StoredImage image(height, width, png_get_channels(png_, info_));
        attempt([this, &image] { read_pixels(image); });
        image.orientation = exif_orientation(png_exif(file_.bytes()));
        return image;
    }

private:
    /// Calls steps() and throws IoError if libpng leaves it by longjmp, since exceptions may not
    /// cross C code. Objects constructed within steps() are not destroyed then and have to be
    /// trivial.
    template <class Steps>
    WEFT_COLD void attempt(Steps steps) {
        if (!try_steps(steps)) file_.fail(concat("is damaged: ", std::string_view(message_)));
    }

    template <class Steps>
    WEFT_COLD bool try_steps(Steps& steps) {
        if (setjmp(png_jmpbuf(png_)) != 0) return false;
        steps();
        return true;
    }

    /// Reads up to the pixels.
    WEFT_COLD void read_header() {
        png_set_read_fn(png_, this, on_read);
        png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // require_size has its own
        png_set_crc_action(png_, PNG_CRC_DEFAULT, PNG_CRC_ERROR_QUIT);
        // Checks all chunks but keeps only those of pixels, to save memory.
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        png_read_info(png_, info_);
    }

    /// Asks for 1 to 4 channels of 8 bits, opacity the last.
    WEFT_COLD void choose_format() {
        png_set_expand(png_);
        png_set_strip_16(png_);
        passes_ = png_set_interlace_handling(png_);
        png_read_update_info(png_, info_);
    }

    WEFT_COLD void read_pixels(StoredImage& image) {
        png_set_benign_errors(png_, 0);  // a wrong Adler-32 or trailing data becomes an error
        for (int pass = 0; pass < passes_; ++pass) {
            for (Index h = 0; h < image.height; ++h) {
                png_read_row(png_, image.pixels.data() + h * image.width * image.channels, nullptr);
            }
        }
        png_read_end(png_, info_);
    }

    static void on_read(png_structp png, png_bytep to, std::size_t size) {
        auto& self = *static_cast<PngReader*>(png_get_io_ptr(png));
        const auto bytes = self.file_.bytes();
        if (size > bytes.size() - self.position_) png_error(png, "the file ends too early");
        std::memcpy(to, bytes.data() + self.position_, size);
        self.position_ += size;
    }

    [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
        auto& self = *static_cast<PngReader*>(png_get_error_ptr(png));
        std::snprintf(self.message_, sizeof self.message_, "%s", message);
        png_longjmp(png, 1);
    }

    static void on_warning(png_structp, png_const_charp) {}

    const ImageFile& file_;
    std::size_t position_ = 0;  ///< of the next byte to read
    int passes_ = 1;            ///< over the rows: 7 of an interlaced picture
    char message_[128] = "";    ///< of the last error
    png_structp png_;
    png_infop info_;
};

}  // namespace weft::detail
