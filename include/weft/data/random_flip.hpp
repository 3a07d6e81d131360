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

    template <class Scalar>
    void apply(TensorView<Scalar> image, const AugmentationRandom& random) const {
        const Index height = image.shape()[0], width = image.shape()[1],
                    channels = image.shape()[2];
        if (mode != FlipMode::vertical && random.bernoulli(0, 0.5)) {
            for (Index h = 0; h < height; ++h) {
                swap_pixels(&image.data()[h * width * channels], width, channels);
            }
        }
        if (mode != FlipMode::horizontal && random.bernoulli(1, 0.5)) {
            swap_pixels(image.data(), height, width * channels);
        }
    }

private:
    /// Reverses the order of `count` parts of `size` numbers each.
    template <class Scalar>
    static void swap_pixels(Scalar* first, Index count, Index size) {
        Scalar* last = first + (count - 1) * size;
        for (; first < last; first += size, last -= size)
            std::swap_ranges(first, first + size, last);
    }
};

}  // namespace weft
