/// \file
/// Batch normalisation on the CPU, forward and backward.
#pragma once

#include "weft/kernels/cpu/reduction.hpp"
#include "weft/kernels/cpu/row_sums.hpp"
#include "weft/kernels/normalizing.hpp"

#include <cassert>
#include <cmath>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// mean_c and variance_c (biased: divided by R; 0 without rows) of the columns of x (..., C), in one
/// pass: of blocks of 64 rows, which stay in cache, and then of pairs of blocks, pairs of pairs and
/// so on by
///   M = M_a + M_b + (mean_b - mean_a)^2 n_a n_b / (n_a + n_b),   M = sum (x - mean)^2.
/// With u = eps / 2, the mean is off by at most e = (64 + 4 log2(R / 64)) u max |x|, the variance
/// by (70 + 8 log2(R / 64)) u variance + 4 e deviation + 2 e^2. Source: Chan, Golub and LeVeque
/// 1983, equations 2.1 and section 3. No views: to make them of extents might throw.
template <class Scalar>
void moments_of_columns(Cpu& cpu, TensorView<const Scalar> x, Scalar* mean, Scalar* variance) {
    const Index columns = x.shape().last(), rows = x.size() / columns;
    std::fill_n(mean, columns, Scalar(0));
    std::fill_n(variance, columns, Scalar(0));
    if (rows == 0) return;
    const Index blocks = blocks_of(rows, rows_to_sum);
    const auto scratch = cpu.scratch<Scalar>(2 * blocks * columns);
    Scalar* const moments = scratch.data();
    parallel_for(cpu, blocks, [&](Index block, int) {
        const Index begin = block * rows_to_sum, end = (std::min)(rows, begin + rows_to_sum);
        const auto share = broadcast(Scalar(1) / static_cast<Scalar>(end - begin));
        Scalar* const block_mean = moments + 2 * block * columns;
        sum_columns<Scalar, 1>(
            begin, end, columns,
            [&](Index i, Index, auto size, auto& sums)
                WEFT_INLINE_LAMBDA { sums[0] = padd(sums[0], load_up_to(x.data() + i, size)); },
            [&](Index c, const auto& sums, auto size)
                WEFT_INLINE_LAMBDA { store_up_to(block_mean + c, pmul(sums[0], share), size); });
        sum_columns<Scalar, 1>(
            begin, end, columns,
            [&](Index i, Index c, auto size, auto& sums) WEFT_INLINE_LAMBDA {
                const auto difference =
                    psub(load_up_to(x.data() + i, size), load_up_to<Scalar>(block_mean + c, size));
                sums[0] = pmadd(difference, difference, sums[0]);
            },
            [&](Index c, const auto& sums, auto size)
                WEFT_INLINE_LAMBDA { store_up_to(block_mean + columns + c, sums[0], size); });
    });
    weft::detail::add_in_pairs(blocks, [&](Index to, Index from, Index of_each) {
        const Index before = of_each * rows_to_sum;
        const Index more = (std::min)(before, rows - from * rows_to_sum);
        const auto part = static_cast<Scalar>(more) / static_cast<Scalar>(before + more);
        const auto share = broadcast(part);
        const auto weight = broadcast(static_cast<Scalar>(before) * part);
        Scalar* const sum = moments + 2 * to * columns;
        const Scalar* const added = moments + 2 * from * columns;
        for_each_packet<Scalar>(columns, [=](Index c, auto size) WEFT_INLINE_LAMBDA {
            const auto m = load_up_to<Scalar>(sum + c, size);
            const auto difference = psub(load_up_to(added + c, size), m);
            store_up_to(sum + c, pmadd(difference, share, m), size);
            const auto squares = padd(load_up_to<Scalar>(sum + columns + c, size),
                                      load_up_to(added + columns + c, size));
            store_up_to(sum + columns + c, pmadd(pmul(difference, difference), weight, squares),
                        size);
        });
    });
    std::copy_n(moments, columns, mean);
    for (Index c = 0; c < columns; ++c) {
        variance[c] = moments[columns + c] / static_cast<Scalar>(rows);
    }
}

