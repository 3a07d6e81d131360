/// \file
/// ProgressLine: the progress of training, on a terminal or in a log.
#pragma once

#include "weft/core/system.hpp"
#include "weft/training/history.hpp"

#include <cmath>
#include <cstdio>
#include <utility>

namespace weft {

/// The output of fit.
enum class Verbosity {
    automatic,  ///< bar on a terminal, line elsewhere
    silent,
    bar,   ///< a line that updates itself: bar, steps, time per step, time left, loss, metrics
    line,  ///< one plain line at the end of each epoch
};

/// Prints the progress of an epoch to standard output.
class ProgressLine {
public:
    ProgressLine(Verbosity verbosity, Index epoch, Index epochs, Index steps)
        : verbosity_(resolve(verbosity)), epoch_(epoch), epochs_(epochs), steps_(steps) {}

    /// Whether to call update now: at most 20 times a second. `now`: from steady_seconds.
    bool wants_update(double now) const {
        return verbosity_ == Verbosity::bar && now - last_update_ > 0.05;
    }

    /// Whether new scores are wanted where a read waits for the device: in each tenth of the epoch
    /// once. The line shows steps that may still be on their way, with the scores before them.
    bool wants_scores(Index step) {
        const Index part = (step - 1) * 10 / steps_;
        return std::exchange(scored_part_, part) != part;
    }

    /// The scores of the next updates.
    WEFT_COLD void set_scores(Scores scores) { scores_ = std::move(scores); }

    WEFT_COLD void update(double now, Index step, double seconds) {
        last_update_ = now;
        print(line(step, seconds, scores_), false);
    }

    /// The epoch's last line.
    WEFT_COLD void finish(double seconds, const Scores& scores) {
        if (verbosity_ != Verbosity::silent) print(line(steps_, seconds, scores), true);
    }

    /// The text of the line after `step` steps.
    WEFT_COLD std::string line(Index step, double seconds, const Scores& scores) const {
        std::string text = detail::join({"Epoch ", epoch_, "/", epochs_, "  "});
        if (verbosity_ == Verbosity::bar) text += detail::join({bar(step), " "});
        text += detail::join({step, "/", steps_, "  "});
        const double per_step = seconds / static_cast<double>((std::max<Index>)(1, step));
        text +=
            step < steps_
                ? detail::join({"ETA ", duration(per_step * static_cast<double>(steps_ - step))})
                : duration(seconds);
        text += detail::join({"  ", duration(per_step), "/step"});
        for (const auto& [name, value] : scores) {
            text += detail::join({"  ", name, ": ", detail::decimals(value, 4)});
        }
        return text;
    }

    /// 0.0000421 as "42us", 0.0421 as "42ms", 4.21 as "4.2s", 421 as "7:01".
    WEFT_COLD static std::string duration(double seconds) {
        if (seconds < 1e-3) return detail::join({detail::decimals(seconds * 1e6, 0), "us"});
        if (seconds < 1) return detail::join({detail::decimals(seconds * 1e3, 0), "ms"});
        if (seconds < 60) return detail::join({detail::decimals(seconds, 1), "s"});
        const long long whole = std::llround(seconds);
        return detail::join({whole / 60, whole % 60 < 10 ? ":0" : ":", whole % 60});
    }

private:
    WEFT_COLD static Verbosity resolve(Verbosity verbosity) {
        if (verbosity != Verbosity::automatic) return verbosity;
        return detail::stdout_is_terminal() ? Verbosity::bar : Verbosity::line;
    }

    WEFT_COLD std::string bar(Index step) const {
        constexpr Index width = 25;
        const Index done = steps_ == 0 ? width : step * width / steps_;
        std::string text = "[";
        for (Index i = 0; i < width; ++i) text += i < done ? '=' : i == done ? '>' : '.';
        return text += ']';
    }

    WEFT_COLD void print(const std::string& text, bool last) {
        if (verbosity_ == Verbosity::bar) {
            // Back to the start of the line, and clear it.
            std::printf("\r%s\x1b[K%s", text.c_str(), last ? "\n" : "");
        } else if (last) {
            std::printf("%s\n", text.c_str());
        }
        std::fflush(stdout);
    }

    Verbosity verbosity_;
    Index epoch_, epochs_, steps_;
    double last_update_ = 0;  ///< in seconds
    Index scored_part_ = -1;
    Scores scores_;
};

}  // namespace weft
