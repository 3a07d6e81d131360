/// \file
/// ReduceLROnPlateau: reduces the learning rate when a score no longer improves.
#pragma once

#include "weft/training/best_score.hpp"

#include <algorithm>
#include <cmath>

namespace weft {

/// After `patience` epochs in a row without an improvement by more than min_delta, multiplies the
/// learning rate by factor, down to min_learning_rate at least, then ignores `cooldown` epochs.
struct ReduceLROnPlateau {
    std::string monitor = "val_loss";   ///< the name of a score in the history
    double factor = 0.1;                ///< in (0, 1)
    Index patience = 10;                ///< at least 0
    double min_delta = 1e-4;            ///< finite
    Index cooldown = 0;                 ///< at least 0
    double min_learning_rate = 0;       ///< at least 0
    Better better = Better::automatic;  ///< which direction is an improvement

    void on_train_begin(TrainingRun& run) {
        // Refuse at once, not after hours, a score that the run lacks, and a run with a schedule.
        detail::require_monitored(run, "ReduceLROnPlateau", monitor);
        run.set_learning_rate(run.learning_rate());
        const auto require = [](bool holds, std::string_view option, double value,
                                std::string_view expected) {
            detail::require_option(holds, "ReduceLROnPlateau", option, value, expected);
        };
        require(factor > 0 && factor < 1, "factor", factor, "a number between 0 and 1");
        require(patience >= 0, "patience", static_cast<double>(patience), "at least 0");
        require(std::isfinite(min_delta), "min_delta", min_delta, "a finite number");
        require(cooldown >= 0, "cooldown", static_cast<double>(cooldown), "at least 0");
        require(min_learning_rate >= 0 && std::isfinite(min_learning_rate), "min_learning_rate",
                min_learning_rate, "a finite number of at least 0");
        state = {};
        state.best_ = BestScore(monitor, better, min_delta);
    }

    void on_epoch_end(TrainingRun& run) {
        const double value = run.scores()[monitor];
        if (state.cooling_ > 0) {
            --state.cooling_;
            state.waited_ = 0;
        }
        if (state.best_.improve(value)) {
            state.waited_ = 0;
        } else if (state.cooling_ == 0 && ++state.waited_ >= patience) {
            const double rate = (std::max)(run.learning_rate() * factor, min_learning_rate);
            if (rate == 0 || rate >= run.learning_rate()) return;  // 0: too small for a double
            run.set_learning_rate(rate);
            state.cooling_ = cooldown;
            state.waited_ = 0;
        }
    }

    void visit_state(StateFields& field) {
        detail::visit_monitored(field, monitor, state.best_);
        field.count("waited", state.waited_);
        field.count("cooling", state.cooling_);
    }

    /// The state from epoch to epoch.
    class State {
        friend ReduceLROnPlateau;
        BestScore best_ = {};
        Index waited_ = 0;   // epochs without improvement, in a row
        Index cooling_ = 0;  // epochs of the cooldown that are left
    };
    State state = {};
};

}  // namespace weft
