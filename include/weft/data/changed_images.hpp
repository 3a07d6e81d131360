/// \file
/// ChangedImages: how images are changed to be trained on.
#pragma once

#include "weft/core/image_change.hpp"

#include <cstdint>
#include <span>

namespace weft {

/// What decides how a sample is changed for training: with the sample's index, all of it.
struct TrainingEpoch {
    std::uint64_t seed = 0;
    std::uint32_t number = 0;  ///< counted by the trainer over all of its fits, from 0
};

/// How the images of a dataset are changed to be trained on, in numbers. The images themselves,
/// which gather() gives, never change.
template <class Scalar>
class ChangedImages {
public:
    virtual Shape image_shape() const = 0;        ///< (H, W, C)
    virtual Index changes_per_image() const = 0;  ///< which are done one after another

    /// Writes those of the images of those indices, image by image.
    virtual void write_changes(std::span<const Index> samples, TrainingEpoch epoch,
                               ImageChange* changes) const = 0;

protected:
    ~ChangedImages() = default;
};

}  // namespace weft
