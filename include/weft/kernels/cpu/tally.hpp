/// \file
/// Kernels that add to a tally on the CPU.
#pragma once

#include "weft/kernels/cpu/metric.hpp"
#include "weft/kernels/cpu/penalty.hpp"
#include "weft/kernels/cpu/reduction.hpp"
#include "weft/kernels/tally.hpp"

#include <algorithm>
#include <cmath>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// wrong = mark, if it is 0 and an element of x is not finite. Nothing where `wrong` is null, or
/// `unless` is there and not 0.
template <class Scalar>
void check_finite(Cpu& cpu, TensorView<const Scalar> x, double mark, double* wrong,
                  const double* unless = nullptr) {
    if (wrong == nullptr || *wrong != 0 || is_stopped(unless)) return;
    if (!all_finite<Scalar>(cpu, x)) *wrong = mark;
}

/// sum = penalty of x, or with `adds` sum += it.
template <class Scalar>
void add_penalty(Cpu& cpu, TensorView<const Scalar> x, double l1, double l2, bool adds,
                 double* sum) {
    *sum = (adds ? *sum : 0) + penalty<Scalar>(cpu, x, l1, l2);
}

/// sum (2) += the losses' total and their number; wrong = mark, as check_finite has it.
template <class Scalar>
void add_losses(Cpu& cpu, TensorView<const Scalar> losses, TensorView<double> sum, double mark,
                double* wrong) {
    sum[0] += total<Scalar>(cpu, losses);
    sum[1] += static_cast<double>(losses.size());
    check_finite<Scalar>(cpu, losses, mark, wrong);
}

/// sum_0 += (of_parameters + of_outputs / n) rows: the penalties of a batch of n, for each row.
inline void score_penalties(Cpu&, const double* of_parameters, const double* of_outputs, Index n,
                            Index rows, TensorView<double> sum, double mark, double* wrong) {
    const double penalties = *of_parameters + *of_outputs / static_cast<double>(n);
    sum[0] += penalties * static_cast<double>(rows);
    if (wrong != nullptr && *wrong == 0 && !std::isfinite(penalties)) *wrong = mark;
}

/// Adds the scores of the batch to those of all batches, unless a number was not finite, and sets
/// them to 0 for the next batch. Sums of doubles, one addition a batch: over n batches of scores of
/// one sign, a relative error below n 2^-53.
inline void end_batch(Cpu&, TensorView<double> tally) {
    const Index count = TallyPlaces::of_batch(tally.size());
    double* const batch = tally.data() + TallyPlaces::scores;
    if (!is_stopped(tally.data() + TallyPlaces::wrong)) {
        ++tally[TallyPlaces::batches];
        for (Index i = 0; i < count; ++i) batch[count + i] += batch[i];
    }
    std::fill_n(batch, count, 0.0);
}

/// now = before, if a number was not finite: undoes the step's changes.
template <class Scalar>
void undo_if_wrong(Cpu&, const double* wrong, TensorView<const Scalar> before,
                   TensorView<Scalar> now) {
    if (is_stopped(wrong)) std::copy(before.begin(), before.end(), now.begin());
}

/// sum (2) += the matches that count_sparse_matches counts, and the rows.
template <class Scalar>
void add_sparse_matches(Cpu& cpu, TensorView<const Scalar> predictions,
                        TensorView<const Scalar> labels, TensorView<double> sum) {
    sum[0] += static_cast<double>(count_sparse_matches<Scalar>(cpu, predictions, labels));
    sum[1] += static_cast<double>(labels.size());
}

/// The same with count_categorical_matches.
template <class Scalar>
void add_categorical_matches(Cpu& cpu, TensorView<const Scalar> predictions,
                             TensorView<const Scalar> targets, TensorView<double> sum) {
    sum[0] += static_cast<double>(count_categorical_matches<Scalar>(cpu, predictions, targets));
    sum[1] += static_cast<double>(detail::row_count(predictions));
}

/// The same with count_binary_matches, and the number of elements.
template <class Scalar>
void add_binary_matches(Cpu& cpu, TensorView<const Scalar> predictions,
                        TensorView<const Scalar> targets, Scalar threshold,
                        TensorView<double> sum) {
    sum[0] +=
        static_cast<double>(count_binary_matches<Scalar>(cpu, predictions, targets, threshold));
    sum[1] += static_cast<double>(targets.size());
}

/// The same with count_top_k_matches.
template <class Scalar>
void add_top_k_matches(Cpu& cpu, TensorView<const Scalar> predictions,
                       TensorView<const Scalar> targets, bool one_hot, Index k,
                       TensorView<double> sum) {
    sum[0] +=
        static_cast<double>(count_top_k_matches<Scalar>(cpu, predictions, targets, one_hot, k));
    sum[1] += static_cast<double>(detail::row_count(predictions));
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
