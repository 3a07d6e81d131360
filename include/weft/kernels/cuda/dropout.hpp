/// \file
/// Dropout on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/dropping.hpp"

namespace weft::kernels {

template <class Scalar>
void dropout_forward(Cuda& device, const Dropping& dropping, TensorView<const Scalar, Cuda> x,
                     TensorView<Scalar, Cuda> y);

template <class Scalar>
void dropout_backward(Cuda& device, const Dropping& dropping, TensorView<const Scalar, Cuda> dy,
                      TensorView<Scalar, Cuda> dx);

}  // namespace weft::kernels
