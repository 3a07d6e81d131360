/// \file
/// Losses on the CPU: a loss per row and the gradient in one pass.
///
/// Sums over a row are pairwise: off by at most (256 + log2(C / 256)) u times the sum of the
/// magnitudes of their terms, u = eps / 2, beside the few u of each term itself; softmax sums by
/// the bound of detail::sum. Of 4 million classes that is 1.6e-5 of a loss in float.
#pragma once

#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/loss.hpp"

#include <cmath>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Calls row(r) for each of the rows of a (rows, columns) matrix, in parallel.
template <class Row>
void for_each_row(Cpu& cpu, Index rows, Index columns, const Row& row) {
    parallel_ranges(cpu, rows, row_grain(columns), [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) row(r);
    });
}

/// The sum over the elements of row r of term(i), i their places in the matrix.
template <class Term>
EIGEN_ALWAYS_INLINE auto sum_row(Index r, Index columns, const Term& term) {
    const auto of_block = [=](Index begin, Index end) WEFT_INLINE_LAMBDA {
        decltype(term(begin)) sum{};
        for (Index i = r * columns + begin; i < r * columns + end; ++i) sum += term(i);
        return sum;
    };
    return weft::detail::pairwise_sum(columns, of_block);
}

/// Two sums of the same elements.
template <class Scalar>
struct TwoSums {
    Scalar first, second;

    TwoSums& operator+=(const TwoSums& more) {
        first += more.first, second += more.second;
        return *this;
    }
    friend TwoSums operator+(TwoSums a, const TwoSums& b) { return a += b; }
};

/// x limited to [probability_epsilon, 1 - probability_epsilon]; whether it was inside.
template <class Scalar>
bool clip_probability(Scalar& x) {
    constexpr auto low = static_cast<Scalar>(probability_epsilon);
    constexpr auto high = Scalar(1) - low;
    if (x < low || x > high) {
        x = x < low ? low : high;
        return false;
    }
    return true;
}

}  // namespace detail

/// Cross-entropy of softmax(logits) against a class index per row:
///   loss_r = log sum_c exp(z_rc) - z_r,label,    dz_rc = scale (p_rc - [c = label_r]).
///
///   logits (R, C)   labels (R)   losses (R)   probabilities, gradient (R, C)
///
/// probabilities may be the logits' memory or the gradient's. Labels lie in [0, C).
template <class Scalar>
void sparse_softmax_crossentropy(Cpu& cpu, TensorView<const Scalar> logits,
                                 TensorView<const Scalar> labels, Scalar scale,
                                 TensorView<Scalar> losses, TensorView<Scalar> probabilities,
                                 TensorView<Scalar> gradient) {
    const Index columns = logits.shape().last();
    detail::for_each_row(cpu, losses.size(), columns, [&](Index r) {
        const Scalar* z = logits.data() + r * columns;
        Scalar* p = probabilities.data() + r * columns;
        Scalar* g = gradient.data() + r * columns;
        const auto label = static_cast<Index>(labels[r]);
        const Scalar largest = detail::row_max(z, columns);
        const Scalar z_label = z[label];
        const Scalar total = detail::exp_and_sum(z, columns, largest, p);
        losses[r] = std::log(total) + (largest - z_label);
        detail::scale(p, columns, Scalar(1) / total);
        if (g != p) std::copy_n(p, columns, g);
        g[label] -= Scalar(1);
        detail::scale(g, columns, scale);
    });
}

/// Cross-entropy of softmax(logits) against a distribution t per row:
///   loss_r = sum_c t_rc (log sum_k exp(z_rk) - z_rc),   dz_rc = scale (p_rc sum_k t_rk - t_rc).
/// Shapes as above, targets (R, C): a view, or SmoothedTargets.
template <class Scalar, class Targets>
void softmax_crossentropy(Cpu& cpu, TensorView<const Scalar> logits, Targets targets, Scalar scale,
                          TensorView<Scalar> losses, TensorView<Scalar> probabilities,
                          TensorView<Scalar> gradient) {
    const Index columns = logits.shape().last();
    detail::for_each_row(cpu, losses.size(), columns, [&](Index r) {
        const Scalar* z = logits.data() + r * columns;
        Scalar* p = probabilities.data() + r * columns;
        Scalar* g = gradient.data() + r * columns;
        const Scalar largest = detail::row_max(z, columns);
        const auto [weighted, mass] = detail::sum_row(r, columns, [&](Index i) {
            const Scalar t = targets[i];
            // A class of no weight may have any logit: 0 * inf must not become NaN.
            return detail::TwoSums<Scalar>{t != Scalar(0) ? t * (largest - logits[i]) : Scalar(0),
                                           t};
        });
        const Scalar total = detail::exp_and_sum(z, columns, largest, p);
        losses[r] = mass * std::log(total) + weighted;
        detail::scale(p, columns, Scalar(1) / total);
        for (Index c = 0; c < columns; ++c) {
            g[c] = scale * (p[c] * mass - targets[r * columns + c]);
        }
    });
}

