/// \file
/// FitRun: one call of fit, step by step.
#pragma once

#include "weft/training/detail/check_output.hpp"
#include "weft/training/detail/evaluate.hpp"
#include "weft/training/detail/find_non_finite.hpp"
#include "weft/training/detail/history_table.hpp"
#include "weft/training/detail/training_state.hpp"

#include <exception>

namespace weft::detail {

/// Trains on the first train_size samples; evaluates those from there on, or validation_data.
template <class Scalar, class Device>
class FitRun final : public TrainingRun {
public:
    using Model = weft::Model<Scalar, Device>;

    WEFT_COLD FitRun(const ModelReference<Model>& reference,
                     const TrainerOptions<Scalar, Device>& trainer,
                     TrainingState<Scalar, Device>& state, const Dataset<Scalar>& data,
                     Index train_size, const FitOptions<Scalar>& options)
        : reference_(reference),
          model_(reference.get("fit")),
          trainer_(trainer),
          state_(state),
          data_(data),
          options_(options),
          train_size_(train_size),
          batch_size_((std::min)(options.batch_size, train_size)),
          steps_((train_size + batch_size_ - 1) / batch_size_),
          batch_(model_, trainer.loss, batch_size_, PassKind::training),
          order_(static_cast<std::size_t>(train_size)),
          sums_(trainer.metrics.size() + 1),
          was_finite_(all_are_finite(std::as_const(model_).arena())) {}

    WEFT_COLD History run() {
        try {
            begin();
            run_epochs();
        } catch (...) {
            end();
            throw;
        }
        if (const std::exception_ptr failure = end()) std::rethrow_exception(failure);
        return std::move(history_);
    }

    Index epoch() const override { return epoch_; }
    Index epochs() const override { return options_.epochs; }
    Index ended_epochs() const override { return std::ssize(history_.epochs); }
    Index step() const override { return batch_step_; }
    bool is_resumed() const override { return is_resumed_; }
    WEFT_COLD Scores scores() const override {
        const bool is_recorded = epoch_over_ && !history_.epochs.empty();
        return is_recorded ? history_.epochs.back().scores : mean_scores(trainer_, sums_);
    }
    WEFT_COLD std::vector<std::string> score_names() const override {
        std::vector<std::string> names;
        const Scores own = mean_scores(trainer_, sums_);
        const bool validates = validation().size() > first_of_validation();
        for (const std::string_view prefix : {"", "val_"}) {
            if (!prefix.empty() && !validates) break;
            for (const auto& [name, value] : own) names.push_back(concat(prefix, name));
        }
        return names;
    }
    double learning_rate() const override { return state_.learning_rate; }
    void set_learning_rate(double rate) override { state_.set_learning_rate(trainer_, rate); }
    void stop() override { stopped_ = true; }

    WEFT_COLD Buffer save_weights() const override {
        require_model();
        Buffer copy(weights_bytes());
        copy_to_host<Scalar>(model_.device(), model_.arena(), numbers_in<Scalar>(copy));
        return copy;
    }
    std::size_t weights_bytes() const override {
        require_model();
        return static_cast<std::size_t>(model_.arena().size()) * sizeof(Scalar);
    }
    WEFT_COLD void load_weights(const Buffer& weights) override {
        const std::size_t size = weights_bytes();
        if (weights.size() != size) {
            throw ArgumentError(
                concat("load_weights: a buffer of ", weights.size(), " bytes, expected ", size));
        }
        copy_to_device<Scalar>(model_.device(), numbers_in<Scalar>(weights), model_.arena());
    }

    /// All that decides how the run goes on, under "training/": for StateFields.
    WEFT_COLD void visit_state(StateFields& field) {
        const std::vector<std::string> names = score_names();
        const std::string this_plan = plan(names);
        std::string known_plan = this_plan;
        field("of", known_plan);
        field.require(known_plan == this_plan, "of",
                      concat("is of another run: ", known_plan, "; this one: ", this_plan));
        TrainingStateField trainer{state_, model_.device()};
        field("trainer", trainer);
        field.count("epoch", epoch_);
        field.count("step", batch_step_);
        field("epoch_over", epoch_over_);
        field("stopped", stopped_);
        field("seconds", seconds_);
        field.require(seconds_ >= 0 && seconds_ < 1e15, "seconds", "are none");
        std::vector<double> sums;
        for (const MetricSum& sum : sums_) sums.push_back(sum.sum), sums.push_back(sum.count);
        field("sums", sums);
        field.require(sums.size() == 2 * sums_.size(), "sums", "are not of this run's metrics");
        for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] = {sums[2 * i], sums[2 * i + 1]};
        HistoryTable table{history_.epochs, names};
        field("history", table);
        field.require(epoch_over_ ? epoch_ == std::ssize(history_.epochs)
                                  : epoch_ == std::ssize(history_.epochs) + 1 && batch_step_ > 0 &&
                                        batch_step_ < steps_,
                      "step", "is none of its epoch's");
        for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
            CallbackState state{options_.callbacks[i], *this};
            field(concat("callback_", i), state);
        }
    }

