/// \file
/// Metrics on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

template <class Scalar>
void add_sparse_matches(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                        TensorView<const Scalar, Cuda> labels, TensorView<double, Cuda> sum);

template <class Scalar>
void add_categorical_matches(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                             TensorView<const Scalar, Cuda> targets, TensorView<double, Cuda> sum);

template <class Scalar>
void add_binary_matches(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                        TensorView<const Scalar, Cuda> targets, Scalar threshold,
                        TensorView<double, Cuda> sum);

template <class Scalar>
void add_top_k_matches(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                       TensorView<const Scalar, Cuda> targets, bool one_hot, Index k,
                       TensorView<double, Cuda> sum);

}  // namespace weft::kernels
