/// \file
/// Penalties, constraints and gradient clipping by their formulas.
#pragma once

#include "tests/support/reference/device.hpp"
#include "weft/kernels/tally.hpp"

#include <algorithm>
#include <cmath>

namespace weft::kernels {

/// l1 sum |x| + l2 sum x^2.
template <class Scalar>
double penalty(Reference&, TensorView<const Scalar, Reference> x, double l1, double l2) {
    Wide<Scalar> magnitudes = 0, squares = 0;
    for (const Scalar value : x) {
        magnitudes += std::abs(wide(value));
        squares += wide(value) * wide(value);
    }
    return static_cast<double>(static_cast<Wide<Scalar>>(l1) * magnitudes +
                               static_cast<Wide<Scalar>>(l2) * squares);
}

/// gradient += l1 sign(x) + 2 l2 x, with sign(0) = 0.
template <class Scalar>
void add_penalty_gradient(Reference&, TensorView<const Scalar, Reference> x, double l1, double l2,
                          TensorView<Scalar, Reference> gradient) {
    const auto of_sign = static_cast<Wide<Scalar>>(l1), of_x = static_cast<Wide<Scalar>>(2 * l2);
    for (Index i = 0; i < x.size(); ++i) {
        const Wide<Scalar> sign = x[i] > 0 ? 1 : x[i] < 0 ? -1 : 0;
        const Wide<Scalar> slope = of_sign * sign + of_x * wide(x[i]);
        gradient[i] = static_cast<Scalar>(wide(gradient[i]) + slope);
    }
}

/// x limited to [-limit, limit]; NaN stays NaN.
template <class Scalar>
void clip_values(Reference&, TensorView<Scalar, Reference> x, double limit) {
    const auto most = static_cast<Scalar>(limit);
    for (Scalar& value : x) {
        if (value > most) value = most;
        if (value < -most) value = -most;
    }
}

/// Scales x so that its Euclidean norm is at most `limit`.
template <class Scalar>
void clip_norm(Reference&, TensorView<Scalar, Reference> x, double limit) {
    Wide<Scalar> squares = 0;
    for (const Scalar value : x) squares += wide(value) * wide(value);
    const Wide<Scalar> norm = std::sqrt(squares), most = static_cast<Wide<Scalar>>(limit);
    if (!(norm > most)) return;
    for (Scalar& value : x) value = static_cast<Scalar>(wide(value) * most / norm);
}

/// w = max(w, 0); NaN stays NaN. Nothing if a number went wrong.
template <class Scalar>
void make_non_negative(Reference&, TensorView<Scalar, Reference> w, const double* wrong = nullptr) {
    if (is_stopped(wrong)) return;
    for (Scalar& value : w) {
        if (value < 0) value = 0;
    }
}

/// w *= target / (1e-7 + n) for the vectors of w (..., C) along all axes but the last, of norm n,
/// with target = min(n, limit), or 1 with limit 0. Nothing if a number went wrong.
template <class Scalar>
void limit_column_norms(Reference&, TensorView<Scalar, Reference> w, double limit,
                        const double* wrong = nullptr) {
    if (is_stopped(wrong)) return;
    const Index columns = w.shape().last();
    const auto most = static_cast<Wide<Scalar>>(limit), guard = static_cast<Wide<Scalar>>(1e-7);
    for (Index c = 0; c < columns; ++c) {
        Wide<Scalar> squares = 0;
        for (Index i = c; i < w.size(); i += columns) squares += wide(w[i]) * wide(w[i]);
        const Wide<Scalar> norm = std::sqrt(squares);
        const Wide<Scalar> target = limit == 0 ? 1 : std::min(norm, most);
        for (Index i = c; i < w.size(); i += columns) {
            w[i] = static_cast<Scalar>(wide(w[i]) * target / (guard + norm));
        }
    }
}

/// losses_r *= w, and row r of gradient (R, C) too, with w the weight of the sample of row r.
template <class Scalar>
void weight_rows(Reference&, TensorView<const Scalar, Reference> weights,
                 TensorView<Scalar, Reference> losses, TensorView<Scalar, Reference> gradient) {
    const Index rows_per_weight = losses.size() / weights.size();
    const Index columns = gradient.size() / losses.size();
    for (Index r = 0; r < losses.size(); ++r) losses[r] *= weights[r / rows_per_weight];
    for (Index i = 0; i < gradient.size(); ++i) {
        gradient[i] *= weights[i / columns / rows_per_weight];
    }
}

}  // namespace weft::kernels
