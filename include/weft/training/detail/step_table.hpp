/// \file
/// StepTable: the numbers of the optimiser's next steps, written ahead.
#pragma once

#include "weft/kernels/step.hpp"
#include "weft/training/detail/training_state.hpp"

#include <array>

namespace weft::detail {

/// The numbers that differ from step to step, as data on the device: the host writes rows for
/// several next steps at once. Each step begins with a kernel that copies the next row to a fixed
/// place, where the other kernels read it. So all steps have the same kernels and arguments, and a
/// device can record one and repeat it. If the device's memory is the host's, there is only one
/// row.
template <class Scalar, class Device>
class StepTable {
public:
    using Options = TrainerOptions<Scalar, Device>;

    /// The row of the current step, on the device.
    struct Step {
        const std::uint32_t* number;  ///< from 0
        const std::byte* numbers;     ///< the optimiser's
    };

    WEFT_COLD StepTable(const Options& options, Index samples_of_step, const Device& device)
        : samples_of_step_(samples_of_step),
          row_bytes_(row_bytes(options)),
          rows_(Shape{most, row_bytes_}, device),
          row_(Shape{Device::is_host ? 0 : row_bytes_}, device),
          taken_on_device_(Shape{Device::is_host ? 0 : 1}, device) {}

    /// Begins an epoch with its first step.
    void begin_epoch(std::int64_t first_step) {
        epoch_begin_ = first_step;
        count_ = 0;
    }

    /// The number of next steps with rows, at least one; writes rows if needed.
    Index steps_ahead(const Device& device, const Options& options,
                      const TrainingState<Scalar, Device>& state) {
        const bool is_known = state.steps == first_ + taken_ && taken_ < count_ &&
                              (options.learning_rate_schedule || state.learning_rate == rate_);
        if (!is_known) write(device, options, state);
        return count_ - taken_;
    }

    /// Uses the rows of the next `steps` steps, at most steps_ahead(), and returns the learning
    /// rate of the last. It is the host's part; take(device) follows for each.
    double prepare(const Device& device, const Options& options,
                   const TrainingState<Scalar, Device>& state, Index steps = 1) {
        steps_ahead(device, options, state);
        taken_ += steps;
        return rates_[static_cast<std::size_t>(taken_ - 1)];
    }

    /// Copies the next row to step(), on the device.
    void take(Device& device) {
        if constexpr (!Device::is_host) {
            const kernels::StepRow row = row_on_device();
            copy_next_row(device, row.bytes, row.rows, row.taken, row.row);
        }
    }

    /// The rows and their place, for a kernel that takes the next row itself.
    kernels::StepRow row_on_device() {
        return {row_bytes_, std::as_const(rows_).data(), taken_on_device_.data(), row_.data(),
                first_sample};
    }

    Step step() const {
        const std::byte* const row = Device::is_host ? rows_.data() : row_.data();
        return {reinterpret_cast<const std::uint32_t*>(row), row + head_bytes};
    }

private:
    static constexpr Index most = Device::is_host ? 1 : 32;
    static constexpr Index head_bytes = 16;  ///< number and first sample of the step
    static constexpr Index first_sample = sizeof(std::uint32_t);

    static Index row_bytes(const Options& options) {
        constexpr Index line = 64;
        return (head_bytes + static_cast<Index>(options.optimizer->step_bytes()) + line) / line *
               line;
    }

    WEFT_COLD void write(const Device& device, const Options& options,
                         const TrainingState<Scalar, Device>& state) {
        first_ = state.steps;
        rate_ = state.learning_rate;
        count_ = taken_ = 0;
        while (count_ < most) {
            const std::int64_t step = first_ + count_;
            const double rate =
                count_ == 0 ? state.next_rate(options, step) : ahead_rate(options, state, step);
            if (!(rate >= 0)) break;  // throws at its own step
            rates_[static_cast<std::size_t>(count_)] = rate;
            std::byte* const row = rows_.host().data() + count_ * row_bytes_;
            detail::write_step(static_cast<std::uint32_t>(step), row);
            detail::write_step(static_cast<std::int32_t>((step - epoch_begin_) * samples_of_step_),
                               row + first_sample);
            options.optimizer->write_step(step + 1, rate, row + head_bytes);
            ++count_;
        }
        rows_.send(device, count_);
        if constexpr (!Device::is_host) {
            taken_on_device_.host()[0] = 0;
            taken_on_device_.send(device, 1);
        }
    }

    /// The rate; -1 if the schedule throws, which is an error only when the step is taken.
    static double ahead_rate(const Options& options, const TrainingState<Scalar, Device>& state,
                             std::int64_t step) {
        try {
            return state.next_rate(options, step);
        } catch (...) {
            return -1;
        }
    }

    Index samples_of_step_, row_bytes_;
    StagedTensor<std::byte, Device> rows_;
    Tensor<std::byte, Device> row_;                       ///< of the current step
    StagedTensor<std::int32_t, Device> taken_on_device_;  ///< number of rows taken
    std::array<double, static_cast<std::size_t>(most)> rates_{};
    std::int64_t epoch_begin_ = 0, first_ = 0;
    Index count_ = 0, taken_ = 0;
    double rate_ = 0;
};

}  // namespace weft::detail
