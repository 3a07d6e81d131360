/// \file
/// Batch normalisation on the CPU, forward and backward.
#pragma once

#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/cpu/reduction.hpp"

#include <cmath>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// mean_c and variance_c (biased: divided by R) of the columns of x (R, C).
template <class Scalar>
void column_moments(Cpu& cpu, Index rows, Index columns, const Scalar* x, Scalar* mean,
                    Scalar* variance) {
    const Scalar share = Scalar(1) / static_cast<Scalar>(rows);
    column_sums(cpu, rows, columns, x, mean);
    for (Index c = 0; c < columns; ++c) mean[c] *= share;
    detail::sum_over_rows(cpu, rows, columns, variance, [&](Index row, Scalar* total) {
        const Scalar* const x_row = x + row * columns;
        for (Index c = 0; c < columns; ++c) {
            const Scalar difference = x_row[c] - mean[c];
            total[c] += difference * difference;
        }
    });
    for (Index c = 0; c < columns; ++c) variance[c] *= share;
}

/// y_rc = gamma_c (x_rc - mean_c) inverse_deviation_c + beta_c. gamma and beta may be null, for 1
/// and 0.   x, y (R, C), the others (C)
template <class Scalar>
void batch_norm_apply(Cpu& cpu, Index rows, Index columns, const Scalar* x, const Scalar* mean,
                      const Scalar* inverse_deviation, const Scalar* gamma, const Scalar* beta,
                      Scalar* y) {
    parallel_ranges(cpu, rows, detail::row_grain(columns), [&](Index begin, Index end) {
        for (Index i = begin * columns; i < end * columns; i += columns) {
            for (Index c = 0; c < columns; ++c) {
                const Scalar scale = gamma == nullptr ? Scalar(1) : gamma[c];
                const Scalar shift = beta == nullptr ? Scalar(0) : beta[c];
                y[i + c] = (x[i + c] - mean[c]) * inverse_deviation[c] * scale + shift;
            }
        }
    });
}

/// The gradients of batch normalisation by the batch's own moments, with n = (x - mean) /
/// deviation:
///   dgamma_c = sum_r dy n,   dbeta_c = sum_r dy,
///   dx = gamma / deviation (dy - dbeta / R - n dgamma / R).
/// gamma may be null, for 1; dx may be null. dgamma and dbeta are always written.
template <class Scalar>
void batch_norm_backward(Cpu& cpu, Index rows, Index columns, const Scalar* x, const Scalar* mean,
                         const Scalar* inverse_deviation, const Scalar* gamma, const Scalar* dy,
                         Scalar* dgamma, Scalar* dbeta, Scalar* dx) {
    column_sums(cpu, rows, columns, dy, dbeta);
    detail::sum_over_rows(cpu, rows, columns, dgamma, [&](Index row, Scalar* total) {
        const Index i = row * columns;
        for (Index c = 0; c < columns; ++c) {
            total[c] += dy[i + c] * (x[i + c] - mean[c]) * inverse_deviation[c];
        }
    });
    if (dx == nullptr) return;
    const Scalar share = Scalar(1) / static_cast<Scalar>(rows);
    parallel_ranges(cpu, rows, detail::row_grain(columns), [&](Index begin, Index end) {
        for (Index i = begin * columns; i < end * columns; i += columns) {
            for (Index c = 0; c < columns; ++c) {
                const Scalar scale = gamma == nullptr ? Scalar(1) : gamma[c];
                const Scalar n = (x[i + c] - mean[c]) * inverse_deviation[c];
                dx[i + c] =
                    scale * inverse_deviation[c] * (dy[i + c] - share * (dbeta[c] + n * dgamma[c]));
            }
        }
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
