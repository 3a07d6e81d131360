/// \file
/// The record that a training run keeps on its device, the same on every device.
#pragma once

#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

/// Where the numbers of a tally lie, a vector of double on the device. Kernels add to it, and the
/// host reads it when somebody wants to know.
///
///   wrong, batches, parameter_penalty, then (sum, count) of each score of the batch, and of all
///   batches
///
/// Score 0 is the loss, whose count is of rows.
struct TallyPlaces {
    static constexpr Index wrong = 0;    ///< where a number was not finite: a mark, 0 if nowhere
    static constexpr Index batches = 1;  ///< that ended with no number gone wrong
    static constexpr Index parameter_penalty = 2;
    static constexpr Index scores = 3;  ///< of the batch, then as many of all batches

    static constexpr Index size(Index scores_count) { return scores + 4 * scores_count; }
    /// How many numbers the scores of a batch are.
    static constexpr Index of_batch(Index size) { return (size - scores) / 2; }
};

/// Whether a kernel has nothing to do, as a number went wrong before. Read on the device.
constexpr bool is_stopped(const double* wrong) { return wrong != nullptr && *wrong != 0; }

}  // namespace weft::kernels
