/// \file
/// Changes images in place.
#pragma once

#include "weft/core/image_change.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/data/detail/scratch.hpp"

#include <algorithm>
#include <cmath>

namespace weft::detail {

/// Reverses the order of `count` parts of `size` numbers each.
template <class Scalar>
void reverse_parts(Scalar* first, Index count, Index size) {
    Scalar* last = first + (count - 1) * size;
    for (; first < last; first += size, last -= size) std::swap_ranges(first, first + size, last);
}

/// Sets each pixel from its place in the old image, by the change's map.
template <class Scalar>
void map_image(TensorView<Scalar> image, const ImageChange& change) {
    const ImageMap& map = change.map;
    const Index height = image.shape()[0], width = image.shape()[1], channels = image.shape()[2];
    Scalar* const before =
        thread_scratch<Scalar>(static_cast<std::size_t>(image.size() + channels));
    Scalar* const filling = std::copy(image.begin(), image.end(), before);  // a pixel
    std::fill_n(filling, channels, static_cast<Scalar>(change.value));
    const auto pixel = [&](Index h, Index w) -> const Scalar* {
        h = filled_index(h, height, change.fill_mode);
        w = filled_index(w, width, change.fill_mode);
        return h < 0 || w < 0 ? filling : before + (h * width + w) * channels;
    };

    const double center_y = static_cast<double>(height - 1) / 2;
    const double center_x = static_cast<double>(width - 1) / 2;
    const bool nearest = change.interpolation == Interpolation::nearest;
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

/// Changes the image (H, W, C) in place.
template <class Scalar>
void change_image(TensorView<Scalar> image, const ImageChange& change) {
    const Index height = image.shape()[0], width = image.shape()[1], channels = image.shape()[2];
    const Index top = change.top, first = (std::max<Index>)(change.left, 0);
    const Index end = (std::min)(Index{change.left} + change.columns, width);
    switch (change.kind) {
        case ImageChange::Kind::none:
            break;
        case ImageChange::Kind::flip:
            for (Index h = 0; change.flips_columns && h < height; ++h) {
                reverse_parts(image.data() + h * width * channels, width, channels);
            }
            if (change.flips_rows) reverse_parts(image.data(), height, width * channels);
            break;
        case ImageChange::Kind::map:
            map_image(image, change);
            break;
        case ImageChange::Kind::fill:
            // The part of the rectangle inside the image.
            for (Index h = (std::max)(top, Index{0}); h < (std::min)(top + change.rows, height);
                 ++h) {
                Scalar* const row = image.data() + h * width * channels;
                if (first >= end) break;
                std::fill(row + first * channels, row + end * channels,
                          static_cast<Scalar>(change.value));
            }
            break;
        case ImageChange::Kind::shift: {
            const auto low = static_cast<Scalar>(change.low);
            const auto high = static_cast<Scalar>(change.high);
            const Scalar shift = static_cast<Scalar>(change.value) * (high - low);
            for (Scalar& x : image) x = (std::min)((std::max)(x + shift, low), high);
            break;
        }
    }
}

}  // namespace weft::detail
