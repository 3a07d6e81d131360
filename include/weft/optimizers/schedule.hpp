/// \file
/// Schedules: the learning rate as a function of the step.
#pragma once

#include "weft/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <optional>
#include <string_view>
#include <vector>

namespace weft {

/// The learning rate of each step, counted from 0: any pure function of the step, so a resumed run
/// continues with the right rate. The schedules below are Keras's, and StepDecay. They throw
/// ArgumentError when called with options out of range.
using Schedule = std::function<double(std::int64_t step)>;

namespace detail {

inline void require_steps(std::string_view schedule, std::string_view option, std::int64_t steps) {
    require_option(steps >= 1, schedule, option, static_cast<double>(steps), "at least 1");
}

inline void require_at_least_0(std::string_view schedule, std::string_view option, double value) {
    require_option(value >= 0 && std::isfinite(value), schedule, option, value,
                   "a finite number of at least 0");
}

inline void require_positive(std::string_view schedule, std::string_view option, double value) {
    require_option(value > 0 && std::isfinite(value), schedule, option, value, "a positive number");
}

}  // namespace detail

/// initial_learning_rate decay_rate^(step / decay_steps); with staircase, the exponent is rounded
/// down.
struct ExponentialDecay {
    double initial_learning_rate;  ///< at least 0
    std::int64_t decay_steps;      ///< at least 1
    double decay_rate;             ///< above 0
    bool staircase = false;        ///< decays once every decay_steps alone

    double operator()(std::int64_t step) const {
        detail::require_at_least_0("ExponentialDecay", "initial_learning_rate",
                                   initial_learning_rate);
        detail::require_steps("ExponentialDecay", "decay_steps", decay_steps);
        detail::require_positive("ExponentialDecay", "decay_rate", decay_rate);
        double periods = static_cast<double>(step) / static_cast<double>(decay_steps);
        if (staircase) periods = std::floor(periods);
        return initial_learning_rate * std::pow(decay_rate, periods);
    }
};

/// values[k] for steps up to boundaries[k], the last value after the last boundary.
struct PiecewiseConstantDecay {
    std::vector<std::int64_t> boundaries;  ///< increasing
    std::vector<double> values;            ///< one more than boundaries, at least 0

    double operator()(std::int64_t step) const {
        if (values.size() != boundaries.size() + 1) {
            throw ArgumentError(
                detail::join({"PiecewiseConstantDecay: ", values.size(), " values for ",
                              boundaries.size(), " boundaries, expected one more"}));
        }
        for (std::size_t k = 1; k < boundaries.size(); ++k) {
            if (boundaries[k] <= boundaries[k - 1]) {
                throw ArgumentError(
                    detail::join({"PiecewiseConstantDecay: boundary ", k, " is ", boundaries[k],
                                  ", expected more than ", boundaries[k - 1]}));
            }
        }
        for (const double value : values) {
            detail::require_at_least_0("PiecewiseConstantDecay", "a value", value);
        }
        const auto next = std::lower_bound(boundaries.begin(), boundaries.end(), step);
        return values[static_cast<std::size_t>(next - boundaries.begin())];
    }
};

/// Half a cosine from initial_learning_rate down to alpha times it over decay_steps, then constant.
/// With a warmup_target, the rate first rises linearly from initial_learning_rate to it over
/// warmup_steps, and the cosine starts from there. Without one, warmup_steps has no effect, as in
/// Keras.
struct CosineDecay {
    double initial_learning_rate;              ///< at least 0
    std::int64_t decay_steps;                  ///< at least 1
    double alpha = 0;                          ///< in [0, 1]
    std::optional<double> warmup_target = {};  ///< at least 0
    std::int64_t warmup_steps = 0;             ///< at least 0

    double operator()(std::int64_t step) const {
        detail::require_at_least_0("CosineDecay", "initial_learning_rate", initial_learning_rate);
        detail::require_steps("CosineDecay", "decay_steps", decay_steps);
        detail::require_option(alpha >= 0 && alpha <= 1, "CosineDecay", "alpha", alpha,
                               "a number in [0, 1]");
        const double top = warmup_target.value_or(initial_learning_rate);
        detail::require_at_least_0("CosineDecay", "warmup_target", top);
        detail::require_option(warmup_steps >= 0, "CosineDecay", "warmup_steps",
                               static_cast<double>(warmup_steps), "at least 0");
        const std::int64_t warmup = warmup_target ? warmup_steps : 0;
        if (step < warmup) {
            return initial_learning_rate + (top - initial_learning_rate) *
                                               static_cast<double>(step) /
                                               static_cast<double>(warmup);
        }
        const double share =
            (std::min)(1.0, static_cast<double>(step - warmup) / static_cast<double>(decay_steps));
        return top * ((1 - alpha) * 0.5 * (1 + std::cos(std::numbers::pi * share)) + alpha);
    }
};

/// initial_learning_rate factor^k with k = step / steps, rounded down.
struct StepDecay {
    double initial_learning_rate;  ///< at least 0
    std::int64_t steps;            ///< at least 1
    double factor = 0.5;           ///< above 0

    double operator()(std::int64_t step) const {
        detail::require_at_least_0("StepDecay", "initial_learning_rate", initial_learning_rate);
        detail::require_steps("StepDecay", "steps", steps);
        detail::require_positive("StepDecay", "factor", factor);
        const std::int64_t decays = step / steps;
        return initial_learning_rate * std::pow(factor, static_cast<double>(decays));
    }
};

/// (initial - end) (1 - step / decay_steps)^power + end, constant after decay_steps.
struct PolynomialDecay {
    double initial_learning_rate;       ///< at least 0
    std::int64_t decay_steps;           ///< at least 1
    double end_learning_rate = 0.0001;  ///< at least 0
    double power = 1;                   ///< at least 0

    double operator()(std::int64_t step) const {
        detail::require_at_least_0("PolynomialDecay", "initial_learning_rate",
                                   initial_learning_rate);
        detail::require_steps("PolynomialDecay", "decay_steps", decay_steps);
        detail::require_at_least_0("PolynomialDecay", "end_learning_rate", end_learning_rate);
        detail::require_at_least_0("PolynomialDecay", "power", power);
        const double left = 1 - static_cast<double>((std::min)(step, decay_steps)) /
                                    static_cast<double>(decay_steps);
        return (initial_learning_rate - end_learning_rate) * std::pow(left, power) +
               end_learning_rate;
    }
};

}  // namespace weft
