/// \file
/// Augmentation on a GPU.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/image_change.hpp"
#include "weft/core/shape.hpp"

namespace weft::kernels {

/// Changes n images of that shape (H, W, C) in place, x (n, H, W, C). Image i is changed by so many
/// changes one after another, those of entry *first + i of `changes`.
template <class Scalar>
void change_images(Cuda& device, const Shape& image, Index n, Index per_image,
                   const ImageChange* changes, const std::int32_t* first, Scalar* x);

}  // namespace weft::kernels
