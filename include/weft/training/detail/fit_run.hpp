/// \file
/// FitRun: one call of fit, step by step.
#pragma once

#include "weft/training/detail/callback_list.hpp"
#include "weft/training/detail/check_output.hpp"
#include "weft/training/detail/evaluate.hpp"
#include "weft/training/detail/model_run.hpp"
#include "weft/training/detail/non_finite_guard.hpp"
#include "weft/training/detail/resident_data.hpp"

namespace weft::detail {

/// Trains on the first train_size samples; evaluates those from there on, or validation_data.
template <class Scalar, class Device>
class FitRun final : public ModelRun<Scalar, Device> {
public:
    WEFT_COLD FitRun(const ModelReference<Model<Scalar, Device>>& reference,
                     const TrainerOptions<Scalar, Device>& trainer,
                     TrainingState<Scalar, Device>& state, const Dataset<Scalar>& data,
                     Index train_size, const FitOptions<Scalar>& options)
        : ModelRun<Scalar, Device>(reference, trainer, state),
          data_(data),
          options_(options),
          batches_(data, train_size, options),
          step_(model_, trainer, state, options, batches_.batch_size(), batches_.step_samples()),
          callbacks_(options.callbacks) {
        progress_.sums.resize(score_count(trainer));
        if constexpr (!Device::is_host) {
            using Resident = ResidentData<Scalar, Device>;
            if (!Resident::suits(data, train_size, options)) return;
            try {
                resident_ = std::make_unique<Resident>(data, train_size, step_.device());
            } catch (const std::exception&) {
                // There is no memory for them, so they go batch by batch. What else went wrong, such
                // as a file that cannot be read, goes wrong there again.
                resident_.reset();
            }
        }
    }

    WEFT_COLD History run() {
        try {
            begin();
            run_epochs();
        } catch (...) {
            guard_.set_back();
            callbacks_.end(*this);
            throw;
        }
        if (const std::exception_ptr failure = callbacks_.end(*this))
            std::rethrow_exception(failure);
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
        return with_validation(names_, validation().size() > first_of_validation());
    }
    void stop() override { progress_.stopped = true; }

    /// All that decides how the run goes on, under "training/": for StateFields.
    WEFT_COLD void visit_state(StateFields& field) {
        const std::vector<std::string> names = score_names();
        const std::string this_plan = plan(names);
        std::string known_plan = this_plan;
        field("of", known_plan);
        field.require(known_plan == this_plan, "of",
                      concat("is of another run: ", known_plan, "; this one: ", this_plan));
        TrainingStateField trainer{state_, step_.device()};
        field("trainer", trainer);
        if (!field.is_restoring()) progress_.sums = step_.tally().sums(step_.device());
        progress_.visit_state(field, names, batches_.count(), batches_.to_update());
        if (field.is_restoring()) {
            step_.tally().begin(step_.device(), progress_.step, progress_.sums);
        }
        callbacks_.visit_state(field, *this);
    }

private:
    using Clock = ProgressLine::Clock;

    void call(CallbackHandle::Event event) {
        callbacks_.call(event, *this, [this] { this->require_model(); });
    }

    WEFT_COLD void begin() {
        const RunStore& store = options_.checkpoint;
        // Twice: before the callbacks begin, so that a refused checkpoint changes nothing; and after,
        // because on_train_begin resets their state.
        is_resumed_ = store && store.load(visit_);
        callbacks_.begin(*this, [this] { this->require_model(); });
        if (is_resumed_) {
            store.load(visit_);
            report_resumed();
        } else {
            save_state();  // what cannot be written is learnt now
        }
    }

    void run_epochs() {
        // An epoch that is open goes to its end, whatever was asked for meanwhile.
        while (!progress_.epoch_over ||
               (!progress_.stopped && std::ssize(progress_.history.epochs) < options_.epochs)) {
            if (!run_epoch()) return;
        }
    }

    // ---- The state of the run, kept outside of the program ------------------------------------

    /// What has to be the same for a run to go on where another stopped.
    WEFT_COLD std::string plan(const std::vector<std::string>& score_names) const {
        std::string names;
        for (const std::string& name : score_names) names += concat(", ", name);
        const Index to_update = batches_.to_update();
        if (to_update > 1) names += concat(", ", to_update, " batches to an update");
        return concat("seed ", options_.seed, ", batches of ", batches_.batch_size(), " of ",
                      batches_.train_size(), options_.shuffle ? " shuffled" : "", " samples, ",
                      trainer_.optimizer.type(), names);
    }

    WEFT_COLD void visit_all(StateFields& field) {
        for (const ParameterInfo& parameter : model_.parameters()) {
            if (parameter.name.starts_with("training/")) {
                throw ArgumentError(concat("fit: a checkpoint has a ", parameter.name,
                                           " of its own; rename the layer"));
            }
            visit_tensor(field, parameter.name, model_.device(), model_.view(parameter.slot));
        }
        field("training", *this);
    }

    void save_state() const {
        if (options_.checkpoint) options_.checkpoint.save(visit_);
    }

    WEFT_COLD void report_resumed() const {
        if (options_.verbosity == Verbosity::silent) return;
        const std::string where = progress_.epoch_over
                                      ? concat("epoch ", progress_.epoch)
                                      : concat("step ", progress_.step, "/", batches_.count(),
                                               " of epoch ", progress_.epoch);
        std::printf("Resumed after %s\n", where.c_str());
    }

