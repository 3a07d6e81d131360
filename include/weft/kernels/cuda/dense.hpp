/// \file
/// Dense layers on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/dropping.hpp"

namespace weft::kernels {

template <class Scalar>
void dense_forward(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> w,
                   TensorView<const Scalar, Cuda> b, Activation activation,
                   TensorView<Scalar, Cuda> y);

template <class Scalar>
void dense_forward_dropping(Cuda& device, TensorView<const Scalar, Cuda> x,
                            TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> b,
                            Activation activation, const Dropping& dropping,
                            TensorView<Scalar, Cuda> y);

template <class Scalar>
void dense_backward(Cuda& device, TensorView<const Scalar, Cuda> x,
                    TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> dz,
                    TensorView<Scalar, Cuda> dw, TensorView<Scalar, Cuda> db,
                    TensorView<Scalar, Cuda> dx);

template <class Scalar>
void dense_backward_through(Cuda& device, const Before& before, TensorView<const Scalar, Cuda> x,
                            TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> dz,
                            TensorView<Scalar, Cuda> dw, TensorView<Scalar, Cuda> db,
                            TensorView<Scalar, Cuda> dx);

}  // namespace weft::kernels
