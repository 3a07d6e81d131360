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
    Scalar* const before = thread_scratch<Scalar>(static_cast<std::size_t>(image.size()));
    std::ranges::copy(image, before);

    const Index height = image.shape()[0], width = image.shape()[1], channels = image.shape()[2];
    const auto fill_value = static_cast<Scalar>(sampling.fill_value);
    const double center_y = static_cast<double>(height - 1) / 2;
    const double center_x = static_cast<double>(width - 1) / 2;
    // A pixel and its weight, for each channel.
    const auto add = [&](Scalar* to, Index h, Index w, Scalar weight) {
        h = filled_index(h, height, sampling.fill_mode);
        w = filled_index(w, width, sampling.fill_mode);
        const Scalar* from = h < 0 || w < 0 ? nullptr : before + (h * width + w) * channels;
        for (Index c = 0; c < channels; ++c) {
            to[c] += weight * (from == nullptr ? fill_value : from[c]);
        }
    };
    Scalar* to = image.data();
    for (Index h = 0; h < height; ++h) {
        for (Index w = 0; w < width; ++w, to += channels) {
            const double down = static_cast<double>(h) - center_y;
            const double right = static_cast<double>(w) - center_x;
            const double y = map.yy * down + map.yx * right + map.dy + center_y;
            const double x = map.xy * down + map.xx * right + map.dx + center_x;
            std::fill_n(to, channels, Scalar{0});
            if (sampling.interpolation == Interpolation::nearest) {
                add(to, static_cast<Index>(std::floor(y + 0.5)),
                    static_cast<Index>(std::floor(x + 0.5)), 1);
                continue;
            }
            const double top = std::floor(y), left = std::floor(x);
            const auto lower = static_cast<Scalar>(y - top),
                       righter = static_cast<Scalar>(x - left);
            const auto i = static_cast<Index>(top), j = static_cast<Index>(left);
            add(to, i, j, (1 - lower) * (1 - righter));
            add(to, i, j + 1, (1 - lower) * righter);
            add(to, i + 1, j, lower * (1 - righter));
            add(to, i + 1, j + 1, lower * righter);
        }
    }
}

}  // namespace weft::detail
