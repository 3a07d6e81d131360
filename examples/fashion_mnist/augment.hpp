// Training pictures changed at random, as pictures of clothes may be.
#pragma once

#include <weft/weft.hpp>

/// The examples with training pictures mirrored, shifted by up to two of 28 pixels and, a
/// quarter of them, with a part hidden; made on a thread of their own while the network trains.
/// Shifts are by whole pixels: others would blur what the network is tested on sharp.
inline weft::Examples<float> augment(weft::Examples<float> examples) {
    using namespace weft;
    return prefetched(
        augmented(std::move(examples), {RandomFlip{FlipMode::horizontal},
                                        RandomTranslation{.height_factor = 0.07,
                                                          .width_factor = 0.07,
                                                          .fill_mode = FillMode::constant,
                                                          .interpolation = Interpolation::nearest},
                                        RandomErasing{.factor = 0.25, .scale = {0.02, 0.2}}}));
}
