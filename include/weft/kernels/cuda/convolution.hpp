/// \file
/// Convolution on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/normalizing.hpp"

namespace weft::kernels {

template <class Scalar>
void convolution_forward(Cuda& device, const Convolution& c, TensorView<const Scalar, Cuda> x,
                         TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> b,
                         Activation activation, TensorView<Scalar, Cuda> y);

template <class Scalar>
void convolution_forward_moments(Cuda& device, const Convolution& c,
                                 TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> w,
                                 TensorView<const Scalar, Cuda> b, Activation activation,
                                 const Normalizing<Scalar>& norm, TensorView<Scalar, Cuda> y);

template <class Scalar>
void convolution_input_gradient(Cuda& device, const Convolution& c,
                                TensorView<const Scalar, Cuda> g, TensorView<const Scalar, Cuda> w,
                                TensorView<Scalar, Cuda> dx);

template <class Scalar>
void convolution_filter_gradient(Cuda& device, const Convolution& c,
                                 TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> g,
                                 TensorView<Scalar, Cuda> dw, TensorView<Scalar, Cuda> db);

template <class Scalar>
void convolution_backward_through(Cuda& device, const Before& before, const Convolution& c,
                                  TensorView<const Scalar, Cuda> x,
                                  TensorView<const Scalar, Cuda> w,
                                  TensorView<const Scalar, Cuda> g, TensorView<Scalar, Cuda> dw,
                                  TensorView<Scalar, Cuda> db, TensorView<Scalar, Cuda> dx);

}  // namespace weft::kernels
