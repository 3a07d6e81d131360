/// \file
/// Losses by their formulas: a loss for each row, and the gradient.
///
///   predictions, probabilities, gradient (R, C)   losses (R)
///   labels (R): class indices in [0, C);   targets (R, C): a view, or SmoothedTargets
#pragma once

#include "tests/support/reference/activation.hpp"

#include <algorithm>
#include <cmath>

namespace weft::kernels {

/// x limited to [1e-7, 1 - 1e-7], the limits rounded to Scalar; NaN stays NaN.
template <class Scalar>
struct ClippedProbability {
    explicit ClippedProbability(Wide<Scalar> x) {
        const auto low = static_cast<Scalar>(1e-7);
        const Scalar high = Scalar(1) - low;
        is_inside = !(x < wide(low) || x > wide(high));
        value = is_inside ? x : x < wide(low) ? wide(low) : wide(high);
    }

    Wide<Scalar> value;
    bool is_inside;
};

/// p = softmax(z) of one row, and what log p_c = z_c - largest - log_total is made of.
template <class Scalar>
struct SoftmaxRow {
    SoftmaxRow(const Scalar* z, Index columns) : largest(wide(*std::max_element(z, z + columns))) {
        for (Index c = 0; c < columns; ++c) total += std::exp(wide(z[c]) - largest);
        log_total = std::log(total);
    }

    Wide<Scalar> p(Scalar z) const { return std::exp(wide(z) - largest) / total; }

