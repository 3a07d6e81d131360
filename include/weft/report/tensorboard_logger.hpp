/// \file
/// TensorBoardLogger: writes the scores of each epoch to a log for TensorBoard. Compiled in
/// src/report/tensorboard_logger.cpp, a part of weft::report.
#pragma once

#include "weft/training/training_run.hpp"

#include <filesystem>
#include <fstream>
#include <memory>

namespace weft {

/// Writes all scores and the learning rate of each epoch to a new log in a directory, which is
/// created if missing. TensorBoard's step is the epoch, from 1. The log is complete after each
/// epoch, so `tensorboard --logdir logs` shows a run in progress. TensorBoard keeps numbers in
/// single precision. A resumed run writes a new log, which invalidates earlier logs for the epochs
/// that are run again.
///
///   trainer.fit(x, y, {.epochs = 5, .callbacks = {TensorBoardLogger{.directory = "logs/mlp"}}});
///
/// Throws IoError when the log cannot be written.
struct TensorBoardLogger {
    std::filesystem::path directory = "logs";  ///< where the event files go

    void on_train_begin(TrainingRun& run);
    void on_epoch_end(TrainingRun& run);
    void on_train_end(TrainingRun& run);

    /// The state from epoch to epoch.
    class State {
        friend TensorBoardLogger;
        std::filesystem::path path_ = {};
        std::shared_ptr<std::ofstream> file_ = {};
        bool restarts_ = false;  // whether the next epoch invalidates earlier logs from there on
    };
    State state = {};

private:
    void write(const std::string& event) const;
};

}  // namespace weft
