/// \file
/// Activations on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/activation.hpp"

namespace weft::kernels {

template <class Scalar>
void activation_forward(Cuda& device, Activation activation, TensorView<const Scalar, Cuda> x,
                        TensorView<Scalar, Cuda> y);

template <class Scalar>
void activation_backward(Cuda& device, Activation activation, TensorView<const Scalar, Cuda> y,
                         TensorView<const Scalar, Cuda> dy, TensorView<Scalar, Cuda> dx);

template <class Scalar>
void activation_backward_from_input(Cuda& device, Activation activation,
                                    TensorView<const Scalar, Cuda> x,
                                    TensorView<const Scalar, Cuda> dy, TensorView<Scalar, Cuda> dx);

template <class Scalar>
void scale_and_offset(Cuda& device, TensorView<const Scalar, Cuda> x, Scalar scale, Scalar offset,
                      TensorView<Scalar, Cuda> y);

}  // namespace weft::kernels
