/// \file
/// Schedules: the learning rate as a function of the step.
#pragma once

#include "weft/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <vector>

namespace weft {

/// The learning rate of each step, counted from 0. Any function will do; those below are Keras's.
/// A pure function of the step, so that a run that goes on later goes on with the right rate.
using Schedule = std::function<double(std::int64_t step)>;

/// initial_learning_rate * decay_rate^(step / decay_steps); with staircase, of the whole part.
struct ExponentialDecay {
    double initial_learning_rate;
    std::int64_t decay_steps;
    double decay_rate;
    bool staircase = false;

    double operator()(std::int64_t step) const {
        double periods = static_cast<double>(step) / static_cast<double>(decay_steps);
        if (staircase) periods = std::floor(periods);
        return initial_learning_rate * std::pow(decay_rate, periods);
    }
};

/// values[k] for steps up to boundaries[k], the last value after the last boundary.
struct PiecewiseConstantDecay {
    std::vector<std::int64_t> boundaries;  ///< increasing
    std::vector<double> values;            ///< one more than boundaries

    double operator()(std::int64_t step) const {
        if (values.size() != boundaries.size() + 1) {
            throw ArgumentError(concat("PiecewiseConstantDecay: ", values.size(), " values for ",
                                       boundaries.size(), " boundaries, expected one more"));
        }
        const auto next = std::ranges::lower_bound(boundaries, step);
        return values[static_cast<std::size_t>(next - boundaries.begin())];
    }
};

/// Half a cosine from initial_learning_rate down to alpha times it, over decay_steps, then
/// constant. With warmup_steps, first a line from initial_learning_rate to warmup_target, from
/// which the cosine then starts.
struct CosineDecay {
    double initial_learning_rate;
    std::int64_t decay_steps;
    double alpha = 0;  ///< in [0, 1]
    double warmup_target = 0;
    std::int64_t warmup_steps = 0;

    double operator()(std::int64_t step) const {
        const double top = warmup_steps > 0 ? warmup_target : initial_learning_rate;
        if (step < warmup_steps) {
            return initial_learning_rate + (top - initial_learning_rate) *
                                               static_cast<double>(step) /
                                               static_cast<double>(warmup_steps);
        }
        const double share = std::min(
            1.0, static_cast<double>(step - warmup_steps) / static_cast<double>(decay_steps));
        return top * ((1 - alpha) * 0.5 * (1 + std::cos(std::numbers::pi * share)) + alpha);
    }
};

/// initial_learning_rate * factor^k in the k-th stretch of that many steps, from 0.
struct StepDecay {
    double initial_learning_rate;
    std::int64_t steps;
    double factor = 0.5;

    double operator()(std::int64_t step) const {
        return initial_learning_rate * std::pow(factor, static_cast<double>(step / steps));
    }
};

/// (initial - end) (1 - step / decay_steps)^power + end, constant after decay_steps.
struct PolynomialDecay {
    double initial_learning_rate;
    std::int64_t decay_steps;
    double end_learning_rate = 0.0001;
    double power = 1;

    double operator()(std::int64_t step) const {
        const double left =
            1 - static_cast<double>(std::min(step, decay_steps)) / static_cast<double>(decay_steps);
        return (initial_learning_rate - end_learning_rate) * std::pow(left, power) +
               end_learning_rate;
    }
};

}  // namespace weft
