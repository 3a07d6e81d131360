/// \file
/// FitRun: one call of fit, step by step.
#pragma once

#include "weft/core/processor.hpp"
#include "weft/training/detail/callback_list.hpp"
#include "weft/training/detail/check_output.hpp"
#include "weft/training/detail/evaluate.hpp"
#include "weft/training/detail/non_finite_guard.hpp"
#include "weft/training/detail/resident_data.hpp"
#include "weft/training/detail/run_checkpoint.hpp"

namespace weft::detail {

/// Trains on the first train_size samples; evaluates the rest, or validation_data.
template <class Scalar, class Device>
class FitRun final : public ModelRun<Scalar, Device> {
public:
    WEFT_COLD FitRun(const ModelReference<Model<Scalar, Device>>& reference,
                     const TrainerOptions<Scalar, Device>& trainer,
                     TrainingState<Scalar, Device>& state, const Dataset<Scalar>& data,
                     Index train_size, const FitOptions<Scalar>& options,
                     const LossWeights& weights, Validation<Scalar, Device>& validation)
        : ModelRun<Scalar, Device>(reference, trainer, state),
          options_(options),
          validation_(validation),
          batches_(data, train_size, options),
          step_(model_, trainer, state, options, weights, batches_.batch_size(),
                batches_.step_samples(), column_order(data, model_, trainer, "fit")),
          callbacks_(options.callbacks) {
        progress_.sums = std::vector<MetricSum>(score_count(trainer));
        if constexpr (!Device::is_host) {
            resident_ = ResidentData<Scalar, Device>::make_if_suits(data, train_size, options,
                                                                    step_.device());
            validation_.often.most_bytes =
                options.resident_bytes - (resident_ ? resident_->bytes() : 0);
        }
    }

    WEFT_COLD History run() {
        try {
            begin();
            while (goes_on() && run_epoch()) {
            }
        } catch (...) {
            guard_.set_back();
            callbacks_.end(*this);
            throw;
        }
        if (const auto failure = callbacks_.end(*this)) std::rethrow_exception(failure);
        return std::move(progress_.history);
    }

    Index epoch() const override { return progress_.epoch; }
    Index epochs() const override { return options_.epochs; }
    Index ended_epochs() const override { return std::ssize(progress_.history.epochs); }
    Index step() const override { return progress_.step; }
    bool is_resumed() const override { return is_resumed_; }
    WEFT_COLD Scores scores() const override {
        const bool is_recorded = progress_.epoch_over && !progress_.history.epochs.empty();
        return is_recorded ? progress_.history.epochs.back().scores
                           : mean_scores(trainer_, names_, step_.tally().sums(step_.device()));
    }
    WEFT_COLD std::vector<std::string> score_names() const override {
        return with_validation(names_, validation_.first < validation_.data->size());
    }
    void stop() override { progress_.stopped = true; }

private:
    WEFT_COLD void call(CallbackHandle::Event event) {
        callbacks_.call(event, *this, [this] { this->require_model(); });
    }

    WEFT_COLD void begin() {
        // Load twice: before the callbacks begin, so a refused checkpoint changes nothing; and
        // after, because on_train_begin resets their state.
        is_resumed_ = checkpoint_.load();
        call(CallbackHandle::Event::train_begin);
        if (is_resumed_) {
            checkpoint_.load();
            if (options_.verbosity != Verbosity::silent) progress_.report_resumed(batches_.count());
        } else {
            checkpoint_.save();  // fails now if it cannot be written
        }
    }

    /// An open epoch is completed, also after a request to stop.
    bool goes_on() const {
        return !progress_.epoch_over || (!progress_.stopped && ended_epochs() < options_.epochs);
    }