/// The batch norm of a packet of channels from c on:  y = (x - mean) inverse_deviation gamma + beta.
/// gamma and beta may be null, for 1 and 0.
template <class Scalar>
struct PacketNorm {
    EIGEN_ALWAYS_INLINE PacketNorm(const Normalizing<Scalar>& norm, const Scalar* means,
                                   const Scalar* inverses, Index c, Index size)
        : mean(load_up_to(means + c, size)),
          inverse(load_up_to(inverses + c, size)),
          scale(norm.gamma == nullptr ? broadcast(Scalar(1)) : load_up_to(norm.gamma + c, size)),
          shift(norm.beta == nullptr ? broadcast(Scalar(0)) : load_up_to(norm.beta + c, size)) {}

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
    WEFT_NOINLINE NormSlope(const Normalizing<Scalar>& norm, Index rows, Index columns,
                            Index blocks, Scalar* sums, bool x_is_relu)
        : mean(norm.mean),
          a(sums),
          b(sums + columns),
          d(sums + 2 * columns),
          is_behind_relu(x_is_relu) {
        const Scalar *const inverse_deviation = norm.inverse_deviation, *const gamma = norm.gamma;
        Scalar *const dgamma = norm.dgamma, *const dbeta = norm.dbeta;
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

/// y = (x - mean) inverse_deviation gamma + beta  of each row.
template <class Scalar>
void normalize_rows(Cpu& cpu, const Normalizing<Scalar>& norm, const Scalar* mean,
                    const Scalar* inverse_deviation, TensorView<const Scalar> x,
                    TensorView<Scalar> y) {
    assert(y.shape() == x.shape());
    const Index columns = x.shape().last(), rows = x.size() / columns;
    parallel_ranges(cpu, rows, detail::row_grain(columns), [&](Index begin, Index end) {
        for (Index i = begin * columns; i < end * columns; i += columns) {
            detail::for_each_packet<Scalar>(columns, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                const PacketNorm<Scalar> of(norm, mean, inverse_deviation, c, size);
                store_up_to(y.data() + i + c, of(load_up_to(x.data() + i + c, size)), size);
            });
        }
    });
}

}  // namespace detail

/// The mean and the biased variance of the columns of x (..., C), as moments_of_columns says.
template <class Scalar>
void column_moments(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> mean,
                    TensorView<Scalar> variance) {
    assert(mean.size() == x.shape().last() && variance.size() == x.shape().last());
    detail::moments_of_columns<Scalar>(cpu, x, mean.data(), variance.data());
}

/// y_rc = gamma_c (x_rc - mean_c) inverse_deviation_c + beta_c. gamma and beta may be null, for 1
/// and 0.   x, y (..., C)
template <class Scalar>
void batch_norm_apply(Cpu& cpu, const Normalizing<Scalar>& norm, TensorView<const Scalar> x,
                      TensorView<Scalar> y) {
    detail::normalize_rows<Scalar>(cpu, norm, norm.mean, norm.inverse_deviation, x, y);
}

/// Batch normalisation by the batch's own moments, with
///   moving = momentum moving + (1 - momentum) batch,  for mean and variance;
/// leaves the batch's mean and 1 / sqrt(variance + epsilon) for batch_norm_backward. gamma and beta
/// may be null, for 1 and 0; y may be empty, for the moments alone.   x, y (..., C)
template <class Scalar>
WEFT_NOINLINE void batch_norm_forward(Cpu& cpu, const Normalizing<Scalar>& norm,
                                      TensorView<const Scalar> x, TensorView<Scalar> y) {
    const Index columns = x.shape().last();
    const Scalar momentum = norm.momentum, epsilon = norm.epsilon;
    Scalar* const variance = norm.inverse_deviation;
    detail::moments_of_columns<Scalar>(cpu, x, norm.mean, variance);
    for (Index c = 0; c < columns; ++c) {
        norm.moving_mean[c] = momentum * norm.moving_mean[c] + (1 - momentum) * norm.mean[c];
        norm.moving_variance[c] = momentum * norm.moving_variance[c] + (1 - momentum) * variance[c];
        norm.inverse_deviation[c] = 1 / std::sqrt(variance[c] + epsilon);
    }
    if (y) batch_norm_apply<Scalar>(cpu, norm, x, y);
}

