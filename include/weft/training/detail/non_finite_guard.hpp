/// \file
/// NonFiniteGuard: ends a run before a step with a number that is not finite.
#pragma once

#include "weft/training/detail/model_run.hpp"
#include "weft/training/detail/run_progress.hpp"
#include "weft/training/detail/training_step.hpp"

namespace weft::detail {

/// Watches the tally of a training step. Refers to its arguments.
template <class Scalar, class Device>
class NonFiniteGuard {
public:
    WEFT_COLD NonFiniteGuard(const ModelRun<Scalar, Device>& run,
                             const EpochBatches<Scalar>& batches,
                             TrainingStep<Scalar, Device>& step, RunProgress& progress,
                             Verbosity verbosity)
        : run_(run), batches_(batches), step_(step), progress_(progress), verbosity_(verbosity) {}

    /// Begins an epoch, or the rest of it in a resumed run.
    WEFT_COLD void begin_epoch() {
        steps_ = run_.state().steps - progress_.step / batches_.to_update();
        learning_rate_ = run_.learning_rate();
    }

    /// Whether all numbers are finite. If one is not, the counts are set back to before its step,
    /// and the history and a line on the terminal name the place.
    WEFT_COLD bool is_finite() {
        const Wrong where = step_.tally().where(step_.device());
        if (where != Wrong::nowhere) stop_at(where);
        return where == Wrong::nowhere;
    }

    /// Sets the counts back if an exception ends a run after a number that is not finite.
    WEFT_COLD void set_back() noexcept {
        try {
            set_back_to_good(step_.tally().where(step_.device()));
        } catch (...) {
            return;  // the device or the schedule fails again: the first exception counts
        }
    }

private:
    WEFT_COLD void stop_at(Wrong where) {
        const Index last = progress_.step;
        set_back_to_good(where);
        std::string place = where == Wrong::parameter
                                ? step_.find_non_finite_parameter()
                                : step_.find_place(batches_, where, progress_.step, last);
        progress_.history.non_finite = {progress_.epoch, progress_.step, std::move(place)};
        if (verbosity_ == Verbosity::silent) return;
        std::printf("\nStopped: %s\n", progress_.history.non_finite->message().c_str());
    }

    /// From the step with the number on, nothing was updated, so these updates do not count. If a
    /// parameter is not finite, its update happened and counts.
    WEFT_COLD void set_back_to_good(Wrong where) {
        if (where == Wrong::nowhere || where == Wrong::parameter) return;
        const Index good = step_.tally().batches(step_.device());
        progress_.step = good + 1;
        TrainingState<Scalar, Device>& state = run_.state();
        state.steps = steps_ + good / batches_.to_update();
        // The updates moved the rate if there is a schedule. Without one, a callback set it.
        if (!run_.trainer().learning_rate_schedule) return;
        state.learning_rate = state.steps > steps_
                                  ? state.next_rate(run_.trainer(), state.steps - 1)
                                  : learning_rate_;
    }

    const ModelRun<Scalar, Device>& run_;
    const EpochBatches<Scalar>& batches_;
    TrainingStep<Scalar, Device>& step_;
    RunProgress& progress_;
    Verbosity verbosity_;
    std::int64_t steps_ = 0;    ///< of the optimiser, at the beginning of the epoch
    double learning_rate_ = 0;  ///< there
};

}  // namespace weft::detail
