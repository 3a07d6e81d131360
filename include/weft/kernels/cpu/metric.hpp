/// \file
/// Counts of correct predictions on the CPU.
#pragma once

#include "weft/kernels/metric.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// R of x (R, C); 0 where the rows are empty.
template <class Scalar>
Index row_count(TensorView<const Scalar> x) {
    const Index columns = x.shape().last();
    return columns == 0 ? 0 : x.size() / columns;
}

}  // namespace detail

/// The number of rows of predictions (R, C) whose argmax is the label (R).
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

/// The number of rows of predictions (R, C) whose argmax is that of the targets (R, C).
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

/// The number of elements whose prediction is above the threshold if and only if the target is 1.
template <class Scalar>
Index count_binary_matches(Cpu&, TensorView<const Scalar> predictions,
                           TensorView<const Scalar> targets, Scalar threshold) {
    Index matches = 0;
    for (Index i = 0; i < predictions.size(); ++i) {
        matches += targets[i] == (predictions[i] > threshold ? Scalar(1) : Scalar(0));
    }
    return matches;
}

/// The number of rows of predictions (R, C) with fewer than k elements above that of the label: a
/// class index per row, or with one_hot the argmax of targets (R, C). A label outside 0 ... C - 1
/// and a NaN at the label never count.
template <class Scalar>
Index count_top_k_matches(Cpu&, TensorView<const Scalar> predictions,
                          TensorView<const Scalar> targets, bool one_hot, Index k) {
    const Index columns = predictions.shape().last();
    const Index rows = detail::row_count(predictions);
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
