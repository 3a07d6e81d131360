/// \file
/// LambdaCallback: functions as a callback.
#pragma once

#include "weft/training/training_run.hpp"

#include <functional>

namespace weft {

/// A callback made from the user's functions.
///
///   LambdaCallback{.epoch_end = [](TrainingRun& run) { std::cout << run.scores()["loss"]; }}
struct LambdaCallback {
    std::function<void(TrainingRun&)> train_begin = {};  ///< before the first epoch
    std::function<void(TrainingRun&)> epoch_begin = {};  ///< before each epoch
    std::function<void(TrainingRun&)> batch_end = {};    ///< after each batch
    std::function<void(TrainingRun&)> epoch_end = {};    ///< after each epoch, validation included
    std::function<void(TrainingRun&)> train_end = {};    ///< after the last epoch, or an exception

    void on_train_begin(TrainingRun& run) const { call(train_begin, run); }
    void on_epoch_begin(TrainingRun& run) const { call(epoch_begin, run); }
    void on_batch_end(TrainingRun& run) const { call(batch_end, run); }
    bool listens_to_batches() const { return bool(batch_end); }
    void on_epoch_end(TrainingRun& run) const { call(epoch_end, run); }
    void on_train_end(TrainingRun& run) const { call(train_end, run); }

private:
    static void call(const std::function<void(TrainingRun&)>& function, TrainingRun& run) {
        if (function) function(run);
    }
};

}  // namespace weft
