/// \file
/// Batch normalisation on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/normalizing.hpp"

namespace weft::kernels {

template <class Scalar>
void batch_norm_forward(Cuda& device, const Normalizing<Scalar>& norm,
                        TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y);

template <class Scalar>
void batch_norm_apply(Cuda& device, const Normalizing<Scalar>& norm,
                      TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y);

template <class Scalar>
void batch_norm_inference(Cuda& device, const Normalizing<Scalar>& norm,
                          TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y);

template <class Scalar>
void batch_norm_backward(Cuda& device, const Normalizing<Scalar>& norm,
                         TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> dy,
                         bool x_is_relu, TensorView<Scalar, Cuda> dx);

}  // namespace weft::kernels
