/// \file
/// EarlyStopping: stops training when a score no longer improves.
#pragma once

#include "weft/training/best_score.hpp"

namespace weft {

/// Stops training after `patience` epochs in a row without an improvement of a score by more than
/// min_delta. Restores the best weights, however training ends.
///
///   EarlyStopping stopping{.patience = 50};
///   trainer.fit(x, y, {.epochs = 500, .validation_split = 0.2, .callbacks = {stopping}});
///   stopping.best_epoch;
struct EarlyStopping {
    std::string monitor = "val_loss";
    Index patience = 0;  ///< at least 0
    double min_delta = 0;
    Better better = Better::automatic;
    bool restore_best_weights = true;  ///< Keras's default is false

    // Results.
    Index best_epoch = 0;     ///< from 1; 0 if no score was a number
    Index stopped_epoch = 0;  ///< 0 if training ended otherwise
    BestScore best = {};

    void on_train_begin(TrainingRun& run) {
        detail::require_monitored(run, "EarlyStopping", monitor);
        detail::require_option(patience >= 0, "EarlyStopping", "patience",
                               static_cast<double>(patience), "at least 0");
        best = BestScore(monitor, better, min_delta);
        best_epoch = stopped_epoch = 0;
        state = {};
    }

    void on_epoch_end(TrainingRun& run) {
        if (best.improve(run.scores()[monitor])) {
            best_epoch = run.epoch();
            state.waited_ = 0;
            if (restore_best_weights) state.weights_ = run.save_weights();
        } else if (++state.waited_ >= patience) {
            stopped_epoch = run.epoch();
            run.stop();
        }
    }

    void on_train_end(TrainingRun& run) {
        if (restore_best_weights && best_epoch > 0) run.load_weights(state.weights_);
        state.weights_ = {};
    }

    void visit_state(StateFields& field, TrainingRun& run) {
        detail::visit_monitored(field, monitor, best);
        detail::visit_epoch(field, run, "best_epoch", best_epoch);
        detail::visit_epoch(field, run, "stopped_epoch", stopped_epoch);
        detail::visit_best_weights(field, run, restore_best_weights && best_epoch > 0,
                                   state.weights_);
        field.count("waited", state.waited_);
    }

    /// The state from epoch to epoch.
    class State {
        friend EarlyStopping;
        Index waited_ = 0;     // epochs without improvement, in a row
        Buffer weights_ = {};  // of the best epoch
    };
    State state = {};
};

}  // namespace weft
