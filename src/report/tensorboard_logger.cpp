// The compiled part of weft::report that writes TensorBoard's logs.
#include "weft/report/tensorboard_logger.hpp"

#include "weft/core/file_name.hpp"

#include "event_file.hpp"

#include <chrono>
#include <utility>

namespace weft {

namespace {

double wall_seconds() {
    const std::chrono::duration<double> since_1970 =
        std::chrono::system_clock::now().time_since_epoch();
    return since_1970.count();
}

}  // namespace

void TensorBoardLogger::on_train_begin(TrainingRun& run) {
    state.restarts_ = run.is_resumed();
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        throw IoError(
            concat(FileName(directory).string(), ": cannot be created: ", error.message()));
    }
    const double now = wall_seconds();
    // TensorBoard recognises logs by "tfevents", and reads those of a directory in order of name.
    for (int number = 0;; ++number) {
        state.path_ = directory / concat("events.out.tfevents.", static_cast<std::int64_t>(now),
                                         ".weft.", number);
        const bool exists = std::filesystem::exists(state.path_, error);
        if (error) {
            throw IoError(
                concat(FileName(state.path_).string(), ": cannot be accessed: ", error.message()));
        }
        if (!exists) break;
    }
    state.file_ = std::make_shared<std::ofstream>(state.path_, std::ios::binary);
    write(detail::version_event(now));
}

void TensorBoardLogger::on_epoch_end(TrainingRun& run) {
    if (std::exchange(state.restarts_, false)) {
        write(detail::restart_event(wall_seconds(), run.epoch()));
    }
    Scores scores = run.scores();
    scores.set("learning_rate", run.learning_rate());
    write(detail::scalars_event(wall_seconds(), run.epoch(), scores));
}

void TensorBoardLogger::on_train_end(TrainingRun&) { state.file_.reset(); }

void TensorBoardLogger::write(const std::string& event) const {
    *state.file_ << detail::tfrecord(event) << std::flush;
    if (!*state.file_) throw IoError(concat(FileName(state.path_).string(), ": cannot be written"));
}

}  // namespace weft
