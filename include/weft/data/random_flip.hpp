/// \file
/// RandomFlip: mirrored pictures.
#pragma once

#include "weft/data/augmentation.hpp"

namespace weft {

enum class FlipMode {
    horizontal,  ///< left and right change places
    vertical,    ///< top and bottom change places
    horizontal_and_vertical,
};

/// Mirrors an image, each way that the mode names with probability 1/2.
struct RandomFlip {
    FlipMode mode = FlipMode::horizontal_and_vertical;

    ImageChange change(const Shape&, const AugmentationRandom& random) const {
        return {.kind = ImageChange::Kind::flip,
                .flips_rows = mode != FlipMode::horizontal && random.bernoulli(1, 0.5),
                .flips_columns = mode != FlipMode::vertical && random.bernoulli(0, 0.5)};
    }
};

}  // namespace weft
