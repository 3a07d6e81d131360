/// \file
/// ChangedImages: the changes of a dataset's images for training.
#pragma once

#include "weft/core/image_change.hpp"

#include <cstdint>
#include <span>

namespace weft {

/// Together with a sample's index, this alone decides how the sample is changed for training.
struct TrainingEpoch {
    std::uint64_t seed = 0;    ///< of the random changes
    std::uint32_t number = 0;  ///< counted by the trainer over all of its fits, from 0
};

/// The changes of a dataset's images for training, described in numbers. The images that gather()
/// writes never change.
template <class Scalar>
class ChangedImages {
public:
    virtual Shape image_shape() const = 0;        ///< (H, W, C)
    virtual Index changes_per_image() const = 0;  ///< applied one after another

    /// Writes the changes of the images with the given indices, image by image.
    virtual void write_changes(std::span<const Index> samples, TrainingEpoch epoch,
                               ImageChange* changes) const = 0;

protected:
    ~ChangedImages() = default;
};

}  // namespace weft
