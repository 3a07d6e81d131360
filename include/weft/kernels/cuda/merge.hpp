/// \file
/// Sums, products and concatenations on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

template <class Scalar>
void add_elements(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> z,
                  TensorView<Scalar, Cuda> y);

template <class Scalar>
void multiply_elements(Cuda& device, TensorView<const Scalar, Cuda> x,
                       TensorView<const Scalar, Cuda> z, TensorView<Scalar, Cuda> y);

template <class Scalar>
void copy_columns(Cuda& device, TensorView<const Scalar, Cuda> x, Index from, Index columns,
                  TensorView<Scalar, Cuda> y, Index to);

template <class Scalar, class X>
void gather_samples(Cuda& device, Index rows, Index columns, const X* x, Index x_row,
                    const std::int32_t* samples, const std::int32_t* first, Scalar* y);

void copy_next_row(Cuda& device, Index row_bytes, const std::byte* rows, std::int32_t* taken,
                   std::byte* row);

}  // namespace weft::kernels
