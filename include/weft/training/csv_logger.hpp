/// \file
/// CSVLogger: the scores of each epoch as a line of a file.
#pragma once

#include "weft/training/callback.hpp"

#include <filesystem>
#include <fstream>

namespace weft {

/// Writes a header and then a line an epoch: epoch, learning_rate and all scores, every digit. The
/// file is replaced when training begins, or with append continued; a run that is resumed goes on
/// after the last line that it had come to. Throws IoError when it cannot be written.
struct CSVLogger {
    std::filesystem::path path;
    char separator = ',';
    bool append = false;

    void on_train_begin(TrainingRun& run) {
        const bool keep = append || run.is_resumed();
        file_ = std::make_shared<std::ofstream>(path, keep ? std::ios::app : std::ios::trunc);
        check();
    }

    void on_epoch_end(TrainingRun& run) {
        cut();
        const Scores scores = run.scores();
        if (size_bytes() == 0) {
            *file_ << "epoch" << separator << "learning_rate";
            for (const auto& [name, value] : scores) *file_ << separator << name;
            *file_ << '\n';
        }
        *file_ << run.epoch() << separator << concat(run.learning_rate());
        for (const auto& [name, value] : scores) *file_ << separator << concat(value);
        *file_ << std::endl;
        check();
    }

    void on_train_end(TrainingRun&) {
        cut();
        file_.reset();
    }

    /// How far the file has come; what a run wrote after it kept its state is written once more.
    void visit_state(StateFields& field) {
        std::uint64_t size = size_bytes();
        field.count("size_bytes", size);
        if (field.is_restoring()) cut_to_ = size;
    }

    // State of a run.
    std::shared_ptr<std::ofstream> file_ = {};
    std::optional<std::uint64_t> cut_to_ = {};

private:
    /// Takes back the lines behind the state that was restored.
    void cut() {
        if (cut_to_ && *cut_to_ < size_bytes()) std::filesystem::resize_file(path, *cut_to_);
        cut_to_.reset();
    }

    std::uint64_t size_bytes() const {
        std::error_code error;
        const auto size = std::filesystem::file_size(path, error);
        return error ? 0 : size;
    }

    void check() const {
        if (!*file_) throw IoError(concat(path.string(), ": cannot be written"));
    }
};

}  // namespace weft
