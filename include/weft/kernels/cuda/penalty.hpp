/// \file
/// Penalties, clipping, constraints and weights of rows on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/span.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/step.hpp"

namespace weft::kernels {

template <class Scalar>
void add_penalty_gradient(Cuda& device, TensorView<const Scalar, Cuda> x, double l1, double l2,
                          TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void clip_values(Cuda& device, TensorView<Scalar, Cuda> x, double limit);

template <class Scalar>
void clip_norm(Cuda& device, TensorView<Scalar, Cuda> x, double limit);

template <class Scalar>
void make_non_negative(Cuda& device, TensorView<Scalar, Cuda> w, const double* wrong = nullptr);

template <class Scalar>
void limit_column_norms(Cuda& device, TensorView<Scalar, Cuda> w, double limit,
                        const double* wrong = nullptr);

/// limit_column_norms or make_non_negative of each parameter, as it says: one kernel for up to 16. A
/// parameter with 256 rows or more for each thread of a column has the kernels of
/// limit_column_norms.
template <class Scalar>
void constrain(Cuda& device, Span<const ConstrainedParameter<Scalar>> parameters,
               const double* wrong = nullptr);

template <class Scalar>
void weight_rows(Cuda& device, TensorView<const Scalar, Cuda> weights,
                 TensorView<Scalar, Cuda> losses, TensorView<Scalar, Cuda> gradient);

}  // namespace weft::kernels
