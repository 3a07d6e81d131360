/// \file
/// RandomZoom: images zoomed in and out.
#pragma once

#include "weft/data/augmentation.hpp"

#include <optional>

namespace weft {

/// Zooms around the centre: the visible part grows by shares f_h of its height and f_w of its
/// width, so positive factors zoom out and negative ones in. With h, w relative to the centre:
///   y(h, w) = x((1 + f_h) h, (1 + f_w) w)
struct RandomZoom {
    FactorRange height_factor;                     ///< within -0.99 and 10
    std::optional<FactorRange> width_factor = {};  ///< none: that of the height, no distortion
    FillMode fill_mode = FillMode::reflect;        ///< what lies beyond the edge
    Interpolation interpolation = Interpolation::bilinear;  ///< between pixels
    double fill_value = 0;                                  ///< for FillMode::constant

    ImageChange change(const Shape&, const AugmentationRandom& random) const {
        const double height = 1 + random.uniform(0, height_factor);
        const double width = width_factor ? 1 + random.uniform(1, *width_factor) : height;
        return {.kind = ImageChange::Kind::map,
                .interpolation = interpolation,
                .fill_mode = fill_mode,
                .map = {.yy = height, .xx = width},
                .value = fill_value};
    }

    void check() const {
        detail::require_fill_value("RandomZoom", fill_value);
        detail::require_range("RandomZoom", "height_factor", height_factor, -0.99, 10);
        if (width_factor)
            detail::require_range("RandomZoom", "width_factor", *width_factor, -0.99, 10);
    }
};

}  // namespace weft
