/// \file
/// RandomRotation: rotated images.
#pragma once

#include "weft/data/augmentation.hpp"

#include <numbers>

namespace weft {

/// Rotates the image around its centre by a share f of a full turn, counterclockwise if positive.
/// With a = 2 pi f, and h (downwards) and w relative to the centre:
///   y(h, w) = x(h cos a + w sin a, w cos a - h sin a)
struct RandomRotation {
    FactorRange factor;                                     ///< of a full turn, within -1 and 1
    FillMode fill_mode = FillMode::reflect;                 ///< what lies beyond the edge
    Interpolation interpolation = Interpolation::bilinear;  ///< between pixels
    double fill_value = 0;                                  ///< for FillMode::constant

    ImageChange change(const Shape&, const AugmentationRandom& random) const {
        const double angle = 2 * std::numbers::pi * random.uniform(0, factor);
        const double c = std::cos(angle), s = std::sin(angle);
        return {.kind = ImageChange::Kind::map,
                .interpolation = interpolation,
                .fill_mode = fill_mode,
                .map = {.yy = c, .yx = s, .xy = -s, .xx = c},
                .value = fill_value};
    }

    void check() const {
        detail::require_range("RandomRotation", "factor", factor, -1, 1);
        detail::require_fill_value("RandomRotation", fill_value);
    }
};

}  // namespace weft
