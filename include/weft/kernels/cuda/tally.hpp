/// \file
/// What is added to a tally on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/tally.hpp"

namespace weft::kernels {

template <class Scalar>
void check_finite(Cuda& device, TensorView<const Scalar, Cuda> x, double mark, double* wrong,
                  const double* unless = nullptr);

template <class Scalar>
void add_penalty(Cuda& device, TensorView<const Scalar, Cuda> x, double l1, double l2, bool adds,
                 double* sum);

template <class Scalar>
void add_losses(Cuda& device, TensorView<const Scalar, Cuda> losses, TensorView<double, Cuda> sum,
                double mark, double* wrong);

void score_penalties(Cuda& device, const double* of_parameters, const double* of_outputs, Index n,
                     Index rows, TensorView<double, Cuda> sum, double mark, double* wrong);

void end_batch(Cuda& device, TensorView<double, Cuda> tally);

template <class Scalar>
void undo_if_wrong(Cuda& device, const double* wrong, TensorView<const Scalar, Cuda> before,
                   TensorView<Scalar, Cuda> now);

}  // namespace weft::kernels
