/// \file
/// Softmax over the rows of a matrix.
#pragma once

#include "row.cuh"
#include "weft/core/tensor_view.hpp"

#include <cmath>

namespace weft::kernels::cuda {

/// What softmax of a row leaves: p_c = exp(z_c - largest) / total,
/// log p_c = z_c - largest - log_total.
template <class Scalar>
struct SoftmaxOfRow {
    Scalar largest, inverse_total, log_total;
};

/// p_c = exp(z_c - largest), not yet divided by their total. p may be z. first(c, largest - z_c) is
/// called before p_c is written.
template <class Scalar, int threads, class First>
__device__ SoftmaxOfRow<Scalar> exp_of_row(const RowTeam<threads>& team, int columns,
                                           const Scalar* z, Scalar* p, const First& first) {
    const Scalar largest = team.largest(columns, z);
    double total = 0;
    team.each(columns, [&](int c) {
        const Scalar difference = z[c] - largest;
        first(c, -difference);
        p[c] = std::exp(difference);
        total += static_cast<double>(p[c]);
    });
    total = team.sum(total);
    // One term is 1. Of a winner far ahead, the others are what its loss is made of.
    return {largest, static_cast<Scalar>(1) / static_cast<Scalar>(total),
            std::log1p(static_cast<Scalar>(total - 1))};
}

/// Softmax over the last axis, y_c = exp(x_c - max x) / sum_k exp(x_k - max x). y may be x.
template <class Scalar>
void softmax_forward(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y);

/// dx_c = y_c (dy_c - sum_k y_k dy_k) over the last axis. dx may be dy.
template <class Scalar>
void softmax_backward(Cuda& device, TensorView<const Scalar, Cuda> y,
                      TensorView<const Scalar, Cuda> dy, TensorView<Scalar, Cuda> dx);

}  // namespace weft::kernels::cuda