/// Cross-entropy of probabilities p against a distribution t per row, with p first divided by its
/// sum s and then clipped to [1e-7, 1 - 1e-7], as Keras does:
///   q = clip(p / s),   loss_r = -sum_c t_rc log q_rc,
///   dp_rc = scale / s (sum_k t_rk u_rk - t_rc u_rc s / p_rc), u = 1 where q was not clipped, else
///   0.
/// Shapes as above.
template <class Scalar, class Targets>
void categorical_crossentropy(Cpu& cpu, TensorView<const Scalar> probabilities, Targets targets,
                              Scalar scale, TensorView<Scalar> losses,
                              TensorView<Scalar> gradient) {
    const Index columns = probabilities.shape().last();
    detail::for_each_row(cpu, losses.size(), columns, [&](Index r) {
        const Scalar* p = probabilities.data() + r * columns;
        Scalar* g = gradient.data() + r * columns;
        const Scalar mass = detail::sum(p, columns);
        const auto [loss, unclipped] = detail::sum_row(r, columns, [&](Index i) {
            const Scalar t = targets[i];
            Scalar q = probabilities[i] / mass;
            const bool inside = detail::clip_probability(q);
            gradient[i] = inside ? t / q : Scalar(0);
            return detail::TwoSums<Scalar>{-t * std::log(q), inside ? t : Scalar(0)};
        });
        losses[r] = loss;
        for (Index c = 0; c < columns; ++c) g[c] = scale / mass * (unclipped - g[c]);
    });
}

/// Cross-entropy of probabilities p against a class index per row, with p first clipped to
/// [1e-7, 1 - 1e-7] and then divided by its sum, as Keras does:
///   q = clip(p),   s = sum_c q_c,   loss_r = -log(q_label / s),
///   dp_rc = scale u_rc (1 / s - [c = label] / q_c), u = 1 where p was not clipped, else 0.
/// Shapes as above, labels (R) in [0, C).
template <class Scalar>
void sparse_categorical_crossentropy(Cpu& cpu, TensorView<const Scalar> probabilities,
                                     TensorView<const Scalar> labels, Scalar scale,
                                     TensorView<Scalar> losses, TensorView<Scalar> gradient) {
    const Index columns = probabilities.shape().last();
    detail::for_each_row(cpu, losses.size(), columns, [&](Index r) {
        const Scalar* p = probabilities.data() + r * columns;
        Scalar* g = gradient.data() + r * columns;
        const auto label = static_cast<Index>(labels[r]);
        Scalar q_label = p[label];
        const Scalar mass = detail::sum_row(r, columns, [&](Index i) {
            Scalar q = probabilities[i];
            gradient[i] = detail::clip_probability(q) ? scale : Scalar(0);
            return q;
        });
        detail::clip_probability(q_label);
        losses[r] = std::log(mass / q_label);
        const Scalar at_label = g[label] * (Scalar(1) / mass - Scalar(1) / q_label);
        detail::scale(g, columns, Scalar(1) / mass);
        g[label] = at_label;
    });
}

/// Binary cross-entropy of sigmoid(logits), the mean over each row:
///   loss_r = 1/C sum_c (max(z, 0) - z t + log(1 + exp(-|z|))),   dz = scale / C (sigmoid(z) - t).
///
///   logits, targets, probabilities, gradient (R, C)   losses (R)
///
/// probabilities may be the logits' memory or the gradient's. targets: a view, or SmoothedTargets.
template <class Scalar, class Targets>
void sigmoid_crossentropy(Cpu& cpu, TensorView<const Scalar> logits, Targets targets, Scalar scale,
                          TensorView<Scalar> losses, TensorView<Scalar> probabilities,
                          TensorView<Scalar> gradient) {
    const Index columns = logits.shape().last();
    const Scalar share = Scalar(1) / static_cast<Scalar>(columns);
    detail::for_each_row(cpu, losses.size(), columns, [&](Index r) {
        losses[r] = share * detail::sum_row(r, columns, [&](Index i) {
                        const Scalar z = logits[i], t = targets[i];
                        const Scalar e = std::exp(-std::abs(z));
                        const Scalar positive = Scalar(1) / (Scalar(1) + e);  // sigmoid(|z|)
                        const Scalar p = z >= 0 ? positive : e * positive;
                        probabilities[i] = p;
                        gradient[i] = scale * share * (p - t);
                        return (z > 0 ? z : z * Scalar(0)) - z * t + std::log1p(e);
                    });
    });
}

/// Binary cross-entropy of probabilities p, clipped to [1e-7, 1 - 1e-7], the mean over each row:
///   loss_r = -1/C sum_c (t log p + (1 - t) log(1 - p)),   dp = scale / C (p - t) / (p (1 - p)),
/// and dp = 0 where p was clipped. Shapes as above.
template <class Scalar, class Targets>
void binary_crossentropy(Cpu& cpu, TensorView<const Scalar> probabilities, Targets targets,
                         Scalar scale, TensorView<Scalar> losses, TensorView<Scalar> gradient) {
    const Index columns = probabilities.shape().last();
    const Scalar share = Scalar(1) / static_cast<Scalar>(columns);
    detail::for_each_row(cpu, losses.size(), columns, [&](Index r) {
        losses[r] = -share * detail::sum_row(r, columns, [&](Index i) {
            Scalar p = probabilities[i];
            const Scalar t = targets[i];
            const bool inside = detail::clip_probability(p);
            gradient[i] = inside ? scale * share * (p - t) / (p * (Scalar(1) - p)) : Scalar(0);
            return t * std::log(p) + (Scalar(1) - t) * std::log1p(-p);
        });
    });
}

/// Mean squared error over each row:  loss_r = 1/C sum_c (p - t)^2,   dp = scale 2/C (p - t).
/// Shapes as above.
template <class Scalar>
void mean_squared_error(Cpu& cpu, TensorView<const Scalar> predictions,
                        TensorView<const Scalar> targets, Scalar scale, TensorView<Scalar> losses,
                        TensorView<Scalar> gradient) {
    const Index columns = predictions.shape().last();
    const Scalar share = Scalar(1) / static_cast<Scalar>(columns);
    detail::for_each_row(cpu, losses.size(), columns, [&](Index r) {
        losses[r] = share * detail::sum_row(r, columns, [&](Index i) {
                        const Scalar difference = predictions[i] - targets[i];
                        gradient[i] = scale * share * Scalar(2) * difference;
                        return difference * difference;
                    });
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
