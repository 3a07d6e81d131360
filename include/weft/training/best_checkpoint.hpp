/// \file
/// BestCheckpoint: keeps the weights of the best epoch.
#pragma once

#include "weft/training/best_score.hpp"

namespace weft {

/// Keeps the weights of the epoch with the best score, and restores them when training ends. It
/// does not stop training.
struct BestCheckpoint {
    std::string monitor = "val_loss";   ///< the name of a score in the history
    Better better = Better::automatic;  ///< which direction is an improvement

    Index best_epoch() const { return state.best_epoch_; }  ///< from 1; 0: no score was a number
    std::optional<double> best_score() const { return state.best_.value(); }  ///< of that epoch

    void on_train_begin(TrainingRun& run) {
        detail::require_monitored(run, "BestCheckpoint", monitor);
        state = {};
        state.best_ = BestScore(monitor, better, 0);
    }
    void on_epoch_end(TrainingRun& run) {
        if (!state.best_.improve(run.scores()[monitor])) return;
        state.best_epoch_ = run.epoch();
        state.weights_ = run.save_weights();
    }
    void on_train_end(TrainingRun& run) {
        if (state.best_epoch_ > 0) run.load_weights(state.weights_);
    }

    void visit_state(StateFields& field, TrainingRun& run) {
        detail::visit_monitored(field, monitor, state.best_);
        detail::visit_epoch(field, run, "best_epoch", state.best_epoch_);
        detail::visit_best_weights(field, run, state.best_epoch_ > 0, state.weights_);
    }

    /// The state from epoch to epoch.
    class State {
        friend BestCheckpoint;
        BestScore best_ = {};
        Index best_epoch_ = 0;
        Buffer weights_ = {};  // of the best epoch
    };
    State state = {};
};

}  // namespace weft
