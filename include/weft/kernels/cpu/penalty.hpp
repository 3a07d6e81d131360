/// \file
/// Penalties, constraints and gradient clipping on the CPU.
#pragma once

#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/cpu/reduction.hpp"

#include <cmath>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// l1 sum |x| + l2 sum x^2, in double precision and pairwise: off by at most
/// (259 + log2(n / 256)) 2^-53 of it.
template <class Scalar>
WEFT_NOINLINE double penalty(Cpu&, TensorView<const Scalar> x, double l1, double l2) {
    return weft::detail::pairwise_sum(x.size(), [&](Index begin, Index end) {
        double absolute = 0, square = 0;
        for (Index i = begin; i < end; ++i) {
            const auto number = static_cast<double>(x[i]);
            absolute += std::abs(number);
            square += number * number;
        }
        return l1 * absolute + l2 * square;
    });
}

/// gradient += l1 sign(x) + 2 l2 x, with sign(0) = 0.
template <class Scalar>
WEFT_NOINLINE void add_penalty_gradient(Cpu& cpu, TensorView<const Scalar> x, double l1, double l2,
                                        TensorView<Scalar> gradient) {
    const auto sign_weight = static_cast<Scalar>(l1), weight = static_cast<Scalar>(2 * l2);
    detail::parallel_apply(
        cpu, x.size(), gradient.data(),
        [=](Scalar value, Scalar g) {
            const Scalar sign = static_cast<Scalar>((value > 0) - (value < 0));
            return g + (sign_weight * sign + weight * value);
        },
        x.data(), gradient.data());
}

/// x limited to [-limit, limit]; NaN stays NaN.
template <class Scalar>
WEFT_NOINLINE void clip_values(Cpu& cpu, TensorView<Scalar> x, double limit) {
    const auto most = static_cast<Scalar>(limit);
    detail::parallel_apply(
        cpu, x.size(), x.data(),
        [=](Scalar value) { return value > most    ? most
                                   : value < -most ? -most
                                                   : value; },
        x.data());
}

/// Scales x so that its Euclidean norm is at most `limit`.
template <class Scalar>
WEFT_NOINLINE void clip_norm(Cpu& cpu, TensorView<Scalar> x, double limit) {
    const double norm = std::sqrt(penalty<Scalar>(cpu, x, 0, 1));
    if (!(norm > limit)) return;
    scale_and_offset<Scalar>(cpu, x, static_cast<Scalar>(limit / norm), Scalar(0), x);
}

/// w = max(w, 0); NaN stays NaN.
template <class Scalar>
void make_non_negative(Cpu& cpu, TensorView<Scalar> w) {
    activation_forward<Scalar>(cpu, Activation::relu, w, w);
}

/// Rescales the vectors of w (..., C) along all axes but the last, of norm n, to min(n, limit);
/// with limit 0, to 1. Norms are guarded by 1e-7, as in Keras:  w *= target / (1e-7 + n). They are
/// summed as those of penalty.
template <class Scalar>
WEFT_NOINLINE void limit_column_norms(Cpu&, TensorView<Scalar> w, double limit) {
    const Index columns = w.shape().last();
    for (Index c = 0; c < columns; ++c) {
        const auto squares = [&](Index begin, Index end) {
            double sum = 0;
            for (Index r = begin; r < end; ++r) {
                const auto number = static_cast<double>(w[r * columns + c]);
                sum += number * number;
            }
            return sum;
        };
        const double norm = std::sqrt(weft::detail::pairwise_sum(w.size() / columns, squares));
        const double target = limit == 0 ? 1 : (std::min)(norm, limit);
        const auto factor = static_cast<Scalar>(target / (1e-7 + norm));
        for (Index i = c; i < w.size(); i += columns) w[i] *= factor;
    }
}

/// losses_r *= w_r and the rows of gradient (R, C) too.
template <class Scalar>
WEFT_NOINLINE void weight_rows(Cpu&, TensorView<const Scalar> weights, TensorView<Scalar> losses,
                               TensorView<Scalar> gradient) {
    const Index rows_per_weight = losses.size() / weights.size();
    const Index columns = gradient.size() / losses.size();
    for (Index r = 0; r < losses.size(); ++r) {
        const Scalar weight = weights[r / rows_per_weight];
        losses[r] *= weight;
        for (Index c = 0; c < columns; ++c) gradient[r * columns + c] *= weight;
    }
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
