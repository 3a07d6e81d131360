/// \file
/// Counts of right predictions by their definitions.
#pragma once

#include "tests/support/reference/device.hpp"

namespace weft::kernels {

/// The number of the largest element of row r of x (R, C), the first of equals; NaN is passed over,
/// 0 if all are NaN.
template <class Scalar>
Index largest_of_row(TensorView<const Scalar, Reference> x, Index r) {
    const Index columns = x.shape().last();
    Index best = 0;
    for (Index c = 1; c < columns; ++c) {
        const Scalar value = x[r * columns + c], largest = x[r * columns + best];
        if (value > largest || (largest != largest && value == value)) best = c;
    }
    return best;
}

/// The rows of predictions (R, C) whose largest element is at labels (R).
template <class Scalar>
Index count_sparse_matches(Reference&, TensorView<const Scalar, Reference> predictions,
                           TensorView<const Scalar, Reference> labels) {
    Index matches = 0;
    for (Index r = 0; r < labels.size(); ++r) {
        matches += static_cast<Scalar>(largest_of_row(predictions, r)) == labels[r];
    }
    return matches;
}

/// The rows of predictions (R, C) whose largest element is where that of targets (R, C) is.
template <class Scalar>
Index count_categorical_matches(Reference&, TensorView<const Scalar, Reference> predictions,
                                TensorView<const Scalar, Reference> targets) {
    Index matches = 0;
    for (Index r = 0; r < predictions.size() / predictions.shape().last(); ++r) {
        matches += largest_of_row(predictions, r) == largest_of_row(targets, r);
    }
    return matches;
}

/// The elements that are above the threshold where the target is 1, and not where it is 0.
template <class Scalar>
Index count_binary_matches(Reference&, TensorView<const Scalar, Reference> predictions,
                           TensorView<const Scalar, Reference> targets, Scalar threshold) {
    Index matches = 0;
    for (Index i = 0; i < predictions.size(); ++i) {
        matches += targets[i] == (predictions[i] > threshold ? 1 : 0);
    }
    return matches;
}

/// The rows of predictions (R, C) with fewer than k elements above that of the label: targets (R),
/// or with one_hot the largest of targets (R, C). None for a label outside 0 ... C - 1, or with NaN
/// at it.
template <class Scalar>
Index count_top_k_matches(Reference&, TensorView<const Scalar, Reference> predictions,
                          TensorView<const Scalar, Reference> targets, bool one_hot, Index k) {
    const Index columns = predictions.shape().last();
    Index matches = 0;
    for (Index r = 0; r < predictions.size() / columns; ++r) {
        Index label = -1, above = 0;
        for (Index c = 0; !one_hot && c < columns; ++c) {
            if (targets[r] >= static_cast<Scalar>(c) && targets[r] < static_cast<Scalar>(c + 1)) {
                label = c;
            }
        }
        if (one_hot) label = largest_of_row(targets, r);
        if (label < 0) continue;
        const Scalar at_label = predictions[r * columns + label];
        for (Index c = 0; c < columns; ++c) above += predictions[r * columns + c] > at_label;
        matches += above < k && at_label == at_label;
    }
    return matches;
}

}  // namespace weft::kernels
