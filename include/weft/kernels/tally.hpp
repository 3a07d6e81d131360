/// \file
/// The record that a training run keeps on its device, the same on every device.
#pragma once

#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

/// The places of a tally's numbers, a vector of double on the device. Kernels add to it; the host
/// reads it when it needs it.
///
///   wrong, batches, parameter_penalty, gradient_factor, then (sum, count) of each score of the
///   batch, and of all batches
///
/// Score 0 is the loss, whose count is of rows.
struct TallyPlaces {
    static constexpr Index wrong = 0;    ///< mark of a number that is not finite; 0: none
    static constexpr Index batches = 1;  ///< ended with finite numbers
    static constexpr Index parameter_penalty = 2;
    static constexpr Index gradient_factor = 3;  ///< of the step, where updates multiply by it
    static constexpr Index scores = 4;           ///< of the batch, then as many of all batches

    static constexpr Index size(Index scores_count) { return scores + 4 * scores_count; }
    /// The number of elements of a batch's scores.
    static constexpr Index of_batch(Index size) { return (size - scores) / 2; }
};

/// Whether a kernel must do nothing, since a number was not finite before. Read on the device.
constexpr bool is_stopped(const double* wrong) { return wrong != nullptr && *wrong != 0; }

}  // namespace weft::kernels
