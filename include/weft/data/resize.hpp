/// \file
/// Pictures of bytes: resized, inverted.
#pragma once

#include "weft/core/tensor.hpp"
#include "weft/data/interpolation.hpp"

#include <cmath>
#include <cstdint>

namespace weft {

/// The image (H, W, C) with another height and width. With pixel centres at half coordinates, the
/// centre of pixel (h, w) of the result lies in the image at
///   ((h + 1/2) H / height - 1/2,  (w + 1/2) W / width - 1/2),
/// and the result there is the nearest pixel, or the mean of the four around, rounded; the image's
/// edge goes on beyond it. What lies between those pixels is not looked at, so that much smaller
/// pictures of fine patterns come out grainy.
/// Throws ShapeError unless the image is (H, W, C) with at least one pixel, ArgumentError for a
/// height or width below 1.
inline Tensor<std::uint8_t> resized(TensorView<const std::uint8_t> image, Index height, Index width,
                                    Interpolation interpolation = Interpolation::bilinear);

/// y = 255 - x: dark on light as light on dark.
inline Tensor<std::uint8_t> inverted(TensorView<const std::uint8_t> image) {
    Tensor<std::uint8_t> y(image.shape());
    for (Index i = 0; i < image.size(); ++i) y[i] = static_cast<std::uint8_t>(255 - image[i]);
    return y;
}

namespace detail {

/// The two neighbours of a coordinate on an axis of n pixels, and the weight of the second.
struct Neighbours {
    Index first, second;
    double weight;

    Neighbours(Index i, Index to, Index from, Interpolation interpolation) {
        const double x =
            (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) -
            0.5;
        // Half way between two pixels the second is the nearest, as i * from / to is rounded down.
        const bool nearest = interpolation == Interpolation::nearest;
        const double below = std::floor(nearest ? x + 0.5 : x);
        weight = nearest ? 0 : x - below;
        const auto k = static_cast<Index>(below);
        first = filled_index(k, from, FillMode::nearest);
        second = filled_index(k + 1, from, FillMode::nearest);
    }
};

}  // namespace detail

inline Tensor<std::uint8_t> resized(TensorView<const std::uint8_t> image, Index height, Index width,
                                    Interpolation interpolation) {
    if (image.shape().rank() != 3 || image.size() == 0) {
        throw ShapeError(
            concat("resized: image has shape ", image.shape(), ", expected (H, W, C)"));
    }
    for (const Index extent : {height, width}) {
        detail::require_option(extent >= 1, "resized", "an extent", static_cast<double>(extent),
                               "at least 1");
    }
    const Index channels = image.shape()[2];
    Tensor<std::uint8_t> result({height, width, channels});
    for (Index h = 0; h < height; ++h) {
        const detail::Neighbours row(h, height, image.shape()[0], interpolation);
        for (Index w = 0; w < width; ++w) {
            const detail::Neighbours column(w, width, image.shape()[1], interpolation);
            for (Index c = 0; c < channels; ++c) {
                const auto mean_in_row = [&](Index r) {
                    const double left = image(r, column.first, c);
                    return left + column.weight * (image(r, column.second, c) - left);
                };
                const double top = mean_in_row(row.first), bottom = mean_in_row(row.second);
                result(h, w, c) =
                    static_cast<std::uint8_t>(std::floor(top + row.weight * (bottom - top) + 0.5));
            }
        }
    }
    return result;
}

}  // namespace weft