    /// Runs an epoch, or the rest of the one in which a resumed run was interrupted. False if a
    /// number was not finite.
    WEFT_COLD bool run_epoch() {
        const bool begins = progress_.epoch_over;
        if (begins) {
            progress_.begin_epoch();
            step_.tally().begin(step_.device(), 0, progress_.sums);
            ++state_.epochs;
        }
        guard_.begin_epoch();
        batches_.begin(state_.epochs - 1, progress_.epoch == options_.epochs);
        step_.begin_epoch(progress_.step);
        if constexpr (!Device::is_host) {
            if (resident_)
                resident_->begin_epoch(step_.device(), batches_.order(), batches_.epoch());
        }
        // Before the callbacks, since reading ahead starts here, unless all samples are on the
        // device.
        const bool reads = resident_ == nullptr || !state_.has_hinted;
        const auto reader = reads ? batches_.read_from(progress_.step) : nullptr;
        if (begins) call(CallbackHandle::Event::epoch_begin);
        ProgressLine line(options_.verbosity, progress_.epoch, options_.epochs, batches_.count());
        const double start = steady_seconds();
        const double seconds_before = progress_.seconds;
        while (progress_.step < batches_.count()) {
            const bool is_listened_to = callbacks_.listen_to_batches();
            const Index steps = is_listened_to ? 1 : steps_at_once();
            progress_.step += steps;
            run_steps(reader.get(), steps);
            if ((Device::is_host || is_listened_to) && !guard_.is_finite()) return false;
            if (is_listened_to) call(CallbackHandle::Event::batch_end);
            const double now = steady_seconds();
            progress_.seconds = seconds_before + now - start;
            if (line.wants_update(now)) {
                if (Device::is_host || is_listened_to || line.wants_scores(progress_.step)) {
                    if (!guard_.is_finite()) return false;
                    line.set_scores(scores());
                }
                line.update(now, progress_.step, progress_.seconds);
            }
            if (checkpoint_.is_due()) {
                if (!guard_.is_finite()) return false;
                checkpoint_.save();
            }
        }
        step_.check_parameters();
        if (!guard_.is_finite()) return false;
        if constexpr (!Device::is_host) {  // which was waited for just now
            progress_.seconds = seconds_before + steady_seconds() - start;
        }
        progress_.history.epochs.push_back(make_record());
        progress_.epoch_over = true;
        line.finish(progress_.seconds, progress_.history.epochs.back().scores);
        call(CallbackHandle::Event::epoch_end);
        checkpoint_.save();
        return true;
    }

    /// The scores of the epoch, and of the validation after it.
    WEFT_COLD EpochRecord make_record() {
        EpochRecord record{scores(), progress_.seconds};
        record.samples_per_second = static_cast<double>(batches_.train_size()) / progress_.seconds;
        record.learning_rate = state_.learning_rate;
        validation_.add_scores(model_, trainer_, options_.batch_size, record.scores);
        return record;
    }

    /// The number of next steps that the host need not observe one by one.
    WEFT_COLD Index steps_at_once() {
        if constexpr (!Device::is_host) {
            const Index whole = batches_.train_size() / batches_.batch_size() - progress_.step;
            if (resident_ && state_.has_hinted) return step_.steps_at_once(whole);
        }
        return 1;
    }

    /// Reads and trains on `steps` batches, the last of them progress_.step.
    WEFT_COLD void run_steps(BatchReader<Scalar>* batches, Index steps) {
        const UpdatePart batch = batches_[progress_.step - steps];
        const Index n = std::ssize(batch.samples);
        const double work = static_cast<double>(steps) * 3 * model_.work(n);  // with backward
        if constexpr (!Device::is_host) {
            if (resident_) {
                if (!state_.has_hinted) {  // hints need the numbers on the host
                    step_.batch().read(*batches, n);
                    give_hints(step_.batch().x.host().slice(0, n));
                }
                return run_pass(step_.device(), work, [&] {
                    this->require_model();
                    step_.run(batch, *resident_, steps);
                });
            }
        }
        run_on_next_batch(*batches, step_.batch(), n, work, [&] {
            this->require_model();
            if (!state_.has_hinted) give_hints(step_.batch().x.host().slice(0, n));
            step_.run(batch);
        });
    }

    /// Reports likely mistakes, once.
    WEFT_COLD void give_hints(TensorView<const Scalar> x) {
        for (const Scalar value : x) {
            if (!std::isfinite(value)) return;
        }
        state_.has_hinted = true;
        for (std::string& hint : hints(model_, trainer_, x)) {
            if (hint.empty()) continue;
            if (options_.verbosity != Verbosity::silent) std::printf("Hint: %s\n", hint.c_str());
            progress_.history.hints.push_back(std::move(hint));
        }
    }

    using ModelRun<Scalar, Device>::model_;
    using ModelRun<Scalar, Device>::trainer_;
    using ModelRun<Scalar, Device>::state_;

    const FitOptions<Scalar>& options_;
    Validation<Scalar, Device>& validation_;
    const std::vector<std::string> names_ = detail::score_names(model_, trainer_);  ///< of scores
    EpochBatches<Scalar> batches_;
    TrainingStep<Scalar, Device> step_;
    CallbackList callbacks_;
    RunProgress progress_;
    NonFiniteGuard<Scalar, Device> guard_{*this, batches_, step_, progress_, options_.verbosity};
    /// Set if the device's memory is not the host's and the data suit it.
    [[no_unique_address]] KeptOnDevice<Device, ResidentData<Scalar, Device>> resident_{};
    bool is_resumed_ = false;
    RunCheckpoint<Scalar, Device> checkpoint_{options_.checkpoint, *this,    batches_, step_,
                                              callbacks_,          progress_};
};

}  // namespace weft::detail
