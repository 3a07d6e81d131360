/// \file
/// What is added to a tally.
#pragma once

#include "tests/support/reference/metric.hpp"
#include "tests/support/reference/penalty.hpp"
#include "tests/support/reference/reduction.hpp"
#include "weft/kernels/tally.hpp"

#include <algorithm>
#include <cmath>

namespace weft::kernels {

/// wrong = mark, if it is 0 and an element of x is not finite. Nothing where `wrong` is null, or
/// `unless` is there and not 0.
template <class Scalar>
void check_finite(Reference& device, TensorView<const Scalar, Reference> x, double mark,
                  double* wrong, const double* unless = nullptr) {
    if (wrong == nullptr || *wrong != 0 || is_stopped(unless)) return;
    if (!all_finite<Scalar>(device, x)) *wrong = mark;
}

/// sum = penalty of x, or with `adds` sum += it.
template <class Scalar>
void add_penalty(Reference& device, TensorView<const Scalar, Reference> x, double l1, double l2,
                 bool adds, double* sum) {
    *sum = (adds ? *sum : 0) + penalty<Scalar>(device, x, l1, l2);
}

/// sum (2) += the losses' total and their number; wrong = mark, as check_finite has it.
template <class Scalar>
void add_losses(Reference& device, TensorView<const Scalar, Reference> losses,
                TensorView<double, Reference> sum, double mark, double* wrong) {
    sum[0] += total<Scalar>(device, losses);
    sum[1] += static_cast<double>(losses.size());
    check_finite<Scalar>(device, losses, mark, wrong);
}

/// sum_0 += (of_parameters + of_outputs / n) rows: the penalties of a batch of n, for each row.
inline void score_penalties(Reference&, const double* of_parameters, const double* of_outputs,
                            Index n, Index rows, TensorView<double, Reference> sum, double mark,
                            double* wrong) {
    const double penalties = *of_parameters + *of_outputs / static_cast<double>(n);
    sum[0] += penalties * static_cast<double>(rows);
    if (wrong != nullptr && *wrong == 0 && !std::isfinite(penalties)) *wrong = mark;
}

/// Adds the scores of the batch to those of all batches, unless a number went wrong, and sets them
/// to 0 for the next batch.
inline void end_batch(Reference&, TensorView<double, Reference> tally) {
    const Index count = TallyPlaces::of_batch(tally.size());
    double* const batch = tally.data() + TallyPlaces::scores;
    if (!is_stopped(tally.data() + TallyPlaces::wrong)) {
        ++tally[TallyPlaces::batches];
        for (Index i = 0; i < count; ++i) batch[count + i] += batch[i];
    }
    std::fill_n(batch, count, 0.0);
}

/// now = before, if a number went wrong: takes back what the step changed.
template <class Scalar>
void undo_if_wrong(Reference&, const double* wrong, TensorView<const Scalar, Reference> before,
                   TensorView<Scalar, Reference> now) {
    if (is_stopped(wrong)) std::copy(before.begin(), before.end(), now.begin());
}

/// sum (2) += the matches that count_sparse_matches counts, and the rows.
template <class Scalar>
void add_sparse_matches(Reference& device, TensorView<const Scalar, Reference> predictions,
                        TensorView<const Scalar, Reference> labels,
                        TensorView<double, Reference> sum) {
    sum[0] += static_cast<double>(count_sparse_matches<Scalar>(device, predictions, labels));
    sum[1] += static_cast<double>(labels.size());
}

/// The same of count_categorical_matches.
template <class Scalar>
void add_categorical_matches(Reference& device, TensorView<const Scalar, Reference> predictions,
                             TensorView<const Scalar, Reference> targets,
                             TensorView<double, Reference> sum) {
    sum[0] += static_cast<double>(count_categorical_matches<Scalar>(device, predictions, targets));
    sum[1] += static_cast<double>(targets.size() / predictions.shape().last());
}

/// The same of count_binary_matches, and of all elements.
template <class Scalar>
void add_binary_matches(Reference& device, TensorView<const Scalar, Reference> predictions,
                        TensorView<const Scalar, Reference> targets, Scalar threshold,
                        TensorView<double, Reference> sum) {
    sum[0] +=
        static_cast<double>(count_binary_matches<Scalar>(device, predictions, targets, threshold));
    sum[1] += static_cast<double>(targets.size());
}

/// The same of count_top_k_matches.
template <class Scalar>
void add_top_k_matches(Reference& device, TensorView<const Scalar, Reference> predictions,
                       TensorView<const Scalar, Reference> targets, bool one_hot, Index k,
                       TensorView<double, Reference> sum) {
    sum[0] +=
        static_cast<double>(count_top_k_matches<Scalar>(device, predictions, targets, one_hot, k));
    sum[1] += static_cast<double>(predictions.size() / predictions.shape().last());
}

}  // namespace weft::kernels
