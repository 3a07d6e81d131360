/// \file
/// ThreadChoice: the number of threads with the fastest passes, by measurement.
#pragma once

#include "weft/config.hpp"

#include <algorithm>

namespace weft::detail {

/// Chooses the number of threads of each pass among most, most / 2, ..., 1: the one with the least
/// time per unit of work. On a busy machine that may be one, as a loop waits until each of its
/// threads had a processor.
///
/// Passes are measured in windows of at least 20 ms (the first from 4 ms on) with one number of
/// threads. Now and then a trial runs a window with the next larger or smaller number. Trials may
/// cost 2 % of the time: the cost of each is measured, and the next waits until it is earned. The
/// first trial of a number waits for a fifth of its price.
class ThreadChoice {
public:
    explicit ThreadChoice(int most = 0) : most_(most) {}

    /// The number of threads of the next pass, 1 to `most`. Another `most` than before forgets all.
    WEFT_COLD int threads(int most) {
        if (most != most_) *this = ThreadChoice(most);
        return (std::max)(1, most_ >> (is_trying() ? tried_ : used_));
    }

    /// Records the time of the pass; work is in any unit, the same for all passes.
    WEFT_COLD void record(double seconds, double work) {
        if (most_ <= 1) return;
        // A pass that took far longer was suspended, as by Ctrl-Z; the threads are not the cause.
        const double known = costs_[used_];
        if (known > 0) seconds = (std::min)(seconds, 8 * (known * work + longest_window));
        window_seconds_ += seconds;
        window_work_ += work;
        if (is_trying()) {
            const double lost = window_seconds_ - known * window_work_;
            if (window_seconds_ >= window_ || lost >= window_) end_trial(lost);
        } else {
            earned_ += share_of_trials * seconds;
            if (window_seconds_ >= window_) end_window(work);
        }
    }

private:
    static constexpr double first_window = 0.004, longest_window = 0.02, share_of_trials = 0.02;
    static constexpr double first_credit = 0.01;  ///< seconds
    static constexpr double first_trial_discount = 5;
    static constexpr int windows_between_trials = 3, none = -1, most_choices = 11;

    bool is_trying() const { return tried_ != none; }

    void begin_window() { window_seconds_ = window_work_ = 0; }

    WEFT_COLD void end_trial(double lost) {
        earned_ -= (std::max)(lost, 0.0);
        costs_[tried_] = window_seconds_ / window_work_;
        // Of about equal costs, prefer fewer threads.
        if (costs_[tried_] * (tried_ > used_ ? 0.98 : 1.02) < costs_[used_]) used_ = tried_;
        tried_ = none;
        window_ = (std::min)(1.5 * window_, longest_window);
        begin_window();
    }

    WEFT_COLD void end_window(double work_of_pass) {
        const double cost = window_seconds_ / window_work_;
        // A running mean over windows: on a busy machine single windows differ by half.
        double& known = costs_[used_];
        known = known == 0 ? cost : known + (cost - known) / 4;
        begin_window();
        ++windows_since_trial_;
        const int next = neighbour();
        const bool seems_better = costs_[next] > 0 && costs_[next] < known;
        if (!seems_better && windows_since_trial_ < windows_between_trials) return;
        // An untried number may take twice the time, as half the threads do at worst.
        const double expected = costs_[next] > 0 ? costs_[next] : 2 * known;
        const double price = (1 - known / expected) * (std::max)(window_, expected * work_of_pass);
        // What a number saves is unknown before its first trial, which may leave a debt.
        if ((costs_[next] > 0 ? price : price / first_trial_discount) > earned_) return;
        // Credit is capped by this trial's price: many cheap windows do not pay for an expensive
        // trial.
        earned_ = (std::min)(earned_, (std::max)(price, 0.0) + first_credit);
        tried_ = next;
        was_more_ = next < used_;
        windows_since_trial_ = 0;
    }

    /// The neighbour of the choice in use that seems better, or else the one not tried last.
    int neighbour() const {
        const int more = used_ - 1, fewer = used_ + 1;
        if (more < 0) return fewer;
        if (most_ >> used_ <= 1) return more;
        const double a = costs_[more], b = costs_[fewer];
        if (a > 0 && b > 0 && (std::min)(a, b) < costs_[used_]) return a < b ? more : fewer;
        return was_more_ ? fewer : more;
    }

    int most_, used_ = 0, tried_ = none;  ///< used_ and tried_: most_ is halved that often
    bool was_more_ = false;
    int windows_since_trial_ = windows_between_trials;
    double window_ = first_window;  ///< seconds
    double earned_ = first_credit;  ///< seconds that trials may cost now
    double window_seconds_ = 0, window_work_ = 0;
    double costs_[most_choices] = {};  ///< seconds a unit of work, by choice; 0: not known
};

}  // namespace weft::detail