/// Batch normalisation by given moments. Shapes as above.
template <class Scalar>
WEFT_NOINLINE void batch_norm_inference(Cpu& cpu, const Normalizing<Scalar>& norm,
                                        TensorView<const Scalar> x, TensorView<Scalar> y) {
    const Index columns = x.shape().last();
    const auto scratch = cpu.scratch<Scalar>(columns);
    for (Index c = 0; c < columns; ++c) {
        scratch.data()[c] = 1 / std::sqrt(norm.given_variance[c] + norm.epsilon);
    }
    detail::normalize_rows<Scalar>(cpu, norm, norm.given_mean, scratch.data(), x, y);
}

/// The gradients of batch normalisation by the batch's own moments, with
///   n = (x - mean) / deviation,
///   dgamma_c = sum_r dy n,   dbeta_c = sum_r dy,
///   dx = gamma / deviation (dy - dbeta / R - n dgamma / R).
/// gamma may be null, for 1; dx may be empty, or dy. dgamma and dbeta are always written. With
/// x_is_relu, dx is 0 where x is not above 0: the gradient in front of a relu whose output is x.
/// Blocks of 64 rows are summed row by row, the sums in pairs: off by at most
/// (66 + log2(R / 64)) u sum_r |dy n| and the same of |dy|, u = eps / 2.
template <class Scalar>
void batch_norm_backward(Cpu& cpu, const Normalizing<Scalar>& norm, TensorView<const Scalar> x,
                         TensorView<const Scalar> dy, bool x_is_relu, TensorView<Scalar> dx) {
    assert(dy.shape() == x.shape() && (!dx || dx.shape() == x.shape()));
    const Index columns = x.shape().last(), rows = x.size() / columns;
    using namespace detail;
    const Index blocks = blocks_of(rows, rows_to_sum);
    const auto scratch = cpu.scratch<Scalar>((2 * blocks + 3) * columns);
    Scalar* const sums = scratch.data();
    parallel_for(cpu, blocks, [&](Index block, int) {
        const Index begin = block * rows_to_sum, end = (std::min)(rows, begin + rows_to_sum);
        Scalar* const of_block = sums + 2 * block * columns;
        sum_columns<Scalar, 2>(
            begin, end, columns,
            [&](Index i, Index c, auto size, auto& both) WEFT_INLINE_LAMBDA {
                const auto g = load_up_to(dy.data() + i, size);
                const auto difference =
                    psub(load_up_to(x.data() + i, size), load_up_to<Scalar>(norm.mean + c, size));
                both[0] = padd(both[0], g);
                both[1] = pmadd(g, difference, both[1]);
            },
            [&](Index c, const auto& both, auto size) WEFT_INLINE_LAMBDA {
                store_up_to(of_block + c, both[0], size);
                store_up_to(of_block + columns + c, both[1], size);
            });
    });
    const NormSlope<Scalar> slope(norm, rows, columns, blocks, sums, x_is_relu);
    if (!dx) return;
    parallel_ranges(cpu, rows, row_grain(columns), [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            for_each_packet<Scalar>(columns, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                const Index i = row * columns + c;
                const auto value = load_up_to(x.data() + i, size);
                const auto g = load_up_to(dy.data() + i, size);
                store_up_to(dx.data() + i, slope.at(c, size, value, g), size);
            });
        }
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
