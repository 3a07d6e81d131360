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
///   stopping.best_epoch();
struct EarlyStopping {
    std::string monitor = "val_loss";   ///< the name of a score in the history
    Index patience = 0;                 ///< at least 0
    double min_delta = 0;               ///< what an improvement must exceed
    Better better = Better::automatic;  ///< which direction is an improvement
    bool restore_best_weights = true;   ///< Keras's default is false

    Index best_epoch() const { return state.best_epoch_; }  ///< from 1; 0: no score was a number
    Index stopped_epoch() const { return state.stopped_epoch_; }  ///< 0 if training ended otherwise
    std::optional<double> best_score() const { return state.best_.value(); }  ///< of that epoch

    void on_train_begin(TrainingRun& run) {
        detail::require_monitored(run, "EarlyStopping", monitor);
        detail::require_option(patience >= 0, "EarlyStopping", "patience",
                               static_cast<double>(patience), "at least 0");
        state = {};
        state.best_ = BestScore(monitor, better, min_delta);
    }

    void on_epoch_end(TrainingRun& run) {
        if (state.best_.improve(run.scores()[monitor])) {
            state.best_epoch_ = run.epoch();
            state.waited_ = 0;
            if (restore_best_weights) state.weights_ = run.save_weights();
        } else if (++state.waited_ >= patience) {
            state.stopped_epoch_ = run.epoch();
            run.stop();
        }
    }

    void on_train_end(TrainingRun& run) {
        if (restore_best_weights && state.best_epoch_ > 0) run.load_weights(state.weights_);
        state.weights_ = {};
    }

    void visit_state(StateFields& field, TrainingRun& run) {
        detail::visit_monitored(field, monitor, state.best_);
        detail::visit_epoch(field, run, "best_epoch", state.best_epoch_);
        detail::visit_epoch(field, run, "stopped_epoch", state.stopped_epoch_);
        detail::visit_best_weights(field, run, restore_best_weights && state.best_epoch_ > 0,
                                   state.weights_);
        field.count("waited", state.waited_);
    }

    /// The state from epoch to epoch.
    class State {
        friend EarlyStopping;
        BestScore best_ = {};
        Index best_epoch_ = 0, stopped_epoch_ = 0;
        Index waited_ = 0;     // epochs without improvement, in a row
        Buffer weights_ = {};  // of the best epoch
    };
    State state = {};
};

}  // namespace weft