private:
    using Clock = ProgressLine::Clock;

    struct CallbackState {
        const CallbackHandle& callback;
        TrainingRun& run;

        void visit_state(StateFields& field) { callback.visit_state(field, run); }
    };

    void call(CallbackHandle::Event event) {
        for (const CallbackHandle& callback : options_.callbacks) {
            callback(event, *this);
            require_model();
        }
    }

    /// Throws ArgumentError unless the model is the one that the run began with. All that runs code
    /// of the user's may have replaced it.
    void require_model() const {
        if (!reference_.has(state_.build)) refuse_model();
    }
    WEFT_COLD [[noreturn]] static void refuse_model() {
        throw ArgumentError(
            "fit: the model was replaced, built again or destroyed while it was trained; do so "
            "after fit, or put other parameters into it with load_weights");
    }

    WEFT_COLD void begin() {
        const RunStore& store = options_.checkpoint;
        // Before callbacks begin, which a refused state leaves alone, and after, which began anew.
        is_resumed_ = store && store.load(visit_);
        for (const CallbackHandle& callback : options_.callbacks) {
            callback(CallbackHandle::Event::train_begin, *this);
            ++begun_;
            require_model();
        }
        if (is_resumed_) {
            store.load(visit_);
            report_resumed();
        } else {
            save_state();  // what cannot be written is learnt now
        }
    }

    void run_epochs() {
        // An epoch that is open goes to its end, whatever was asked for meanwhile.
        while (!epoch_over_ || (!stopped_ && std::ssize(history_.epochs) < options_.epochs)) {
            if (!run_epoch()) return;
        }
    }

    /// Ends all callbacks that began; gives what the first of them threw, if one did.
    WEFT_COLD std::exception_ptr end() {
        std::exception_ptr first;
        for (std::size_t i = 0; i < begun_; ++i) {
            try {
                options_.callbacks[i](CallbackHandle::Event::train_end, *this);
            } catch (...) {
                if (!first) first = std::current_exception();
            }
        }
        return first;
    }

    // ---- The state of the run, kept outside of the program ------------------------------------

    /// What has to be the same for a run to go on where another stopped.
    WEFT_COLD std::string plan(const std::vector<std::string>& score_names) const {
        std::string names;
        for (const std::string& name : score_names) names += concat(", ", name);
        return concat("seed ", options_.seed, ", batches of ", batch_size_, " of ", train_size_,
                      options_.shuffle ? " shuffled" : "", " samples, ", trainer_.optimizer.type(),
                      names);
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
        const std::string where =
            epoch_over_ ? concat("epoch ", epoch_)
                        : concat("step ", batch_step_, "/", steps_, " of epoch ", epoch_);
        std::printf("Resumed after %s\n", where.c_str());
    }

    // ---- Epochs and steps -----------------------------------------------------------------------

    /// Begins an epoch, or goes on with the one that a resumed run was stopped in. False when a
    /// number went wrong.
    WEFT_COLD bool run_epoch() {
        const bool begins = epoch_over_;
        if (begins) begin_epoch();
        const TrainingEpoch epoch{options_.seed, state_.epochs - 1};
        std::iota(order_.begin(), order_.end(), Index{0});
        if (options_.shuffle) {
            RandomStream(epoch.seed, RandomPurpose::shuffle, epoch.number)
                .shuffle(std::span<Index>(order_));
        }
        // Before the callbacks: reading ahead starts here.
        const auto batches = data_.read_batches(
            {std::span(order_).subspan(static_cast<std::size_t>(batch_step_ * batch_size_)),
             batch_size_, epoch});
        if (begins) call(CallbackHandle::Event::epoch_begin);
        ProgressLine progress(options_.verbosity, epoch_, options_.epochs, steps_);
        const auto start = Clock::now();
        const double seconds_before = seconds_;
        while (batch_step_ < steps_) {
            ++batch_step_;
            if (!run_step(*batches)) return false;
            call(CallbackHandle::Event::batch_end);
            const auto now = Clock::now();
            seconds_ = seconds_before + std::chrono::duration<double>(now - start).count();
            if (progress.wants_update(now)) {
                progress.update(now, batch_step_, seconds_, mean_scores(trainer_, sums_));
            }
            const Index every = options_.checkpoint.every_steps;
            if (every > 0 && state_.steps % every == 0 && batch_step_ < steps_) {
                save_state();
            }
        }
        // An update itself may overflow, and so may a moving statistic; looked for once an epoch.
        Device& device = batch_.workspace.device();
        const TensorView<const Scalar, Device> numbers =
            was_finite_ ? model_.arena() : model_.trainable_parameters();
        if (!all_are_finite(numbers)) {
            const std::string trained = find_non_finite_parameter(device, model_, true);
            return stop_at(trained.empty() ? find_non_finite_parameter(device, model_, false)
                                           : trained);
        }
        history_.epochs.push_back(make_record());
        epoch_over_ = true;
        progress.finish(seconds_, history_.epochs.back().scores);
        call(CallbackHandle::Event::epoch_end);
        save_state();
        return true;
    }

    WEFT_COLD void begin_epoch() {
        ++epoch_;
        ++state_.epochs;
        batch_step_ = 0;
        seconds_ = 0;
        std::ranges::fill(sums_, MetricSum{});
        epoch_over_ = false;
    }

    const Dataset<Scalar>& validation() const {
        return options_.validation_data ? *options_.validation_data : data_;
    }
    Index first_of_validation() const { return options_.validation_data ? 0 : train_size_; }

    /// What the epoch measured, and the validation after it.
    WEFT_COLD EpochRecord make_record() const {
        EpochRecord record{mean_scores(trainer_, sums_), seconds_};
        record.samples_per_second = static_cast<double>(train_size_) / seconds_;
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

    /// Whether all numbers are finite. Looked for so seldom that threads are not worth their start:
    /// the pass is as small as they come.
    bool all_are_finite(TensorView<const Scalar, Device> numbers) {
        bool all = true;
        run_pass(batch_.workspace.device(), 1,
                 [&] { all = all_finite<Scalar>(batch_.workspace.device(), numbers); });
        return all;
    }

    /// Reads and trains on the next batch. False when a number went wrong.
    WEFT_COLD bool run_step(BatchReader<Scalar>& batches) {
        const Index first = (batch_step_ - 1) * batch_size_;
        const Index n = (std::min)(batch_size_, train_size_ - first);
        bool is_finite = true;  // forward, backward, update: about three forward passes
        run_on_next_batch(batches, batch_, n, 3 * model_.work(batch_.workspace, n), [&] {
            require_model();
            is_finite = train_on(std::span(order_).subspan(static_cast<std::size_t>(first),
                                                           static_cast<std::size_t>(n)));
        });
        return is_finite;
    }

    /// Trains on the batch that was read. False when a number went wrong.
    WEFT_COLD bool train_on(std::span<const Index> samples) {
        const auto n = static_cast<Index>(samples.size());
        const PassOptions pass{.training = true,
                               .seed = options_.seed,
                               .step = static_cast<std::uint32_t>(state_.steps)};
        // Before the forward pass, which may update moving statistics.
        Device& device = batch_.workspace.device();
        const TensorView<const Scalar, Device> x = batch_.x.slice(0, n);
        if (!all_finite<Scalar>(device, x)) return stop_at("input");
        if (!state_.has_hinted) give_hints(batch_.x.host().slice(0, n));
        const auto predictions = model_.forward(batch_.workspace, x, pass);
        if (!score_batch(model_, trainer_, batch_, predictions, samples,
                         {options_.sample_weight, options_.class_weight},
                         model_.output_gradient(batch_.workspace, n), sums_)) {
            return stop_at(
                find_non_finite<Scalar, Device>(model_, batch_.workspace, x, batch_.y.slice(0, n)));
        }
        model_.backward(batch_.workspace, x, pass, state_.gradients);
        add_penalty_gradients<Scalar, Device>(device, model_, state_.gradients);
        if (!all_finite<Scalar>(device, state_.gradients)) {
            return stop_at(
                find_non_finite_gradient<Scalar, Device>(device, model_, state_.gradients));
        }
        state_.update_parameters(device, model_, trainer_);
        return true;
    }

    /// Tells what looks like a mistake, once.
    WEFT_COLD void give_hints(TensorView<const Scalar> x) {
        state_.has_hinted = true;
        std::string hints[] = {check_output(model_, trainer_.loss), check_input(model_, x)};
        for (std::string& hint : hints) {
            if (hint.empty()) continue;
            if (options_.verbosity != Verbosity::silent) std::printf("Hint: %s\n", hint.c_str());
            history_.hints.push_back(std::move(hint));
        }
    }

    /// Records and tells that a number went wrong; false, for the callers to pass on.
    WEFT_COLD bool stop_at(std::string where) {
        history_.non_finite = {epoch_, batch_step_, std::move(where)};
        if (options_.verbosity != Verbosity::silent) {
            std::printf("\nStopped: %s\n", history_.non_finite->message().c_str());
        }
        return false;
    }

    const ModelReference<Model>& reference_;
    Model& model_;
    const TrainerOptions<Scalar, Device>& trainer_;
    TrainingState<Scalar, Device>& state_;
    const Dataset<Scalar>& data_;
    const FitOptions<Scalar>& options_;
    Index train_size_, batch_size_, steps_;
    Batch<Scalar, Device> batch_;
    std::vector<Index> order_;
    std::vector<MetricSum> sums_;
    bool was_finite_;        ///< all parameters, also those that no optimiser touches
    std::size_t begun_ = 0;  ///< callbacks that were told that training begins
    Index epoch_ = 0;        ///< the one that runs or ran last, from 1
    Index batch_step_ = 0;   ///< its steps that began
    double seconds_ = 0;     ///< that they took
    bool epoch_over_ = true, stopped_ = false, is_resumed_ = false;
    History history_;
    const VisitState visit_ = [this](StateFields& field) { visit_all(field); };
};

}  // namespace weft::detail
