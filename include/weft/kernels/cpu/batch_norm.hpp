/// \file
/// Batch normalisation on the CPU, forward and backward.
#pragma once

#include "weft/kernels/cpu/reduction.hpp"
#include "weft/kernels/cpu/row_sums.hpp"

#include <cmath>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// mean_c and variance_c (biased: divided by R; 0 without rows) of the columns of x (R, C), in one
/// pass: of blocks of 64 rows, which stay in cache, and then of pairs of blocks, pairs of pairs and
/// so on by
///   M = M_a + M_b + (mean_b - mean_a)^2 n_a n_b / (n_a + n_b),   M = sum (x - mean)^2.
/// With u = eps / 2, the mean is off by at most e = (64 + 4 log2(R / 64)) u max |x|, the variance
/// by (70 + 8 log2(R / 64)) u variance + 4 e deviation + 2 e^2. Source: Chan, Golub and LeVeque
/// 1983, equations 2.1 and section 3.
template <class Scalar>
void column_moments(Cpu& cpu, Index rows, Index columns, const Scalar* x, Scalar* mean,
                    Scalar* variance) {
    using namespace Eigen::internal;
    if (rows == 0) {
        std::fill_n(mean, columns, Scalar(0));
        std::fill_n(variance, columns, Scalar(0));
        return;
    }
    constexpr Index block_rows = detail::rows_to_sum;
    const Index blocks = detail::blocks_of(rows, block_rows);
    auto* const moments = reinterpret_cast<Scalar*>(
        cpu.scratch(static_cast<std::size_t>(2 * blocks * columns) * sizeof(Scalar)));
    parallel_for(cpu, blocks, [&](Index block, int) {
        const Index begin = block * block_rows, end = (std::min)(rows, begin + block_rows);
        const auto share = detail::broadcast(Scalar(1) / static_cast<Scalar>(end - begin));
        Scalar* const block_mean = moments + 2 * block * columns;
        detail::sum_columns<Scalar, 1>(
            begin, end, columns,
            [&](Index i, Index, auto size, auto& sums)
                WEFT_INLINE_LAMBDA { sums[0] = padd(sums[0], detail::load_up_to(x + i, size)); },
            [&](Index c, const auto& sums, auto size) WEFT_INLINE_LAMBDA {
                detail::store_up_to(block_mean + c, pmul(sums[0], share), size);
            });
        detail::sum_columns<Scalar, 1>(
            begin, end, columns,
            [&](Index i, Index c, auto size, auto& sums) WEFT_INLINE_LAMBDA {
                const auto difference = psub(detail::load_up_to(x + i, size),
                                             detail::load_up_to<Scalar>(block_mean + c, size));
                sums[0] = pmadd(difference, difference, sums[0]);
            },
            [&](Index c, const auto& sums, auto size) WEFT_INLINE_LAMBDA {
                detail::store_up_to(block_mean + columns + c, sums[0], size);
            });
    });
    weft::detail::add_in_pairs(blocks, [&](Index to, Index from, Index of_each) {
        const Index before = of_each * block_rows;
        const Index more = (std::min)(before, rows - from * block_rows);
        const auto part = static_cast<Scalar>(more) / static_cast<Scalar>(before + more);
        const auto share = detail::broadcast(part);
        const auto weight = detail::broadcast(static_cast<Scalar>(before) * part);
        Scalar* const sum = moments + 2 * to * columns;
        const Scalar* const added = moments + 2 * from * columns;
        detail::for_each_packet<Scalar>(columns, [=](Index c, auto size) WEFT_INLINE_LAMBDA {
            const auto m = detail::load_up_to<Scalar>(sum + c, size);
            const auto difference = psub(detail::load_up_to(added + c, size), m);
            detail::store_up_to(sum + c, pmadd(difference, share, m), size);
            const auto squares = padd(detail::load_up_to<Scalar>(sum + columns + c, size),
                                      detail::load_up_to(added + columns + c, size));
            detail::store_up_to(sum + columns + c,
                                pmadd(pmul(difference, difference), weight, squares), size);
        });
    });
    std::copy_n(moments, columns, mean);
    for (Index c = 0; c < columns; ++c) {
        variance[c] = moments[columns + c] / static_cast<Scalar>(rows);
    }
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

/// Batch normalisation by the batch's own moments, with
///   moving = momentum moving + (1 - momentum) batch,  for mean and variance;
/// leaves the batch's mean and 1 / sqrt(variance + epsilon) for batch_norm_backward. gamma and beta
/// may be null, for 1 and 0; y may be null, for the moments alone.   x, y (R, C), the others (C)
template <class Scalar>
WEFT_NOINLINE void batch_norm_forward(Cpu& cpu, Index rows, Index columns, const Scalar* x,
                                      Scalar momentum, Scalar epsilon, const Scalar* gamma,
                                      const Scalar* beta, Scalar* moving_mean,
                                      Scalar* moving_variance, Scalar* mean,
                                      Scalar* inverse_deviation, Scalar* y) {
    Scalar* const variance = inverse_deviation;
    column_moments(cpu, rows, columns, x, mean, variance);
    for (Index c = 0; c < columns; ++c) {
        moving_mean[c] = momentum * moving_mean[c] + (1 - momentum) * mean[c];
        moving_variance[c] = momentum * moving_variance[c] + (1 - momentum) * variance[c];
        inverse_deviation[c] = 1 / std::sqrt(variance[c] + epsilon);
    }
    if (y == nullptr) return;
    batch_norm_apply(cpu, rows, columns, x, mean, inverse_deviation, gamma, beta, y);
}

/// Batch normalisation by given moments. Shapes as above.
template <class Scalar>
WEFT_NOINLINE void batch_norm_inference(Cpu& cpu, Index rows, Index columns, const Scalar* x,
                                        const Scalar* mean, const Scalar* variance, Scalar epsilon,
                                        const Scalar* gamma, const Scalar* beta, Scalar* y) {
    auto* const inverse_deviation =
        reinterpret_cast<Scalar*>(cpu.scratch(static_cast<std::size_t>(columns) * sizeof(Scalar)));
    for (Index c = 0; c < columns; ++c) inverse_deviation[c] = 1 / std::sqrt(variance[c] + epsilon);
    batch_norm_apply(cpu, rows, columns, x, mean, inverse_deviation, gamma, beta, y);
}

/// The gradients of batch normalisation by the batch's own moments, with
///   n = (x - mean) / deviation,
///   dgamma_c = sum_r dy n,   dbeta_c = sum_r dy,
///   dx = gamma / deviation (dy - dbeta / R - n dgamma / R).
/// gamma may be null, for 1; dx may be null, or dy. dgamma and dbeta are always written. With
/// x_is_relu, dx is 0 where x is not above 0: the gradient in front of a relu whose output is x.
/// Blocks of 64 rows are summed row by row, the sums in pairs: off by at most
/// (66 + log2(R / 64)) u sum_r |dy n| and the same of |dy|, u = eps / 2.
template <class Scalar>
void batch_norm_backward(Cpu& cpu, Index rows, Index columns, const Scalar* x, const Scalar* mean,
                         const Scalar* inverse_deviation, const Scalar* gamma, const Scalar* dy,
                         bool x_is_relu, Scalar* dgamma, Scalar* dbeta, Scalar* dx) {
    using namespace Eigen::internal;
    constexpr Index block_rows = detail::rows_to_sum;
    const Index blocks = detail::blocks_of(rows, block_rows);
    auto* const sums = reinterpret_cast<Scalar*>(
        cpu.scratch(static_cast<std::size_t>((2 * blocks + 3) * columns) * sizeof(Scalar)));
    // sum dy and sum dy (x - mean), block by block of rows.
    parallel_for(cpu, blocks, [&](Index block, int) {
        const Index begin = block * block_rows, end = (std::min)(rows, begin + block_rows);
        Scalar* const of_block = sums + 2 * block * columns;
        detail::sum_columns<Scalar, 2>(
            begin, end, columns,
            [&](Index i, Index c, auto size, auto& both) WEFT_INLINE_LAMBDA {
                const auto g = detail::load_up_to(dy + i, size);
                const auto difference =
                    psub(detail::load_up_to(x + i, size), detail::load_up_to(mean + c, size));
                both[0] = padd(both[0], g);
                both[1] = pmadd(g, difference, both[1]);
            },
            [&](Index c, const auto& both, auto size) WEFT_INLINE_LAMBDA {
                detail::store_up_to(of_block + c, both[0], size);
                detail::store_up_to(of_block + columns + c, both[1], size);
            });
    });
    if (rows == 0) std::fill_n(sums, 2 * columns, Scalar(0));
    weft::detail::add_in_pairs(blocks, [&](Index to, Index from, Index) {
        Scalar* const sum = sums + 2 * to * columns;
        const Scalar* const added = sums + 2 * from * columns;
        for (Index c = 0; c < 2 * columns; ++c) sum[c] += added[c];
    });
    std::copy_n(sums, columns, dbeta);
    for (Index c = 0; c < columns; ++c) dgamma[c] = sums[columns + c] * inverse_deviation[c];
    if (dx == nullptr) return;
    // dx = a dy + b (x - mean) + d, column by column.
    Scalar *const a = sums, *const b = a + columns, *const d = b + columns;
    const Scalar share = Scalar(1) / static_cast<Scalar>(rows);
    for (Index c = 0; c < columns; ++c) {
        a[c] = (gamma == nullptr ? Scalar(1) : gamma[c]) * inverse_deviation[c];
        b[c] = -a[c] * share * dgamma[c] * inverse_deviation[c];
        d[c] = -a[c] * share * dbeta[c];
    }
    const auto zero = detail::broadcast(Scalar(0));
    parallel_ranges(cpu, rows, detail::row_grain(columns), [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            detail::for_each_packet<Scalar>(columns, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                const Index i = row * columns + c;
                const auto value = detail::load_up_to(x + i, size);
                const auto difference = psub(value, detail::load_up_to(mean + c, size));
                auto result = pmadd(detail::load_up_to<Scalar>(b + c, size), difference,
                                    detail::load_up_to<Scalar>(d + c, size));
                result = pmadd(detail::load_up_to<Scalar>(a + c, size),
                               detail::load_up_to(dy + i, size), result);
                if (x_is_relu) result = pselect(pcmp_lt(zero, value), result, zero);
                detail::store_up_to(dx + i, result, size);
            });
        }
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
