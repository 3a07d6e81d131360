/// \file
/// Chains of kernels around a model's layers. A device may have a single kernel for each, a
/// function of the same name; here they call its other kernels.
#pragma once

#include "weft/config.hpp"
#include "weft/core/span.hpp"
#include "weft/kernels/score.hpp"
#include "weft/kernels/step.hpp"
#include "weft/kernels/tally.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// Gathers a batch of n samples, from the step's first sample on in the order `samples`. Takes the
/// next row of the table first, if the batch is the first of its step. Sets wrong = mark, like
/// check_finite, for columns that are checked.
template <class Scalar, class Device>
WEFT_COLD void gather_batch(Device& device, const StepRow& step, bool takes_row,
                            const std::int32_t* samples, Index n,
                            Span<const GatheredColumns<Scalar>> batch, double mark, double* wrong) {
    if (takes_row) copy_next_row(device, step.bytes, step.rows, step.taken, step.row);
    const auto* const first = reinterpret_cast<const std::int32_t*>(step.row + step.first_sample);
    for (const GatheredColumns<Scalar>& of : batch) {
        if (of.bytes != nullptr) {
            gather_samples(device, n, of.columns, of.bytes, of.x_row, samples, first, of.y);
        } else {
            gather_samples(device, n, of.columns, of.x, of.x_row, samples, first, of.y);
        }
        if (!of.is_checked) continue;
        check_finite<Scalar>(device, TensorView<const Scalar, Device>(of.y, Shape{n * of.columns}),
                             mark, wrong);
    }
}

/// Adds the losses, and the matches, to the sums of their score.
template <class Scalar, class Device>
WEFT_COLD void add_score(Device& device, const ScoredLosses<Scalar, Device>& losses) {
    const BatchScore<Scalar, Device>& score = *losses.score;
    add_losses<Scalar>(device, losses.values, score.loss, score.mark, score.wrong);
    add_matches<Scalar>(device, score);
}

/// The same after a loss of weft's kernels, which may have added them already, if there is a score.
template <class Scalar, class Device>
WEFT_COLD void finish_score(Device& device, const ScoredLosses<Scalar, Device>& losses) {
    if (losses.score != nullptr) add_score<Scalar>(device, losses);
}

/// of_parameters = the sum of the penalties of parameters. Then score_penalties: that sum and the
/// penalties of the outputs of a batch of n, `rows` times, to sum_0.
template <class Scalar, class Device>
WEFT_COLD void score_all_penalties(Device& device, Span<const Penalty<Scalar>> penalties,
                                   double* of_parameters, const double* of_outputs, Index n,
                                   Index rows, TensorView<double, Device> sum, double mark,
                                   double* wrong) {
    bool adds = false;
    for (const Penalty<Scalar>& of : penalties) {
        const TensorView<const Scalar, Device> x(of.x, Shape{of.count});
        add_penalty<Scalar>(device, x, of.l1, of.l2, adds, of_parameters);
        adds = true;
    }
    score_penalties(device, of_parameters, of_outputs, n, rows, sum, mark, wrong);
}

template <class Scalar, class Device>
WEFT_COLD void clip_gradients(Device& device, TensorView<Scalar, Device> gradients,
                              const GradientClipping& limits) {
    if (limits.value > 0) clip_values<Scalar>(device, gradients, limits.value);
    if (limits.global_norm > 0) clip_norm<Scalar>(device, gradients, limits.global_norm);
}

/// Finishes the gradients (P) of losses for an optimiser: adds the penalties' gradients, marks
/// numbers that are not finite, like check_finite, and limits the gradients. Then ends the batch of
/// the tally. The gradients are undefined if a number is not finite.
template <class Scalar, class Device>
WEFT_COLD void finish_gradients(Device& device, TensorView<Scalar, Device> gradients,
                                Span<const Penalty<Scalar>> penalties,
                                const GradientClipping& limits, double mark,
                                TensorView<double, Device> tally) {
    for (const Penalty<Scalar>& of : penalties) {
        const Shape shape{of.count};
        add_penalty_gradient<Scalar>(
            device, TensorView<const Scalar, Device>(of.x, shape), of.l1, of.l2,
            TensorView<Scalar, Device>(gradients.data() + of.offset, shape));
    }
    check_finite<Scalar>(device, TensorView<const Scalar, Device>(gradients), mark,
                         tally.data() + TallyPlaces::wrong);
    end_batch(device, tally);
    clip_gradients<Scalar>(device, gradients, limits);
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
