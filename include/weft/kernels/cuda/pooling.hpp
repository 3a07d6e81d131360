/// \file
/// Pooling on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/normalizing.hpp"

namespace weft::kernels {

template <class Scalar, class Tap>
void max_pool_forward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> x,
                      TensorView<Scalar, Cuda> y, Tap* taps);

template <class Scalar, class Tap>
void max_pool_backward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> y,
                       TensorView<const Scalar, Cuda> dy, const Tap* taps,
                       TensorView<Scalar, Cuda> dx);

template <class Scalar, class Tap>
void max_pool_forward_dropping(Cuda& device, const Window2D& window, const Dropping& dropping,
                               TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y,
                               Tap* taps);

template <class Scalar, class Tap>
void max_pool_backward_dropping(Cuda& device, const Window2D& window, const Dropping& dropping,
                                TensorView<const Scalar, Cuda> y, TensorView<Scalar, Cuda> dy,
                                const Tap* taps, TensorView<Scalar, Cuda> dx);

/// It chooses by x, for a batch norm is monotone in each channel: the largest x where gamma >= 0, else
/// the smallest, has the largest y, the first of equals and of NaN the last. So y has the same bits.
/// Ties are those of x: of two x whose y are made equal by rounding, or by a gamma of 0, the tap may be
/// another than the CPU's, and the gradient goes there. What it chose it leaves in `chosen`, shaped as
/// y, for the backward pass.
template <class Scalar>
void max_pool_forward_normalizing(Cuda& device, const Window2D& window,
                                  const Normalizing<Scalar>& norm, const Dropping& dropping,
                                  TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y,
                                  std::uint8_t* taps, Scalar* chosen);

template <class Scalar>
void max_pool_backward_normalizing(Cuda& device, const Window2D& window,
                                   const Normalizing<Scalar>& norm, const Dropping& dropping,
                                   bool x_is_relu, TensorView<const Scalar, Cuda> x,
                                   TensorView<Scalar, Cuda> dy, const std::uint8_t* taps,
                                   const Scalar* chosen, TensorView<Scalar, Cuda> dx);

template <class Scalar>
void average_pool_forward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> x,
                          TensorView<Scalar, Cuda> y);

template <class Scalar>
void average_pool_backward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> dy,
                           TensorView<Scalar, Cuda> dx);

}  // namespace weft::kernels
