/// \file
/// Datasets of picture files. Needs libpng and libjpeg-turbo.
#pragma once

#include "weft/core/file_name.hpp"
#include "weft/data/examples.hpp"
#include "weft/data/image.hpp"
#include "weft/data/image_files.hpp"
#include "weft/data/resize.hpp"

#include <filesystem>

namespace weft {

/// How picture files become samples (height, width, channels).
struct ImageOptions {
    Index height = 0;    ///< with width: pictures of another size are resized to it
    Index width = 0;     ///< both 0: the size of the first picture, which all others must have
    Index channels = 1;  ///< 1 grey, 3 colour
    Interpolation interpolation = Interpolation::bilinear;  ///< for resizing
    bool antialias = false;                                 ///< for resizing, see ResizeOptions
    std::optional<Color> background = {};                   ///< see ReadImageOptions
    bool exif_orientation = true;                           ///< see ReadImageOptions
};

namespace detail {

/// Reads picture files as samples of one shape.
class ImageReader {
public:
    WEFT_COLD ImageReader(const ImageFiles& files, const ImageOptions& options)
        : options_(options) {
        if (options.channels != 1 && options.channels != 3) {
            throw ArgumentError(
                concat("ImageOptions: channels is ", options.channels, ", expected 1 or 3"));
        }
        if (options.height < 0 || options.width < 0 ||
            (options.height == 0) != (options.width == 0)) {
            throw ArgumentError(concat("ImageOptions: height and width are ", options.height,
                                       " and ", options.width, ", expected both or neither"));
        }
        if (static_cast<Index>(files.paths.size()) != files.labels.size()) {
            throw ShapeError(concat("ImageFiles: ", files.paths.size(), " paths and ",
                                    files.labels.size(), " labels, expected as many"));
        }
        if (files.paths.empty()) throw ArgumentError("ImageFiles: no paths, expected at least 1");
        shape_ = {options.height, options.width, options.channels};
        if (options.height == 0) shape_ = read_file(files.paths[0]).shape();
    }

    const Shape& shape() const { return shape_; }

    WEFT_COLD Tensor<std::uint8_t> read(const std::filesystem::path& path) const {
        Tensor<std::uint8_t> image = read_file(path);
        if (image.shape() == shape_) return image;
        if (options_.height > 0) {
            return resized(image, shape_[0], shape_[1],
                           {options_.interpolation, options_.antialias});
        }
        throw IoError(concat(FileName(path).string(), ": has ", image.shape()[0], " x ",
                             image.shape()[1], " pixels, expected ", shape_[0], " x ", shape_[1],
                             " as the first; ImageOptions can resize"));
    }

private:
    WEFT_COLD Tensor<std::uint8_t> read_file(const std::filesystem::path& path) const {
        return read_image(path, {.channels = options_.channels,
                                 .background = options_.background,
                                 .exif_orientation = options_.exif_orientation});
    }

    ImageOptions options_;
    Shape shape_;  ///< (H, W, C)
};

template <class Scalar>
class ImageDataset final : public Dataset<Scalar> {
public:
    ImageDataset(ImageFiles files, const ImageOptions& options)
        : reader_(files, options), files_(std::move(files)) {}

    Index size() const override { return files_.labels.size(); }
    Shape input_shape() const override { return reader_.shape(); }
    Shape target_shape() const override { return {}; }

    void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        for (const Index i : samples) {
            if (y != nullptr) *y++ = static_cast<Scalar>(files_.labels[i]);
            if (x == nullptr) continue;
            const auto image = reader_.read(files_.paths[static_cast<std::size_t>(i)]);
            x = std::ranges::copy(image, x).out;
        }
    }

private:
    ImageReader reader_;
    ImageFiles files_;
};

}  // namespace detail

/// Pictures (N, height, width, channels) from 0 to 255 with their classes. Each is read from its
/// file when a batch needs it, so the dataset may be larger than memory.
///
///   const ImageFiles files = list_image_folder("flowers");
///   const Examples<float> examples =
///       scaled(stream_images<float>(files, {.height = 64, .width = 64, .channels = 3}), 255);
///
/// Throws ArgumentError for bad options, IoError when the first picture cannot be read. Errors of
/// other pictures are thrown when their batch is read.
template <class Scalar>
Examples<Scalar> stream_images(ImageFiles files, const ImageOptions& options = {}) {
    return {std::make_shared<detail::ImageDataset<Scalar>>(std::move(files), options)};
}

/// The same pictures in memory, as bytes (N, height, width, channels). Throws IoError for a picture
/// that cannot be read, or that has another size when no size was given.
WEFT_COLD inline Tensor<std::uint8_t> read_images(const ImageFiles& files,
                                                  const ImageOptions& options = {}) {
    const detail::ImageReader reader(files, options);
    Tensor<std::uint8_t> images(reader.shape().batch(files.labels.size()));
    for (std::size_t i = 0; i < files.paths.size(); ++i) {
        std::ranges::copy(reader.read(files.paths[i]),
                          images.sample(static_cast<Index>(i)).begin());
    }
    return images;
}

}  // namespace weft
