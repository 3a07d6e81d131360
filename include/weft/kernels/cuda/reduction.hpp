/// \file
/// Sums over tensors on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

template <class Scalar>
void column_sums(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> sums);

template <class Scalar>
bool all_finite(Cuda& device, TensorView<const Scalar, Cuda> x);

}  // namespace weft::kernels
