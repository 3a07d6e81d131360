/// \file
/// Batch normalisation on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

template <class Scalar>
void batch_norm_forward(Cuda& device, Index rows, Index columns, const Scalar* x, Scalar momentum,
                        Scalar epsilon, const Scalar* gamma, const Scalar* beta,
                        Scalar* moving_mean, Scalar* moving_variance, Scalar* mean,
                        Scalar* inverse_deviation, Scalar* y);

template <class Scalar>
void batch_norm_apply(Cuda& device, Index rows, Index columns, const Scalar* x, const Scalar* mean,
                      const Scalar* inverse_deviation, const Scalar* gamma, const Scalar* beta,
                      Scalar* y);

template <class Scalar>
void batch_norm_inference(Cuda& device, Index rows, Index columns, const Scalar* x,
                          const Scalar* mean, const Scalar* variance, Scalar epsilon,
                          const Scalar* gamma, const Scalar* beta, Scalar* y);

template <class Scalar>
void batch_norm_backward(Cuda& device, Index rows, Index columns, const Scalar* x,
                         const Scalar* mean, const Scalar* inverse_deviation, const Scalar* gamma,
                         const Scalar* dy, bool x_is_relu, Scalar* dgamma, Scalar* dbeta,
                         Scalar* dx);

}  // namespace weft::kernels
