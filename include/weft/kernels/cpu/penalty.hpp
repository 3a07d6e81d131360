/// \file
/// Penalties, constraints and gradient clipping on the CPU.
#pragma once

#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/cpu/reduction.hpp"
#include "weft/kernels/tally.hpp"

#include <array>
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

/// w = max(w, 0); NaN stays NaN. Does nothing if a number was not finite.
template <class Scalar>
void make_non_negative(Cpu& cpu, TensorView<Scalar> w, const double* wrong = nullptr) {
    if (is_stopped(wrong)) return;
    activation_forward<Scalar>(cpu, Activation::relu, w, w);
}

/// Rescales the vectors of w (..., C) along all axes but the last, of norm n, to min(n, limit);
/// with limit 0, to 1. Norms are guarded by 1e-7, as in Keras:  w *= target / (1e-7 + n). They are
/// summed like those of penalty. Does nothing if a number was not finite.
template <class Scalar>
WEFT_NOINLINE void limit_column_norms(Cpu&, TensorView<Scalar> w, double limit,
                                      const double* wrong = nullptr) {
    if (is_stopped(wrong)) return;
    const Index columns = w.shape().last();
    const Index rows = columns == 0 ? 0 : w.size() / columns;
    // Some columns at once: they lie in the same lines of memory.
    constexpr Index group = 16;
    using Sums = std::array<double, std::size_t{group}>;
    for (Index first = 0; first < columns; first += group) {
        const Index count = (std::min)(group, columns - first);
        const auto squares = [=](Index begin, Index end) {
            Sums sums{};
            for (Index r = begin; r < end; ++r) {
                const Scalar* numbers = w.data() + r * columns + first;
                Scalar padded[group] = {};
                if (count < group) {
                    std::copy_n(numbers, count, padded);
                    numbers = padded;
                }
                for (std::size_t k = 0; k < sums.size(); ++k) {
                    const auto number = static_cast<double>(numbers[k]);
                    sums[k] += number * number;
                }
            }
            return sums;
        };
        const auto add = [](Sums a, const Sums& b) {
            for (std::size_t k = 0; k < a.size(); ++k) a[k] += b[k];
            return a;
        };
        const Sums sums = weft::detail::pairwise_sum(rows, squares, add);
        std::array<Scalar, std::size_t{group}> factors{};
        for (std::size_t k = 0; k < factors.size(); ++k) {
            const double norm = std::sqrt(sums[k]);
            const double target = limit == 0 ? 1 : (std::min)(norm, limit);
            factors[k] = static_cast<Scalar>(target / (1e-7 + norm));
        }
        for (Index r = 0; r < rows; ++r) {
            Scalar* const row = w.data() + r * columns + first;
            for (Index k = 0; k < count; ++k) row[k] *= factors[static_cast<std::size_t>(k)];
        }
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
