/// \file
/// BestCheckpoint: keeps the weights of the best epoch.
#pragma once

#include "weft/training/best_score.hpp"

namespace weft {

/// Keeps the weights of the epoch with the best score, and restores them when training ends. It
/// does not stop training.
struct BestCheckpoint {
    std::string monitor = "val_loss";
    Better better = Better::automatic;

    // Results.
    Index best_epoch = 0;  ///< from 1; 0 if no score was a number
    BestScore best = {};

    void on_train_begin(TrainingRun& run) {
        detail::require_monitored(run, "BestCheckpoint", monitor);
        best = BestScore(monitor, better, 0);
        best_epoch = 0;
    }
    void on_epoch_end(TrainingRun& run) {
        if (!best.improve(run.scores()[monitor])) return;
        best_epoch = run.epoch();
        state.weights_ = run.save_weights();
    }
    void on_train_end(TrainingRun& run) {
        if (best_epoch > 0) run.load_weights(state.weights_);
    }

    void visit_state(StateFields& field, TrainingRun& run) {
        detail::visit_monitored(field, monitor, best);
        detail::visit_epoch(field, run, "best_epoch", best_epoch);
        detail::visit_best_weights(field, run, best_epoch > 0, state.weights_);
    }

    /// The state from epoch to epoch.
    class State {
        friend BestCheckpoint;
        Buffer weights_ = {};  // of the best epoch
    };
    State state = {};
};

}  // namespace weft
