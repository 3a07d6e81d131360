/// \file
/// RandomTranslation: shifted images.
#pragma once

#include "weft/data/augmentation.hpp"

namespace weft {

/// Shifts the image by shares f_h of its height and f_w of its width, down and right if positive.
///   y(h, w) = x(h - f_h H, w - f_w W)
struct RandomTranslation {
    FactorRange height_factor = 0;                          ///< within -1 and 1
    FactorRange width_factor = 0;                           ///< within -1 and 1
    FillMode fill_mode = FillMode::reflect;                 ///< what lies beyond the edge
    Interpolation interpolation = Interpolation::bilinear;  ///< between pixels
    double fill_value = 0;                                  ///< for FillMode::constant

    ImageChange change(const Shape& image, const AugmentationRandom& random) const {
        const auto height = static_cast<double>(image[0]), width = static_cast<double>(image[1]);
        return {.kind = ImageChange::Kind::map,
                .interpolation = interpolation,
                .fill_mode = fill_mode,
                .map = {.dy = -random.uniform(0, height_factor) * height,
                        .dx = -random.uniform(1, width_factor) * width},
                .value = fill_value};
    }

    void check() const {
        detail::require_fill_value("RandomTranslation", fill_value);
        detail::require_range("RandomTranslation", "height_factor", height_factor, -1, 1);
        detail::require_range("RandomTranslation", "width_factor", width_factor, -1, 1);
    }
};

}  // namespace weft
