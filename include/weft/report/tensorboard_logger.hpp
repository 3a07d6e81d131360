/// \file
/// TensorBoardLogger: the scores of each epoch in a log that TensorBoard shows.
#pragma once

#include "weft/report/detail/event_file.hpp"
#include "weft/training/training_run.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

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

    void on_train_begin(TrainingRun& run) {
        state.restarts_ = run.is_resumed();
        std::error_code error;
        std::filesystem::create_directories(directory, error);
        if (error) {
            throw IoError(concat(directory.string(), ": cannot be made: ", error.message()));
        }
        const double now = wall_seconds();
        // TensorBoard knows a log by "tfevents", and reads those of a directory in order of name.
        for (int number = 0;; ++number) {
            state.path_ = directory / concat("events.out.tfevents.", static_cast<std::int64_t>(now),
                                             ".weft.", number);
            if (!std::filesystem::exists(state.path_)) break;
        }
        state.file_ = std::make_shared<std::ofstream>(state.path_, std::ios::binary);
        write(detail::version_event(now));
    }

    void on_epoch_end(TrainingRun& run) {
        if (std::exchange(state.restarts_, false)) {
            write(detail::restart_event(wall_seconds(), run.epoch()));
        }
        Scores scores = run.scores();
        scores.set("learning_rate", run.learning_rate());
        write(detail::scalars_event(wall_seconds(), run.epoch(), scores));
    }

    void on_train_end(TrainingRun&) { state.file_.reset(); }

    /// What a run leaves from epoch to epoch.
    class State {
        friend TensorBoardLogger;
        std::filesystem::path path_ = {};
        std::shared_ptr<std::ofstream> file_ = {};
        bool restarts_ = false;  // whether the next epoch takes back what earlier logs say of it
    };
    State state = {};

private:
    static double wall_seconds() {
        const std::chrono::duration<double> since_1970 =
            std::chrono::system_clock::now().time_since_epoch();
        return since_1970.count();
    }

    WEFT_COLD void write(const std::string& event) const {
        *state.file_ << detail::tfrecord(event) << std::flush;
        if (!*state.file_) throw IoError(concat(state.path_.string(), ": cannot be written"));
    }
};

}  // namespace weft
