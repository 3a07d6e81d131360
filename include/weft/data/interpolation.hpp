/// \file
/// What a picture is between its pixels and beyond its edges.
#pragma once

#include "weft/core/shape.hpp"

#include <algorithm>

namespace weft {

/// Between pixels.
enum class Interpolation {
    nearest,   ///< the pixel whose centre is nearest
    bilinear,  ///< the mean of the four around, each weighted by how near it is
};

/// Beyond the edges of a row  a b c d.
enum class FillMode {
    constant,  ///< k k k k | a b c d | k k k k  with the fill value k
    nearest,   ///< a a a a | a b c d | d d d d
    reflect,   ///< d c b a | a b c d | d c b a
    wrap,      ///< a b c d | a b c d | a b c d
};

namespace detail {

/// Which of the n pixels of an axis stands for pixel i, which may lie outside; -1 for the fill
/// value.
inline Index filled_index(Index i, Index n, FillMode mode) {
    if (i >= 0 && i < n) return i;
    const auto modulo = [](Index a, Index b) { return (a % b + b) % b; };
    switch (mode) {
        case FillMode::constant:
            break;
        case FillMode::nearest:
            return std::clamp<Index>(i, 0, n - 1);
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
