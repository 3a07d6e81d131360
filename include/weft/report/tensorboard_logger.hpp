/// \file
/// TensorBoardLogger: the scores of each epoch in a log that TensorBoard shows. Compiled in
/// src/report/tensorboard_logger.cpp, which weft::report brings along.
#pragma once

#include "weft/training/training_run.hpp"

#include <filesystem>
#include <fstream>
#include <memory>

namespace weft {

/// Writes all scores and the learning rate of each epoch to a new log in the directory, which is
/// made if it is missing; the step is the epoch, from 1. After each epoch the log is complete, so
/// `tensorboard --logdir logs` shows a run as it goes on. TensorBoard keeps numbers in single
/// precision. A run that is resumed writes a new log, which takes back what the ones before it say
/// of epochs that are run once more.
///
///   trainer.fit(x, y, {.epochs = 5, .callbacks = {TensorBoardLogger{.directory = "logs/mlp"}}});
///
/// Throws IoError when it cannot be written.
struct TensorBoardLogger {
    std::filesystem::path directory = "logs";

    void on_train_begin(TrainingRun& run);
    void on_epoch_end(TrainingRun& run);
    void on_train_end(TrainingRun& run);

    /// What a run leaves from epoch to epoch.
    class State {
        friend TensorBoardLogger;
        std::filesystem::path path_ = {};
        std::shared_ptr<std::ofstream> file_ = {};
        bool restarts_ = false;  // whether the next epoch takes back what earlier logs say of it
    };
    State state = {};

private:
    void write(const std::string& event) const;
};

}  // namespace weft
