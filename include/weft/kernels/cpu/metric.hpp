/// \file
/// Counts of right predictions on the CPU.
#pragma once

#include "weft/kernels/metric.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// How many rows of predictions (R, C) have their argmax at labels (R).
template <class Scalar>
Index count_sparse_matches(Cpu&, TensorView<const Scalar> predictions,
                           TensorView<const Scalar> labels) {
    const Index columns = predictions.shape().last();
    Index matches = 0;
    for (Index r = 0; r < labels.size(); ++r) {
        const Index predicted = argmax(predictions.data() + r * columns, columns);
        matches += static_cast<Scalar>(predicted) == labels[r];
    }
    return matches;
}

/// How many rows of predictions (R, C) have their argmax where the targets (R, C) have theirs.
template <class Scalar>
Index count_categorical_matches(Cpu&, TensorView<const Scalar> predictions,
                                TensorView<const Scalar> targets) {
    const Index columns = predictions.shape().last();
    Index matches = 0;
    for (Index i = 0; i < predictions.size(); i += columns) {
        matches += argmax(predictions.data() + i, columns) == argmax(targets.data() + i, columns);
    }
    return matches;
}

/// How many elements have the prediction above the threshold just where the target is 1.
template <class Scalar>
Index count_binary_matches(Cpu&, TensorView<const Scalar> predictions,
                           TensorView<const Scalar> targets, Scalar threshold) {
    Index matches = 0;
    for (Index i = 0; i < predictions.size(); ++i) {
        matches += targets[i] == (predictions[i] > threshold ? Scalar(1) : Scalar(0));
    }
    return matches;
}

/// How many rows of predictions (R, C) have fewer than k elements above that of the label: a class
/// index per row, or with one_hot the argmax of targets (R, C). A label outside 0 ... C - 1 and a
/// NaN at the label never count.
template <class Scalar>
Index count_top_k_matches(Cpu&, TensorView<const Scalar> predictions,
                          TensorView<const Scalar> targets, bool one_hot, Index k) {
    const Index columns = predictions.shape().last();
    const Index rows = predictions.size() / columns;
    Index matches = 0;
    for (Index r = 0; r < rows; ++r) {
        const Scalar* const row = predictions.data() + r * columns;
        const Scalar index =
            one_hot ? static_cast<Scalar>(argmax(targets.data() + r * columns, columns))
                    : targets[r];
        if (!(index >= 0 && index < static_cast<Scalar>(columns))) continue;
        const auto label = static_cast<Index>(index);
        Index above = 0;
        for (Index c = 0; c < columns; ++c) above += row[c] > row[label];
        matches += above < k && row[label] == row[label];
    }
    return matches;
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
