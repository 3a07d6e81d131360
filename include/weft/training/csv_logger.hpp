/// \file
/// CSVLogger: writes the scores of each epoch as a line of a file.
#pragma once

#include "weft/core/file_name.hpp"
#include "weft/training/state_fields.hpp"
#include "weft/training/training_run.hpp"

#include <fstream>
#include <memory>
#include <optional>

namespace weft {

/// Writes a header, then a line per epoch: epoch, learning_rate and all scores, with all digits and
/// a decimal point in any locale. The file is replaced when training begins, or continued with
/// append. A resumed run continues after the last line it had reached. Throws IoError when the file
/// cannot be written, or a file to continue has other columns.
struct CSVLogger {
    FileName path;         ///< the file
    char separator = ',';  ///< between two fields
    bool append = false;   ///< to a file that is there

    void on_train_begin(TrainingRun& run) {
        const bool keep = append || run.is_resumed();
        if (keep) require_columns(run);
        state.file_.reset(new std::ofstream);
        path.open(*state.file_, keep ? std::ios::app : std::ios::trunc);
        check();
    }

    void on_epoch_end(TrainingRun& run) {
        cut();
        const Scores scores = run.scores();
        // As text: a stream would group digits by the locale.
        std::string line = size_bytes() == 0 ? header(run) : ends_in_line() ? "" : "\n";
        line += detail::join({run.epoch(), separator, run.learning_rate()});
        for (const std::string& name : run.score_names()) {
            const std::optional<double> value = scores.find(name);
            line += separator;
            if (value) line += detail::join({*value});
        }
        *state.file_ << line + "\n" << std::flush;
        check();
    }

    void on_train_end(TrainingRun&) {
        cut();
        state.file_.reset();
    }

    /// The file's size: a resumed run rewrites lines written after the state was saved.
    void visit_state(StateFields& field) {
        std::uint64_t size = size_bytes();
        field.count("size_bytes", size);
        if (field.is_restoring()) state.cut_to_ = size;
    }

    /// The state from epoch to epoch.
    class State {
        friend CSVLogger;
        std::shared_ptr<std::ofstream> file_ = {};
        std::optional<std::uint64_t> cut_to_ = {};  // the restored size
    };
    State state = {};

private:
    WEFT_COLD std::string header(TrainingRun& run) const {
        std::string line = detail::join({"epoch", separator, "learning_rate"});
        for (const std::string& name : run.score_names()) {
            line += separator;
            line += quoted(name);
        }
        return line + "\n";
    }

    /// A name as a field, in quotes if it needs them. Source: RFC 4180, section 2.
    WEFT_COLD std::string quoted(const std::string& name) const {
        const std::string special = detail::join({"\"\r\n", separator});
        if (name.find_first_of(special) == std::string::npos) return name;
        std::string text = "\"";
        for (const char c : name) text.append(c == '"' ? 2 : 1, c);
        return text + "\"";
    }

    /// Throws IoError unless the file is empty or has this run's columns.
    WEFT_COLD void require_columns(TrainingRun& run) const {
        std::ifstream file;
        path.open(file, std::ios::binary);
        std::string found, expected = header(run);
        if (size_bytes() == 0) return;
        if (!std::getline(file, found)) fail("cannot be read");
        expected.pop_back();
        if (found.ends_with('\r')) found.pop_back();
        if (found == expected) return;
        throw IoError(
            detail::join({path.string(), ": has the columns ", found.substr(0, 400), ", expected ",
                          expected, append ? "; without .append it is written anew" : ""}));
    }

    /// Whether the file's last line ends in a line break, which may be lost by editing.
    WEFT_COLD bool ends_in_line() const {
        std::ifstream file;
        path.open(file, std::ios::binary | std::ios::ate);
        const int last = file.seekg(-1, std::ios::end).get();
        if (!file) fail("cannot be read");
        return last == '\n';
    }

    /// Removes the lines behind the restored state.
    void cut() {
        if (state.cut_to_ && *state.cut_to_ < size_bytes()) {
            if (!detail::resize_file(path.native(), *state.cut_to_)) {
                fail(detail::join({"cannot be truncated to ", *state.cut_to_, " bytes"}));
            }
        }
        state.cut_to_.reset();
    }

    /// 0 where there is no file.
    std::uint64_t size_bytes() const {
        const detail::FileStatus status = detail::file_status(path.native());
        if (status.error != 0 && status.error != ENOENT) fail("cannot be accessed");
        return status.size_bytes;
    }

    void check() const {
        if (!*state.file_) fail("cannot be written");
    }
    [[noreturn]] WEFT_COLD void fail(std::string_view what) const {
        throw IoError(detail::join({path.string(), ": ", what}));
    }
};

}  // namespace weft