    Wide<Scalar> largest, total = 0, log_total = 0;
};

/// loss_r = -log p_r,label,   dz_rc = scale (p_rc - [c = label_r]),   p = softmax(z).
template <class Scalar>
void sparse_softmax_crossentropy(Reference&, TensorView<const Scalar, Reference> logits,
                                 TensorView<const Scalar, Reference> labels, Scalar scale,
                                 TensorView<Scalar, Reference> losses,
                                 TensorView<Scalar, Reference> probabilities,
                                 TensorView<Scalar, Reference> gradient) {
    const Index columns = logits.shape().last();
    for (Index r = 0; r < losses.size(); ++r) {
        const SoftmaxRow<Scalar> row(logits.data() + r * columns, columns);
        const Index label = static_cast<Index>(labels[r]);
        const Wide<Scalar> z_label = wide(logits[r * columns + label]);
        losses[r] = static_cast<Scalar>(row.log_total + (row.largest - z_label));
        for (Index c = 0, i = r * columns; c < columns; ++c, ++i) {
            const Wide<Scalar> p = row.p(logits[i]);
            probabilities[i] = static_cast<Scalar>(p);
            gradient[i] = static_cast<Scalar>(wide(scale) * (c == label ? p - 1 : p));
        }
    }
}

/// loss_r = -sum_c t_rc log p_rc,   dz_rc = scale (p_rc sum_k t_rk - t_rc),   p = softmax(z). A t
/// of 0 adds nothing, whatever its p.
template <class Scalar, class Targets>
void softmax_crossentropy(Reference&, TensorView<const Scalar, Reference> logits, Targets targets,
                          Scalar scale, TensorView<Scalar, Reference> losses,
                          TensorView<Scalar, Reference> probabilities,
                          TensorView<Scalar, Reference> gradient) {
    const Index columns = logits.shape().last();
    for (Index r = 0; r < losses.size(); ++r) {
        const SoftmaxRow<Scalar> row(logits.data() + r * columns, columns);
        Wide<Scalar> loss = 0, mass = 0;
        for (Index i = r * columns; i < (r + 1) * columns; ++i) {
            const Wide<Scalar> t = wide(targets[i]);
            if (t != 0) loss += t * (row.largest - wide(logits[i]));
            mass += t;
        }
        losses[r] = static_cast<Scalar>(loss + mass * row.log_total);
        for (Index i = r * columns; i < (r + 1) * columns; ++i) {
            const Wide<Scalar> p = row.p(logits[i]), t = wide(targets[i]);
            probabilities[i] = static_cast<Scalar>(p);
            gradient[i] = static_cast<Scalar>(wide(scale) * (p * mass - t));
        }
    }
}

/// With s = sum_c p_rc and q = clip(p / s):   loss_r = -sum_c t_rc log q_rc,
///   dp_rc = scale / s (sum_k t_rk u_rk - t_rc u_rc / q_rc),   u = 1 where q was not clipped, else
///   0.
template <class Scalar, class Targets>
void categorical_crossentropy(Reference&, TensorView<const Scalar, Reference> probabilities,
                              Targets targets, Scalar scale, TensorView<Scalar, Reference> losses,
                              TensorView<Scalar, Reference> gradient) {
    const Index columns = probabilities.shape().last();
    for (Index r = 0; r < losses.size(); ++r) {
        const Index begin = r * columns, end = begin + columns;
        Wide<Scalar> s = 0, loss = 0, unclipped = 0;
        for (Index i = begin; i < end; ++i) s += wide(probabilities[i]);
        for (Index i = begin; i < end; ++i) {
            const ClippedProbability<Scalar> q(wide(probabilities[i]) / s);
            loss -= wide(targets[i]) * std::log(q.value);
            unclipped += q.is_inside ? wide(targets[i]) : 0;
        }
        losses[r] = static_cast<Scalar>(loss);
        for (Index i = begin; i < end; ++i) {
            const ClippedProbability<Scalar> q(wide(probabilities[i]) / s);
            const Wide<Scalar> own = q.is_inside ? wide(targets[i]) / q.value : 0;
            gradient[i] = static_cast<Scalar>(wide(scale) / s * (unclipped - own));
        }
    }
}

/// With q = clip(p) and s = sum_c q_rc:   loss_r = -log(q_r,label / s),
///   dp_rc = scale u_rc (1 / s - [c = label_r] / q_rc),   u = 1 where p was not clipped, else 0.
template <class Scalar>
void sparse_categorical_crossentropy(Reference&, TensorView<const Scalar, Reference> probabilities,
                                     TensorView<const Scalar, Reference> labels, Scalar scale,
                                     TensorView<Scalar, Reference> losses,
                                     TensorView<Scalar, Reference> gradient) {
    const Index columns = probabilities.shape().last();
    for (Index r = 0; r < losses.size(); ++r) {
        const Index begin = r * columns, at_label = begin + static_cast<Index>(labels[r]);
        const auto clipped = [&](Index i) {
            return ClippedProbability<Scalar>(wide(probabilities[i]));
        };
        Wide<Scalar> s = 0;
        for (Index i = begin; i < begin + columns; ++i) s += clipped(i).value;
        losses[r] = static_cast<Scalar>(std::log(s / clipped(at_label).value));
        for (Index i = begin; i < begin + columns; ++i) {
            const Wide<Scalar> u = clipped(i).is_inside ? 1 : 0;
            const Wide<Scalar> slope = 1 / s - (i == at_label ? 1 / clipped(i).value : 0);
            gradient[i] = static_cast<Scalar>(wide(scale) * u * slope);
        }
    }
}

/// With p = sigmoid(z):   loss_r = -1/C sum_c (t log p + (1 - t) log(1 - p)), as
///   1/C sum_c (max(z, 0) - z t + log(1 + exp(-|z|))),   dz = scale / C (p - t).
template <class Scalar, class Targets>
void sigmoid_crossentropy(Reference&, TensorView<const Scalar, Reference> logits, Targets targets,
                          Scalar scale, TensorView<Scalar, Reference> losses,
                          TensorView<Scalar, Reference> probabilities,
                          TensorView<Scalar, Reference> gradient) {
    const Index columns = logits.shape().last();
    const auto count = static_cast<Wide<Scalar>>(columns);
    for (Index r = 0; r < losses.size(); ++r) {
        Wide<Scalar> sum = 0;
        for (Index i = r * columns; i < (r + 1) * columns; ++i) {
            const Wide<Scalar> z = wide(logits[i]), t = wide(targets[i]), p = logistic(z);
            sum += (z > 0 ? z : 0 * z) - z * t + std::log1p(std::exp(-std::abs(z)));
            probabilities[i] = static_cast<Scalar>(p);
            gradient[i] = static_cast<Scalar>(wide(scale) / count * (p - t));
        }
        losses[r] = static_cast<Scalar>(sum / count);
    }
}

/// With q = clip(p):   loss_r = -1/C sum_c (t log q + (1 - t) log(1 - q)),
///   dp = scale / C (q - t) / (q (1 - q)), and 0 where p was clipped.
template <class Scalar, class Targets>
void binary_crossentropy(Reference&, TensorView<const Scalar, Reference> probabilities,
                         Targets targets, Scalar scale, TensorView<Scalar, Reference> losses,
                         TensorView<Scalar, Reference> gradient) {
    const Index columns = probabilities.shape().last();
    const auto count = static_cast<Wide<Scalar>>(columns);
    for (Index r = 0; r < losses.size(); ++r) {
        Wide<Scalar> sum = 0;
        for (Index i = r * columns; i < (r + 1) * columns; ++i) {
            const ClippedProbability<Scalar> clipped(wide(probabilities[i]));
            const Wide<Scalar> q = clipped.value, t = wide(targets[i]);
            const Wide<Scalar> slope = clipped.is_inside ? (q - t) / (q * (1 - q)) : 0;
            sum -= t * std::log(q) + (1 - t) * std::log1p(-q);
            gradient[i] = static_cast<Scalar>(wide(scale) / count * slope);
        }
        losses[r] = static_cast<Scalar>(sum / count);
    }
}

/// loss_r = 1/C sum_c (p - t)^2,   dp = scale 2/C (p - t).
template <class Scalar>
void mean_squared_error(Reference&, TensorView<const Scalar, Reference> predictions,
                        TensorView<const Scalar, Reference> targets, Scalar scale,
                        TensorView<Scalar, Reference> losses,
                        TensorView<Scalar, Reference> gradient) {
    const Index columns = predictions.shape().last();
    const auto count = static_cast<Wide<Scalar>>(columns);
    for (Index r = 0; r < losses.size(); ++r) {
        Wide<Scalar> sum = 0;
        for (Index i = r * columns; i < (r + 1) * columns; ++i) {
            const Wide<Scalar> difference = wide(predictions[i]) - wide(targets[i]);
            sum += difference * difference;
            gradient[i] = static_cast<Scalar>(wide(scale) * 2 / count * difference);
        }
        losses[r] = static_cast<Scalar>(sum / count);
    }
}

}  // namespace weft::kernels
