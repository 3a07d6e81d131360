/// \file
/// RandomBrightness: lighter and darker pictures.
#pragma once

#include "weft/data/augmentation.hpp"

namespace weft {

/// y = min(max(x + f (high - low), low), high)  with f drawn from factor once per image, and low
/// and high the ends of value_range.
struct RandomBrightness {
    FactorRange factor;                  ///< within -1 and 1
    FactorRange value_range = {0, 255};  ///< of the pixels

    ImageChange change(const Shape&, const AugmentationRandom& random) const {
        return {.kind = ImageChange::Kind::shift,
                .value = random.uniform(0, factor),
                .low = value_range.low,
                .high = value_range.high};
    }

    void check() const {
        detail::require_range("RandomBrightness", "factor", factor, -1, 1);
        constexpr auto largest = static_cast<double>((std::numeric_limits<float>::max)());
        detail::require_range("RandomBrightness", "value_range", value_range, -largest, largest);
    }
};

}  // namespace weft
