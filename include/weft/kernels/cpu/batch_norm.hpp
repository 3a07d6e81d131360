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
    if (rows == 0) {
        std::fill_n(mean, columns, Scalar(0));
        std::fill_n(variance, columns, Scalar(0));
        return;
    }
    constexpr Index block_rows = detail::rows_to_sum;
    const Index blocks = detail::blocks_of(rows, block_rows);
    const auto scratch = cpu.scratch<Scalar>(2 * blocks * columns);
    Scalar* const moments = scratch.data();
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

namespace detail {

/// The batch norm of a packet of channels from c on:  y = (x - mean) inverse_deviation gamma + beta.
/// gamma and beta may be null, for 1 and 0.
template <class Scalar>
struct PacketNorm {
    EIGEN_ALWAYS_INLINE PacketNorm(const Scalar* means, const Scalar* inverses, const Scalar* gamma,
                                   const Scalar* beta, Index c, Index size)
        : mean(load_up_to(means + c, size)),
          inverse(load_up_to(inverses + c, size)),
          scale(gamma == nullptr ? broadcast(Scalar(1)) : load_up_to(gamma + c, size)),
          shift(beta == nullptr ? broadcast(Scalar(0)) : load_up_to(beta + c, size)) {}

    EIGEN_ALWAYS_INLINE Packet<Scalar> operator()(const Packet<Scalar>& x) const {
        return pmadd(pmul(psub(x, mean), inverse), scale, shift);
    }

    Packet<Scalar> mean, inverse, scale, shift;
};

/// The gradient of a batch norm:  dx = a dy + b (x - mean) + d,  a, b, d (C); with x_is_relu, 0 where x
/// is not above 0.
template <class Scalar>
struct NormSlope {
    const Scalar *mean, *a, *b, *d;
    bool is_behind_relu;

    /// Adds the sums of blocks of rows, each of dy and dy (x - mean), (blocks, 2, C), and computes
    /// dbeta, dgamma and the slope. The slope replaces the sums, which have room for 3 C.
    WEFT_NOINLINE NormSlope(Index rows, Index columns, Index blocks, Scalar* sums,
                            const Scalar* means, const Scalar* inverse_deviation,
                            const Scalar* gamma, bool x_is_relu, Scalar* dgamma, Scalar* dbeta)
        : mean(means),
          a(sums),
          b(sums + columns),
          d(sums + 2 * columns),
          is_behind_relu(x_is_relu) {
        if (rows == 0) std::fill_n(sums, 2 * columns, Scalar(0));
        weft::detail::add_in_pairs(blocks, [&](Index to, Index from, Index) {
            Scalar* const sum = sums + 2 * to * columns;
            const Scalar* const added = sums + 2 * from * columns;
            for (Index c = 0; c < 2 * columns; ++c) sum[c] += added[c];
        });
        std::copy_n(sums, columns, dbeta);
        for (Index c = 0; c < columns; ++c) dgamma[c] = sums[columns + c] * inverse_deviation[c];
        const Scalar share = Scalar(1) / static_cast<Scalar>(rows);
        for (Index c = 0; c < columns; ++c) {
            const Scalar scale = (gamma == nullptr ? Scalar(1) : gamma[c]) * inverse_deviation[c];
            sums[c] = scale;
            sums[columns + c] = -scale * share * dgamma[c] * inverse_deviation[c];
            sums[2 * columns + c] = -scale * share * dbeta[c];
        }
    }

    /// The gradient of a packet of channels from c on.
    EIGEN_ALWAYS_INLINE Packet<Scalar> at(Index c, Index size, const Packet<Scalar>& x,
                                          const Packet<Scalar>& dy) const {
        const auto zero = broadcast(Scalar(0));
        const auto difference = psub(x, load_up_to(mean + c, size));
        auto dx = pmadd(load_up_to(b + c, size), difference, load_up_to(d + c, size));
        dx = pmadd(load_up_to(a + c, size), dy, dx);
        return is_behind_relu ? pselect(pcmp_lt(zero, x), dx, zero) : dx;
    }
};

}  // namespace detail

/// y_rc = gamma_c (x_rc - mean_c) inverse_deviation_c + beta_c. gamma and beta may be null, for 1
/// and 0.   x, y (R, C), the others (C)
template <class Scalar>
void batch_norm_apply(Cpu& cpu, Index rows, Index columns, const Scalar* x, const Scalar* mean,
                      const Scalar* inverse_deviation, const Scalar* gamma, const Scalar* beta,
                      Scalar* y) {
    parallel_ranges(cpu, rows, detail::row_grain(columns), [&](Index begin, Index end) {
        for (Index i = begin * columns; i < end * columns; i += columns) {
            detail::for_each_packet<Scalar>(columns, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                const detail::PacketNorm<Scalar> norm(mean, inverse_deviation, gamma, beta, c,
                                                      size);
                detail::store_up_to(y + i + c, norm(detail::load_up_to(x + i + c, size)), size);
            });
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
    const auto scratch = cpu.scratch<Scalar>(columns);
    Scalar* const inverse_deviation = scratch.data();
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
    constexpr Index block_rows = detail::rows_to_sum;
    const Index blocks = detail::blocks_of(rows, block_rows);
    const auto scratch = cpu.scratch<Scalar>((2 * blocks + 3) * columns);
    Scalar* const sums = scratch.data();
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
    const detail::NormSlope<Scalar> slope(rows, columns, blocks, sums, mean, inverse_deviation,
                                          gamma, x_is_relu, dgamma, dbeta);
    if (dx == nullptr) return;
    parallel_ranges(cpu, rows, detail::row_grain(columns), [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            detail::for_each_packet<Scalar>(columns, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                const Index i = row * columns + c;
                detail::store_up_to(dx + i,
                                    slope.at(c, size, detail::load_up_to(x + i, size),
                                             detail::load_up_to(dy + i, size)),
                                    size);
            });
        }
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
