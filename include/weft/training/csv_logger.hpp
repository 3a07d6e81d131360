/// \file
/// CSVLogger: the scores of each epoch as a line of a file.
#pragma once

#include "weft/training/callback.hpp"

#include <filesystem>
#include <fstream>

namespace weft {

/// Writes a header and then a line an epoch: epoch, learning_rate and all scores, every digit. The
/// file is replaced when training begins, or with append continued. Throws IoError when it cannot
/// be written.
struct CSVLogger {
    std::filesystem::path path;
    char separator = ',';
    bool append = false;

    void on_train_begin(TrainingRun&) {
        std::error_code ignored;
        const bool goes_on = append && std::filesystem::exists(path, ignored) &&
                             std::filesystem::file_size(path, ignored) > 0;
        file_ = std::make_shared<std::ofstream>(path, append ? std::ios::app : std::ios::trunc);
        header_written_ = goes_on;
        check();
    }

    void on_epoch_end(TrainingRun& run) {
        const Scores scores = run.scores();
        if (!header_written_) {
            *file_ << "epoch" << separator << "learning_rate";
            for (const auto& [name, value] : scores) *file_ << separator << name;
            *file_ << '\n';
            header_written_ = true;
        }
        *file_ << run.epoch() << separator << concat(run.learning_rate());
        for (const auto& [name, value] : scores) *file_ << separator << concat(value);
        *file_ << std::endl;
        check();
    }

    void on_train_end(TrainingRun&) { file_.reset(); }

    // State of a run.
    std::shared_ptr<std::ofstream> file_ = {};
    bool header_written_ = false;

private:
    void check() const {
        if (!*file_) throw IoError(concat(path.string(), ": cannot be written"));
    }
};

}  // namespace weft
