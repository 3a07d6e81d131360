/// \file
/// StepTable: the numbers of the optimiser's next steps, written ahead.
#pragma once

#include "weft/training/detail/training_state.hpp"

#include <array>

namespace weft::detail {

/// What differs from step to step is data on the device: a row for each of some steps to come,
/// written by the host at once and read by kernels. Where the device's memory is the host's,
/// nothing is gained by more than one.
template <class Scalar, class Device>
class StepTable {
public:
    using Options = TrainerOptions<Scalar, Device>;

    struct Step {
        const std::uint32_t* number;  ///< of the step, from 0, on the device
        const std::byte* numbers;     ///< the optimiser's, on the device
        double learning_rate;
    };

    WEFT_COLD StepTable(const Options& options, const Device& device)
        : row_bytes_(row_bytes(options)), rows_(Shape{most, row_bytes_}, device) {}

    /// The next step of a training that has come so far.
    Step next(const Device& device, const Options& options,
              const TrainingState<Scalar, Device>& state) {
        const bool is_known = state.steps >= first_ && state.steps < first_ + count_ &&
                              (options.learning_rate_schedule || state.learning_rate == rate_);
        if (!is_known) write(device, options, state);
        const std::int64_t row = state.steps - first_;
        const std::byte* const begin = rows_.data() + row * row_bytes_;
        return {reinterpret_cast<const std::uint32_t*>(begin), begin + head_bytes,
                rates_[static_cast<std::size_t>(row)]};
    }

private:
    static constexpr Index most = Device::is_host ? 1 : 32;
    static constexpr Index head_bytes = 16;  ///< the number of the step

    static Index row_bytes(const Options& options) {
        constexpr Index line = 64;
        return (head_bytes + static_cast<Index>(options.optimizer->step_bytes()) + line) / line *
               line;
    }

    WEFT_NOINLINE void write(const Device& device, const Options& options,
                             const TrainingState<Scalar, Device>& state) {
        first_ = state.steps;
        rate_ = state.learning_rate;
        count_ = 0;
        while (count_ < most) {
            const std::int64_t step = first_ + count_;
            const double rate =
                count_ == 0 ? state.next_rate(options, step) : ahead_rate(options, state, step);
            if (!(rate >= 0)) break;  // its own step will say so
            rates_[static_cast<std::size_t>(count_)] = rate;
            std::byte* const row = rows_.host().data() + count_ * row_bytes_;
            detail::write_step(static_cast<std::uint32_t>(step), row);
            options.optimizer->write_step(step + 1, rate, row + head_bytes);
            ++count_;
        }
        rows_.send(device, count_);
    }

    /// -1 where a schedule gives no rate, which is an error when the step is taken and not before.
    static double ahead_rate(const Options& options, const TrainingState<Scalar, Device>& state,
                             std::int64_t step) {
        try {
            return state.next_rate(options, step);
        } catch (...) {
            return -1;
        }
    }

    Index row_bytes_;
    StagedTensor<std::byte, Device> rows_;
    std::array<double, static_cast<std::size_t>(most)> rates_{};
    std::int64_t first_ = 0;
    Index count_ = 0;
    double rate_ = 0;
};

}  // namespace weft::detail
