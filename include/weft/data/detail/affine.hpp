/// \file
/// Pictures moved, turned and stretched: an affine map of coordinates, and sampling between pixels.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/data/detail/scratch.hpp"
#include "weft/data/interpolation.hpp"

#include <cmath>

namespace weft::detail {

/// Where in the image before a pixel of the image after comes from, both relative to the centre of
/// the image, y downwards:   y = yy y' + yx x' + dy,   x = xy y' + xx x' + dx
struct Affine {
    double yy = 1, yx = 0, dy = 0;
    double xy = 0, xx = 1, dx = 0;
};

/// How to sample.
struct Sampling {
    FillMode fill_mode;
    Interpolation interpolation;
    double fill_value;
};

/// Maps the image (H, W, C) in place.
template <class Scalar>
void transform_image(TensorView<Scalar> image, const Affine& map, const Sampling& sampling) {
    const Index height = image.shape()[0], width = image.shape()[1], channels = image.shape()[2];
    Scalar* const before =
        thread_scratch<Scalar>(static_cast<std::size_t>(image.size() + channels));
    Scalar* const filling = std::copy(image.begin(), image.end(), before);  // a pixel
    std::fill_n(filling, channels, static_cast<Scalar>(sampling.fill_value));
    const auto pixel = [&](Index h, Index w) -> const Scalar* {
        h = filled_index(h, height, sampling.fill_mode);
        w = filled_index(w, width, sampling.fill_mode);
        return h < 0 || w < 0 ? filling : before + (h * width + w) * channels;
    };

    const double center_y = static_cast<double>(height - 1) / 2;
    const double center_x = static_cast<double>(width - 1) / 2;
    const bool nearest = sampling.interpolation == Interpolation::nearest;
    Scalar* to = image.data();
    for (Index h = 0; h < height; ++h) {
        for (Index w = 0; w < width; ++w, to += channels) {
            const double down = static_cast<double>(h) - center_y;
            const double right = static_cast<double>(w) - center_x;
            const double y = map.yy * down + map.yx * right + map.dy + center_y;
            const double x = map.xy * down + map.xx * right + map.dx + center_x;
            if (nearest) {
                const double row = std::floor(y + 0.5), column = std::floor(x + 0.5);
                std::copy_n(pixel(static_cast<Index>(row), static_cast<Index>(column)), channels,
                            to);
                continue;
            }
            const double top = std::floor(y), left = std::floor(x);
            const auto i = static_cast<Index>(top), j = static_cast<Index>(left);
            const auto v = static_cast<Scalar>(y - top), u = static_cast<Scalar>(x - left);
            const Scalar *a = pixel(i, j), *b = pixel(i, j + 1);          // a b
            const Scalar *c = pixel(i + 1, j), *d = pixel(i + 1, j + 1);  // c d
            for (Index k = 0; k < channels; ++k) {
                to[k] = (1 - v) * ((1 - u) * a[k] + u * b[k]) + v * ((1 - u) * c[k] + u * d[k]);
            }
        }
    }
}

}  // namespace weft::detail
