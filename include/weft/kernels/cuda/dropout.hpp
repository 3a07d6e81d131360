/// \file
/// Dropout on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/random.hpp"
#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

template <class Scalar>
void dropout_forward(Cuda& device, Index count, double rate, const RandomStream& stream,
                     const std::uint32_t* at_step, Index first, const Scalar* x, Scalar* y,
                     std::uint8_t* kept);

template <class Scalar>
void dropout_backward(Cuda& device, Index count, double rate, const std::uint8_t* kept,
                      const Scalar* dy, Scalar* dx);

}  // namespace weft::kernels
