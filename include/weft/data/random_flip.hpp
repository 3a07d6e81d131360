/// \file
/// RandomFlip: mirrored images.
#pragma once

#include "weft/data/augmentation.hpp"

namespace weft {

enum class FlipMode {
    horizontal,  ///< left and right are swapped
    vertical,    ///< top and bottom are swapped
    horizontal_and_vertical,
};

/// Mirrors the image in each direction of `mode` with probability 1/2.
struct RandomFlip {
    FlipMode mode = FlipMode::horizontal_and_vertical;  ///< along which axes

    ImageChange change(const Shape&, const AugmentationRandom& random) const {
        return {.kind = ImageChange::Kind::flip,
                .flips_rows = mode != FlipMode::horizontal && random.bernoulli(1, 0.5),
                .flips_columns = mode != FlipMode::vertical && random.bernoulli(0, 0.5)};
    }
};

}  // namespace weft
