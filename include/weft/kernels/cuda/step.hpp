/// \file
/// Chains of kernels around a model's layers on a GPU, each as one. The contracts are those of
/// kernels/fused.hpp.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/span.hpp"
#include "weft/kernels/step.hpp"

namespace weft::kernels {

template <class Scalar>
void gather_batch(Cuda& device, const StepRow& step, bool takes_row, const std::int32_t* samples,
                  Index n, Span<const GatheredColumns<Scalar>> batch, double mark, double* wrong);

template <class Scalar>
void score_all_penalties(Cuda& device, Span<const Penalty<Scalar>> penalties, double* of_parameters,
                         const double* of_outputs, Index n, Index rows,
                         TensorView<double, Cuda> sum, double mark, double* wrong);

/// With `factor`, gradients are not scaled to the limit on their norm. The factor is written there,
/// for the update to multiply by.
template <class Scalar>
void finish_gradients(Cuda& device, TensorView<Scalar, Cuda> gradients,
                      Span<const Penalty<Scalar>> penalties, const GradientClipping& limits,
                      double mark, TensorView<double, Cuda> tally, double* factor = nullptr);

}  // namespace weft::kernels
