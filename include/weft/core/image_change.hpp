/// \file
/// ImageChange: what an augmentation does to one image, once its random numbers are drawn.
#pragma once

#include "weft/core/shape.hpp"

#include <cstdint>

namespace weft {

/// The value of an image between its pixels.
enum class Interpolation : std::int32_t {
    nearest,   ///< the pixel whose centre is nearest
    bilinear,  ///< the mean of the four around, each weighted by how near it is
};

/// The pixels beyond the edges of a row  a b c d.
enum class FillMode : std::int32_t {
    constant,  ///< k k k k | a b c d | k k k k  with the fill value k
    nearest,   ///< a a a a | a b c d | d d d d
    reflect,   ///< d c b a | a b c d | d c b a
    wrap,      ///< a b c d | a b c d | a b c d
};

/// Maps a pixel (y', x') of the new image to its place in the old one, both relative to the centre,
/// y downwards:   y = yy y' + yx x' + dy,   x = xy y' + xx x' + dx
struct ImageMap {
    double yy = 1, yx = 0, dy = 0;
    double xy = 0, xx = 1, dx = 0;
};

/// A change of an image (H, W, C), in numbers that any device can read.
struct ImageChange {
    enum class Kind : std::int32_t {
        none,
        flip,   ///< mirrored, up and down or left and right
        map,    ///< moved, turned, stretched
        fill,   ///< a rectangle = value
        shift,  ///< x = min(max(x + value (high - low), low), high)
    };

    Kind kind = Kind::none;
    Interpolation interpolation = Interpolation::nearest;  ///< of a map
    FillMode fill_mode = FillMode::constant;
    bool flips_rows = false, flips_columns = false;
    std::int32_t top = 0, left = 0, rows = 0, columns = 0;  ///< the rectangle
    ImageMap map = {};
    double value = 0;
    double low = 0, high = 0;
};

namespace detail {

/// The pixel, of the n of an axis, that stands for pixel i inside or outside; -1: the fill value.
constexpr Index filled_index(Index i, Index n, FillMode mode) {
    if (i >= 0 && i < n) return i;
    const auto modulo = [](Index a, Index b) { return (a % b + b) % b; };
    switch (mode) {
        case FillMode::constant:
            break;
        case FillMode::nearest:
            return i < 0 ? 0 : n - 1;
        case FillMode::reflect: {
            const Index k = modulo(i, 2 * n);
            return k < n ? k : 2 * n - 1 - k;
        }
        case FillMode::wrap:
            return modulo(i, n);
    }
    return -1;
}

}  // namespace detail

}  // namespace weft
