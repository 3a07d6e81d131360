/// \file
/// Losses on the CPU: a loss per row and the gradient in one pass.
///
/// Sums over a row have the bounds of row_sums.hpp, beside the few u of each term itself; softmax
/// sums by the bound of detail::sum. Of 4 million classes that is 1.6e-5 of a loss in float.
#pragma once

#include "weft/kernels/cpu/smoothed_targets.hpp"
#include "weft/kernels/cpu/softmax.hpp"
#include "weft/kernels/loss.hpp"

#include <cmath>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Two sums of the same elements.
template <class Scalar>
struct TwoSums {
    Scalar first, second;

    friend TwoSums operator+(const TwoSums& a, const TwoSums& b) {
        return {a.first + b.first, a.second + b.second};
    }
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
    const auto zero = detail::broadcast(Scalar(0));
    const Index columns = logits.shape().last();
    detail::for_each_row(cpu, losses.size(), columns, [&](Index r) {
        const Index begin = r * columns, end = begin + columns;
        const Scalar* z = logits.data() + r * columns;
        Scalar* p = probabilities.data() + r * columns;
        Scalar* g = gradient.data() + r * columns;
        const Scalar largest = detail::row_max(z, columns);
        const auto most = detail::broadcast(largest);
        const auto weighted =
            detail::sum_packets<Scalar>(begin, end, [=](Index i, auto size) WEFT_INLINE_LAMBDA {
                const auto t = detail::load_targets(targets, i, size);
                const auto gap = psub(most, detail::load_up_to(logits.data() + i, size));
                // A class of no weight may have any logit: 0 * inf must not become NaN.
                return pselect(pcmp_eq(t, zero), zero, pmul(t, gap));
            });
        const auto mass =
            detail::sum_packets<Scalar>(begin, end, [=](Index i, auto size) WEFT_INLINE_LAMBDA {
                return detail::load_targets(targets, i, size);
            });
        const Scalar total = detail::exp_and_sum(z, columns, largest, p);
        losses[r] = mass * std::log(total) + weighted;
        const auto all = detail::broadcast(mass), factor = detail::broadcast(scale);
        const auto inverse = detail::broadcast(Scalar(1) / total);
        detail::for_each_packet<Scalar>(columns, [=](Index c, auto size) WEFT_INLINE_LAMBDA {
            const auto t = detail::load_targets(targets, r * columns + c, size);
            const auto q = pmul(detail::load_up_to<Scalar>(p + c, size), inverse);
            detail::store_up_to(p + c, q, size);
            detail::store_up_to(g + c, pmul(factor, psub(pmul(q, all), t)), size);
        });
    });
}

/// Cross-entropy of probabilities p against a distribution t per row, with p first divided by its
/// sum s and then clipped to [1e-7, 1 - 1e-7], as Keras does:
///   q = clip(p / s),   loss_r = -sum_c t_rc log q_rc,
///   dp_rc = scale / s (sum_k t_rk u_rk - t_rc u_rc s / p_rc),
///   u = 1 where q was not clipped, else 0.
/// Shapes as above.
template <class Scalar, class Targets>
void categorical_crossentropy(Cpu& cpu, TensorView<const Scalar> probabilities, Targets targets,
                              Scalar scale, TensorView<Scalar> losses,
                              TensorView<Scalar> gradient) {
    const Index columns = probabilities.shape().last();
    const Scalar* const p = probabilities.data();
    Scalar* const g = gradient.data();
    detail::for_each_row_to_sum(cpu, losses.size(), columns, [=](Index r, const auto& row) {
        const auto mass = row.template sum_packets<Scalar>(
            [=](Index i, auto size) WEFT_INLINE_LAMBDA { return detail::load_up_to(p + i, size); });
        const auto [loss, unclipped] =
            row.template sum<detail::TwoSums<Scalar>>([=](detail::TwoSums<Scalar>& sums, Index i) {
                const Scalar t = targets[i];
                Scalar q = p[i] / mass;
                const bool inside = detail::clip_probability(q);
                sums.first -= t * std::log(q);
                g[i] = inside ? t / q : Scalar(0);
                if (inside) sums.second += t;
            });
        losses[r] = loss;
        for (Index i = row.begin; i < row.end; ++i) g[i] = scale / mass * (unclipped - g[i]);
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
    const Scalar* const p = probabilities.data();
    Scalar* const g = gradient.data();
    detail::for_each_row_to_sum(cpu, losses.size(), columns, [=](Index r, const auto& row) {
        const Index label = row.begin + static_cast<Index>(labels[r]);
        Scalar q_label = p[label];
        const auto mass = row.template sum<Scalar>([=](Scalar& sum, Index i) {
            Scalar q = p[i];
            g[i] = detail::clip_probability(q) ? scale : Scalar(0);
            sum += q;
        });
        detail::clip_probability(q_label);
        losses[r] = std::log(mass / q_label);
        const Scalar at_label = g[label] * (Scalar(1) / mass - Scalar(1) / q_label);
        detail::scale(g + row.begin, columns, Scalar(1) / mass);
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
    const Scalar* const logit = logits.data();
    Scalar *const probability = probabilities.data(), *const g = gradient.data();
    detail::for_each_row_to_sum(cpu, losses.size(), columns, [=](Index r, const auto& row) {
        losses[r] = share * row.template sum<Scalar>([=](Scalar& sum, Index i) {
            const Scalar z = logit[i], t = targets[i];
            const Scalar e = std::exp(-std::abs(z));
            const Scalar positive = Scalar(1) / (Scalar(1) + e);  // sigmoid(|z|)
            sum += (z > 0 ? z : z * Scalar(0)) - z * t + std::log1p(e);
            const Scalar p = z >= 0 ? positive : e * positive;
            probability[i] = p;
            g[i] = scale * share * (p - t);
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
    const Scalar* const probability = probabilities.data();
    Scalar* const g = gradient.data();
    detail::for_each_row_to_sum(cpu, losses.size(), columns, [=](Index r, const auto& row) {
        losses[r] = share * row.template sum<Scalar>([=](Scalar& sum, Index i) {
            Scalar p = probability[i];
            const Scalar t = targets[i];
            const bool inside = detail::clip_probability(p);
            sum -= t * std::log(p) + (Scalar(1) - t) * std::log1p(-p);
            g[i] = inside ? scale * share * (p - t) / (p * (Scalar(1) - p)) : Scalar(0);
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
    const auto slope = detail::broadcast(scale * share * Scalar(2));
    const Scalar *const p = predictions.data(), *const t = targets.data();
    Scalar* const g = gradient.data();
    const auto square = [=](Index i, auto size) WEFT_INLINE_LAMBDA {
        const auto gap = psub(detail::load_up_to(p + i, size), detail::load_up_to(t + i, size));
        detail::store_up_to(g + i, pmul(slope, gap), size);
        return pmul(gap, gap);
    };
    if (columns == 1) {
        parallel_ranges(cpu, losses.size(), detail::row_grain(1), [=](Index begin, Index end) {
            detail::for_each_packet<Scalar>(
                end - begin, [=](Index i, auto size) WEFT_INLINE_LAMBDA {
                    detail::store_up_to(losses.data() + begin + i, square(begin + i, size), size);
                });
        });
        return;
    }
    detail::for_each_row(cpu, losses.size(), columns, [=](Index r) {
        const Index begin = r * columns, end = begin + columns;
        losses[r] = share * detail::sum_packets<Scalar>(begin, end, square);
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