    // ---- Epochs and steps -----------------------------------------------------------------------

    /// Begins an epoch, or goes on with the one that a resumed run was stopped in. False when a
    /// number went wrong.
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
            if (resident_) resident_->set_order(step_.device(), batches_.order());
        }
        // Before the callbacks: reading ahead starts here.
        const auto reader = batches_.read_from(progress_.step);
        if (begins) call(CallbackHandle::Event::epoch_begin);
        ProgressLine line(options_.verbosity, progress_.epoch, options_.epochs, batches_.count());
        const auto start = Clock::now();
        const double seconds_before = progress_.seconds;
        while (progress_.step < batches_.count()) {
            ++progress_.step;
            run_step(*reader);
            const bool is_listened_to = callbacks_.listen_to_batches();
            if ((Device::is_host || is_listened_to) && !guard_.is_finite()) return false;
            if (is_listened_to) call(CallbackHandle::Event::batch_end);
            const auto now = Clock::now();
            progress_.seconds = seconds_before + std::chrono::duration<double>(now - start).count();
            if (line.wants_update(now)) {
                if (!guard_.is_finite()) return false;
                line.update(now, progress_.step, progress_.seconds, scores());
            }
            const Index every = options_.checkpoint.every_steps;
            if (every > 0 && progress_.step % batches_.to_update() == 0 &&
                state_.steps % every == 0 && progress_.step < batches_.count()) {
                if (!guard_.is_finite()) return false;
                save_state();
            }
        }
        step_.check_parameters();
        if (!guard_.is_finite()) return false;
        if constexpr (!Device::is_host) {  // which was waited for just now
            progress_.seconds =
                seconds_before + std::chrono::duration<double>(Clock::now() - start).count();
        }
        progress_.history.epochs.push_back(make_record());
        progress_.epoch_over = true;
        line.finish(progress_.seconds, progress_.history.epochs.back().scores);
        call(CallbackHandle::Event::epoch_end);
        save_state();
        return true;
    }

    const Dataset<Scalar>& validation() const {
        return options_.validation_data ? *options_.validation_data : data_;
    }
    Index first_of_validation() const {
        return options_.validation_data ? 0 : batches_.train_size();
    }

    /// What the epoch measured, and the validation after it.
    WEFT_COLD EpochRecord make_record() const {
        EpochRecord record{scores(), progress_.seconds};
        record.samples_per_second = static_cast<double>(batches_.train_size()) / progress_.seconds;
        record.learning_rate = state_.learning_rate;
        const Index first = first_of_validation(), end = validation().size();
        if (first < end) {
            for (const auto& [name, value] : evaluate<Scalar, Device>(
                     model_, trainer_, validation(), first, end, options_.batch_size,
                     {options_.validation_data ? options_.validation_sample_weight
                                               : options_.sample_weight})) {
                record.scores.set(concat("val_", name), value);
            }
        }
        return record;
    }

    /// Reads and trains on the next batch.
    WEFT_COLD void run_step(BatchReader<Scalar>& batches) {
        const UpdatePart batch = batches_[progress_.step - 1];
        const Index n = std::ssize(batch.samples);
        // Forward, backward, update: about three forward passes.
        const double work = 3 * model_.work(n);
        if constexpr (!Device::is_host) {
            // Hints are given of numbers that the host has.
            if (resident_ && state_.has_hinted) {
                return run_pass(step_.device(), work, [&] {
                    this->require_model();
                    step_.run(batch, *resident_);
                });
            }
        }
        run_on_next_batch(batches, step_.batch(), n, work, [&] {
            this->require_model();
            if (!state_.has_hinted) give_hints(step_.batch().x.host().slice(0, n));
            step_.run(batch);
        });
    }

    /// Tells what looks like a mistake, once.
    WEFT_COLD void give_hints(TensorView<const Scalar> x) {
        for (const Scalar value : x) {
            if (!std::isfinite(value)) return;
        }
        state_.has_hinted = true;
        std::vector<std::string> hints = check_each_output(model_, trainer_);
        if (model_.input_shapes().size() == 1) hints.push_back(check_input(model_, x));
        for (std::string& hint : hints) {
            if (hint.empty()) continue;
            if (options_.verbosity != Verbosity::silent) std::printf("Hint: %s\n", hint.c_str());
            progress_.history.hints.push_back(std::move(hint));
        }
    }

    using ModelRun<Scalar, Device>::model_;
    using ModelRun<Scalar, Device>::trainer_;
    using ModelRun<Scalar, Device>::state_;

    const Dataset<Scalar>& data_;
    const FitOptions<Scalar>& options_;
    const std::vector<std::string> names_ = detail::score_names(model_, trainer_);  ///< of scores
    EpochBatches<Scalar> batches_;
    TrainingStep<Scalar, Device> step_;
    CallbackList callbacks_;
    RunProgress progress_;
    NonFiniteGuard<Scalar, Device> guard_{trainer_, state_,    batches_,
                                          step_,    progress_, options_.verbosity};
    /// Where the device's memory is not the host's, and the data suit it.
    [[no_unique_address]] std::conditional_t<
        Device::is_host, std::nullptr_t, std::unique_ptr<ResidentData<Scalar, Device>>> resident_{};
    bool is_resumed_ = false;
    const VisitState visit_ = [this](StateFields& field) { visit_all(field); };
};

}  // namespace weft::detail
