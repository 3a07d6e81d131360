/// \file
/// resized and inverted: changes of images of bytes.
#pragma once

#include "weft/core/image_change.hpp"
#include "weft/core/tensor.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

namespace weft {

/// How resize computes a pixel.
struct ResizeOptions {
    Interpolation interpolation = Interpolation::bilinear;  ///< between pixels
    bool antialias = false;  ///< along an axis that shrinks, all pixels count
};

/// The image (H, W, C) resized to (height, width, C). Pixel centres are at half coordinates: the
/// centre of pixel (h, w) of the result lies in the image at
///   ((h + 1/2) H / height - 1/2,  (w + 1/2) W / width - 1/2),
/// and the result is the nearest pixel there, or the weighted mean of the four around, rounded.
/// Beyond the edge, edge pixels repeat. When an image shrinks much, pixels are skipped: fine
/// patterns become grainy and thin lines are lost.
///
/// With antialias, along an axis that shrinks by s = H / height, the result is the weighted mean of
/// the pixels k around the centre x, with weights in proportion to
///   nearest   the part of pixel k within x - s/2 ... x + s/2: what the new pixel covers,
///   bilinear  max(0, 1 - |k - x| / s), a triangle of twice that width, smoother;
/// Pixels beyond the edge have no weight. Other axes are not affected.
/// Throws ShapeError unless the image is (H, W, C) with at least one pixel, ArgumentError for a
/// height or width below 1.
inline Tensor<std::uint8_t> resized(TensorView<const std::uint8_t> image, Index height, Index width,
                                    const ResizeOptions& options = {});

inline Tensor<std::uint8_t> resized(TensorView<const std::uint8_t> image, Index height, Index width,
                                    Interpolation interpolation) {
    return resized(image, height, width, ResizeOptions{interpolation});
}

/// y = 255 - x: turns dark on light to light on dark.
inline Tensor<std::uint8_t> inverted(TensorView<const std::uint8_t> image) {
    Tensor<std::uint8_t> y(image.shape());
    for (Index i = 0; i < image.size(); ++i) y[i] = static_cast<std::uint8_t>(255 - image[i]);
    return y;
}

namespace detail {

/// The pixels first, first + 1, ... of an axis whose weighted mean is a new pixel.
struct Taps {
    Index first;
    std::vector<double> weights;  ///< sum to 1

    /// For pixel i of a new axis of extent `to`, from an old one of extent `from`.
    Taps(Index i, Index to, Index from, const ResizeOptions& options) {
        const double scale = static_cast<double>(from) / static_cast<double>(to);
        const double x = (static_cast<double>(i) + 0.5) * scale - 0.5;
        const bool nearest = options.interpolation == Interpolation::nearest;
        if (options.antialias && scale > 1) {
            average(x, scale, from, nearest);
        } else if (nearest) {
            // Half way between two pixels take the second: i * from / to, rounded down.
            first = std::clamp<Index>(static_cast<Index>(std::floor(x + 0.5)), 0, from - 1);
            weights = {1};
        } else {
            const double inside = std::clamp<double>(x, 0, static_cast<double>(from - 1));
            first = (std::min)(static_cast<Index>(inside), (std::max<Index>)(from - 2, 0));
            const double second = inside - static_cast<double>(first);
            weights = {1 - second};
            if (second > 0) weights.push_back(second);
        }
    }

private:
    void average(double x, double scale, Index from, bool nearest) {
        const double reach = nearest ? scale / 2 + 0.5 : scale;  // weights are 0 from here on
        first = (std::max<Index>)(static_cast<Index>(std::floor(x - reach)) + 1, 0);
        const Index end = (std::min<Index>)(static_cast<Index>(std::ceil(x + reach)), from);
        double sum = 0;
        for (Index k = first; k < end; ++k) {
            const double distance = std::abs(static_cast<double>(k) - x);
            const double weight = nearest ? (std::min)(reach - distance, 1.0) : scale - distance;
            weights.push_back(weight);
            sum += weight;
        }
        for (double& weight : weights) weight /= sum;
    }
};

}  // namespace detail

inline Tensor<std::uint8_t> resized(TensorView<const std::uint8_t> image, Index height, Index width,
                                    const ResizeOptions& options) {
    if (image.shape().rank() != 3 || image.size() == 0) {
        throw ShapeError(
            concat("resized: image has shape ", image.shape(), ", expected (H, W, C)"));
    }
    for (const Index extent : {height, width}) {
        detail::require_option(extent >= 1, "resized", "an extent", static_cast<double>(extent),
                               "at least 1");
    }
    const Index channels = image.shape()[2], row_size = image.shape()[1] * channels;
    std::vector<detail::Taps> columns;
    for (Index w = 0; w < width; ++w) columns.emplace_back(w, width, image.shape()[1], options);
    std::vector<double> row(static_cast<std::size_t>(row_size));  // (W, C), a mean of rows
    Tensor<std::uint8_t> result({height, width, channels});
    std::uint8_t* y = result.data();
    for (Index h = 0; h < height; ++h) {
        const detail::Taps rows(h, height, image.shape()[0], options);
        std::ranges::fill(row, 0);
        const std::uint8_t* x = image.data() + rows.first * row_size;
        for (const double weight : rows.weights) {
            for (double& mean : row) mean += weight * *x++;
        }
        for (const detail::Taps& column : columns) {
            for (Index c = 0; c < channels; ++c) {
                const double* in_row = row.data() + column.first * channels + c;
                double mean = 0;
                for (const double weight : column.weights) {
                    mean += weight * *in_row;
                    in_row += channels;
                }
                // Halves are rounded up, also if the last bits of the sum, which differ between
                // builds, are below.
                *y++ = static_cast<std::uint8_t>(std::floor(mean + 0.5 + 1e-9));
            }
        }
    }
    return result;
}

}  // namespace weft
