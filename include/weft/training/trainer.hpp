/// \file
/// Trainer: fits a model to data.
#pragma once

#include "weft/model/sequential.hpp"
#include "weft/training/detail/check_data.hpp"
#include "weft/training/detail/find_non_finite.hpp"
#include "weft/training/detail/parameter_rules.hpp"
#include "weft/training/detail/score_batch.hpp"
#include "weft/training/fit_options.hpp"

#include <cassert>
#include <cstring>
#include <numeric>
#include <optional>

namespace weft {

/// Fits a model, and evaluates it. Holds what training adds to a model: gradients, the optimiser's
/// state and the count of its steps, so that a second fit goes on where the first one stopped.
///
///   Trainer trainer(model, {.optimizer = Adam{}, .loss = SparseCategoricalCrossentropy{},
///                           .metrics = {Accuracy{}}});
///   History history = trainer.fit(train_images, train_labels, {.epochs = 5});
///   double accuracy = trainer.evaluate(test_images, test_labels)["accuracy"];
///
/// The model must outlive the trainer. For the same data, seed and options, training leaves the
/// same bits whatever the number of threads.
template <class Scalar, class Device>
class Trainer {
public:
    using Model = Sequential<Scalar, Device>;

    WEFT_COLD Trainer(Model& model, TrainerOptions<Scalar, Device> options)
        : model_(&model), options_(std::move(options)) {
        detail::check_trainer_options(options_);
        learning_rate_ = options_.optimizer->learning_rate();
    }

    /// Trains on x (N, sample...) and y: class indices (N) or targets (N, target...). A model that
    /// is not built yet is built for the samples' shape with the seed.
    ///
    /// Stops early, with History::non_finite set, when an input, the loss or a gradient is NaN or
    /// infinite; the trainable parameters are then those before that step. An update that itself
    /// overflows a parameter is found at the epoch's end. Throws ShapeError or ArgumentError for
    /// data or options that do not fit, before anything is changed; what a callback throws or
    /// reading the data, passes through.
    template <class X, class Y>
    History fit(const X& x, const Y& y, const FitOptions<Scalar>& options = {}) {
        return fit(Examples<Scalar>(x, y), options);
    }
    WEFT_COLD History fit(const Examples<Scalar>& examples, const FitOptions<Scalar>& options = {});

    /// The mean loss and metrics over all samples, by the model as it is. Changes nothing, also in
    /// the middle of training.
    template <class X, TargetsFor<X, Scalar> Y>
    Scores evaluate(const X& x, const Y& y, Index batch_size = 128) const {
        return evaluate(Examples<Scalar>(x, y), batch_size);
    }
    WEFT_COLD Scores evaluate(const Examples<Scalar>& examples, Index batch_size = 128) const {
        detail::require_at_least_one("evaluate", "batch_size", batch_size);
        detail::check_data<Scalar, Device>(*examples, *model_, options_.loss);
        return evaluate(*examples, 0, examples->size(), batch_size);
    }

    double learning_rate() const { return learning_rate_; }

    /// The rate of the steps to come. Throws ArgumentError unless positive, and when a schedule
    /// sets it.
    WEFT_COLD void set_learning_rate(double learning_rate) {
        if (options_.learning_rate_schedule) {
            throw ArgumentError("trainer: set_learning_rate, but the rate follows a schedule");
        }
        detail::require_learning_rate(options_.optimizer.type(), learning_rate);
        learning_rate_ = learning_rate;
    }

    /// Optimiser steps taken so far.
    std::int64_t steps() const { return step_; }

private:
    class Run;

    /// What the schedule says of the next step. Throws ArgumentError unless that is a rate.
    WEFT_NOINLINE double scheduled_rate() const {
        const double rate = options_.learning_rate_schedule(step_);
        if (!(rate >= 0 && std::isfinite(rate))) {
            throw ArgumentError(concat("learning_rate_schedule: step ", step_, " has the rate ",
                                       rate, ", expected a finite number of at least 0"));
        }
        return rate;
    }

    /// One step of the optimiser, from the gradients that backward left.
    WEFT_NOINLINE void update_parameters(Device& device);

    WEFT_COLD Scores evaluate(const Dataset<Scalar>& data, Index first, Index end,
                              Index batch_size) const;

    Model* model_;
    TrainerOptions<Scalar, Device> options_;
    double learning_rate_ = 0;
    std::int64_t step_ = 0;
    std::uint32_t epoch_ = 0;
    Index builds_ = 0;                  ///< of the model that the state below belongs to
    Tensor<Scalar, Device> gradients_;  ///< laid out as the model's trainable parameters
    Tensor<Scalar, Device> state_;      ///< the optimiser's
};

/// One call of fit.
template <class Scalar, class Device>
class Trainer<Scalar, Device>::Run final : public TrainingRun {
public:
    /// Trains on the first train_size samples; evaluates those from there on, or validation_data.
    WEFT_COLD Run(Trainer& trainer, const Dataset<Scalar>& data, Index train_size,
                  const FitOptions<Scalar>& options)
        : trainer_(trainer),
          data_(data),
          options_(options),
          train_size_(train_size),
          batch_size_(std::min(options.batch_size, train_size)),
          steps_((train_size + batch_size_ - 1) / batch_size_),
          batch_(*trainer.model_, trainer.options_.loss->target_shape(model().output_shape()),
                 batch_size_, PassKind::training),
          order_(static_cast<std::size_t>(train_size)),
          sums_(trainer.options_.metrics.size() + 1) {}

    WEFT_COLD History run() {
        call(CallbackHandle::Event::train_begin);
        for (epoch_ = 1; run_epoch() && !stopped_ && epoch_ < options_.epochs;) ++epoch_;
        call(CallbackHandle::Event::train_end);
        return std::move(history_);
    }

    Index epoch() const override { return epoch_; }
    Index epochs() const override { return options_.epochs; }
    Index step() const override { return batch_step_; }
    WEFT_COLD Scores scores() const override {
        return epoch_over_ ? scores_ : detail::mean_scores(trainer_.options_, sums_);
    }
    double learning_rate() const override { return trainer_.learning_rate(); }
    void set_learning_rate(double rate) override { trainer_.set_learning_rate(rate); }
    void stop() override { stopped_ = true; }

    WEFT_COLD Buffer save_weights() const override {
        const auto arena = std::as_const(model()).arena();
        Buffer copy(static_cast<std::size_t>(arena.size()) * sizeof(Scalar));
        if (copy.size() > 0) std::memcpy(copy.data(), arena.data(), copy.size());
        return copy;
    }
    WEFT_COLD void load_weights(const Buffer& weights) override {
        assert(weights.size() == static_cast<std::size_t>(model().arena().size()) * sizeof(Scalar));
        if (weights.size() == 0) return;
        std::memcpy(model().arena().data(), weights.data(), weights.size());
    }

private:
    using Clock = ProgressLine::Clock;

    Model& model() const { return *trainer_.model_; }

    void call(CallbackHandle::Event event) {
        for (const CallbackHandle& callback : options_.callbacks) callback(event, *this);
    }

    /// False when a number went wrong.
    WEFT_COLD bool run_epoch() {
        epoch_over_ = false;
        std::ranges::fill(sums_, MetricSum{});
        std::iota(order_.begin(), order_.end(), Index{0});
        if (options_.shuffle) {
            RandomStream(options_.seed, RandomPurpose::shuffle, trainer_.epoch_)
                .shuffle(std::span<Index>(order_));
        }
        // Before the callbacks: reading ahead starts here.
        const auto batches = data_.read_batches(
            {order_, batch_size_, TrainingEpoch{options_.seed, trainer_.epoch_}});
        ++trainer_.epoch_;
        call(CallbackHandle::Event::epoch_begin);
        ProgressLine progress(options_.verbosity, epoch_, options_.epochs, steps_);
        const auto start = Clock::now();
        const auto seconds_until = [&](Clock::time_point now) {
            return std::chrono::duration<double>(now - start).count();
        };
        for (batch_step_ = 1; batch_step_ <= steps_; ++batch_step_) {
            if (!run_step(*batches)) return false;
            call(CallbackHandle::Event::batch_end);
            if (const auto now = Clock::now(); progress.wants_update(now)) {
                progress.update(now, batch_step_, seconds_until(now),
                                detail::mean_scores(trainer_.options_, sums_));
            }
        }
        batch_step_ = steps_;
        // An update itself may overflow; looked for once an epoch.
        Device& device = batch_.workspace.device();
        if (!all_finite<Scalar>(device, model().trainable_parameters())) {
            return stop_at(detail::find_non_finite_parameter(device, model()));
        }
        EpochRecord record{detail::mean_scores(trainer_.options_, sums_),
                           seconds_until(Clock::now())};
        record.samples_per_second = static_cast<double>(train_size_) / record.seconds;
        record.learning_rate = trainer_.learning_rate_;
        const Dataset<Scalar>& validation =
            options_.validation_data ? *options_.validation_data : data_;
        const Index first = options_.validation_data ? 0 : train_size_;
        if (first < validation.size()) {
            for (const auto& [name, value] :
                 trainer_.evaluate(validation, first, validation.size(), options_.batch_size)) {
                record.scores.set("val_" + name, value);
            }
        }
        progress.finish(record.seconds, record.scores);
        scores_ = record.scores;
        epoch_over_ = true;
        history_.epochs.push_back(std::move(record));
        call(CallbackHandle::Event::epoch_end);
        return true;
    }

    /// False when a number went wrong.
    WEFT_NOINLINE bool run_step(BatchReader<Scalar>& batches) {
        const Index first = (batch_step_ - 1) * batch_size_;
        const Index n = std::min(batch_size_, train_size_ - first);
        const PassOptions pass{.training = true,
                               .logits = detail::is_fused(model(), trainer_.options_.loss),
                               .seed = options_.seed,
                               .step = static_cast<std::uint32_t>(trainer_.step_)};
        const auto samples =
            std::span(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
        batches.next(batch_.x.data(), batch_.y.data());
        // Before the forward pass, which may update moving statistics.
        Device& device = batch_.workspace.device();
        const TensorView<const Scalar, Device> x = batch_.x.slice(0, n);
        if (!all_finite<Scalar>(device, x)) return stop_at("input");
        const auto predictions = model().forward(batch_.workspace, x, pass);
        if (!detail::score_batch(model(), trainer_.options_, batch_, predictions, samples,
                                 &options_, model().output_gradient(batch_.workspace, n), sums_)) {
            return stop_at(detail::find_non_finite<Scalar, Device>(model(), batch_.workspace, x,
                                                                   batch_.y.slice(0, n)));
        }
        model().backward(batch_.workspace, x, pass, trainer_.gradients_);
        detail::add_penalty_gradients<Scalar, Device>(device, model(), trainer_.gradients_);
        if (!all_finite<Scalar>(device, trainer_.gradients_)) {
            return stop_at(detail::find_non_finite_gradient<Scalar, Device>(device, model(),
                                                                            trainer_.gradients_));
        }
        trainer_.update_parameters(batch_.workspace.device());
        return true;
    }

    /// Records and tells that a number went wrong; false, for the callers to pass on.
    WEFT_COLD bool stop_at(std::string where) {
        history_.non_finite = {epoch_, batch_step_, std::move(where)};
        if (options_.verbosity != Verbosity::silent) {
            std::printf("\nStopped: %s\n", history_.non_finite->message().c_str());
        }
        return false;
    }

    Trainer& trainer_;
    const Dataset<Scalar>& data_;
    const FitOptions<Scalar>& options_;
    Index train_size_, batch_size_, steps_;
    detail::Batch<Scalar, Device> batch_;
    std::vector<Index> order_;
    std::vector<MetricSum> sums_;
    Index epoch_ = 0, batch_step_ = 0;
    bool epoch_over_ = false, stopped_ = false;
    Scores scores_;
    History history_;
};

template <class Scalar, class Device>
History Trainer<Scalar, Device>::fit(const Examples<Scalar>& examples,
                                     const FitOptions<Scalar>& options) {
    const Dataset<Scalar>& data = *examples;
    detail::check_fit_options(options, data.size());
    if (options_.learning_rate_schedule) scheduled_rate();
    if (data.size() == 0) throw ArgumentError("dataset: it has no samples, expected at least 1");
    std::optional<Model> built;  // kept only if the data fit it
    if (!model_->is_built()) built.emplace(*model_).build(data.input_shape(), options.seed);
    const Model& model = built ? *built : *model_;
    detail::check_data<Scalar, Device>(data, model, options_.loss);
    if (options.validation_data) {
        detail::check_data<Scalar, Device>(*options.validation_data, model, options_.loss);
    }
    if (!options.class_weight.empty()) {
        if (options_.loss->target_shape(model.output_shape()) != Shape{}) {
            throw ArgumentError("fit: class_weight needs class indices as targets");
        }
        detail::require_weights("class_weight", options.class_weight, model.output_shape().last());
    }
    // The share that is trained on is rounded down, as in Keras.
    const Index train_size =
        options.validation_data
            ? data.size()
            : static_cast<Index>(static_cast<double>(data.size()) * (1 - options.validation_split));
    if (train_size == 0) throw ArgumentError("fit: validation_split leaves nothing to train on");
    if (built) *model_ = *std::move(built);

    const auto parameters = model_->trainable_parameters();
    if (builds_ != model_->builds()) {
        builds_ = model_->builds();
        gradients_ = Tensor<Scalar, Device>(parameters.shape());
        state_ =
            Tensor<Scalar, Device>(Shape{options_.optimizer->state_vectors() * parameters.size()});
        step_ = 0;
        epoch_ = 0;
    }
    return Run(*this, data, train_size, options).run();
}

template <class Scalar, class Device>
void Trainer<Scalar, Device>::update_parameters(Device& device) {
    detail::clip_gradients<Scalar, Device>(device, options_.clipping, gradients_);
    if (options_.learning_rate_schedule) {
        learning_rate_ = scheduled_rate();
    }
    options_.optimizer->update(device, ++step_, learning_rate_, model_->trainable_parameters(),
                               gradients_, state_);
    detail::apply_constraints<Scalar, Device>(device, *model_);
}

template <class Scalar, class Device>
Scores Trainer<Scalar, Device>::evaluate(const Dataset<Scalar>& data, Index first, Index end,
                                         Index batch_size) const {
    batch_size = std::min(batch_size, end - first);
    const Model& model = *model_;
    const PassOptions pass{.logits = detail::is_fused(model, options_.loss)};
    detail::Batch<Scalar, Device> batch(model, options_.loss->target_shape(model.output_shape()),
                                        batch_size, PassKind::inference);
    std::vector<MetricSum> sums(options_.metrics.size() + 1);
    std::vector<Index> order(static_cast<std::size_t>(end - first));
    std::iota(order.begin(), order.end(), first);
    const auto batches = data.read_batches({order, batch_size});
    for (std::span<const Index> left = order; !left.empty();) {
        const auto samples =
            left.first(std::min(left.size(), static_cast<std::size_t>(batch_size)));
        left = left.subspan(samples.size());
        const auto n = static_cast<Index>(samples.size());
        batches->next(batch.x.data(), batch.y.data());
        const auto predictions = model.forward(batch.workspace, batch.x.slice(0, n), pass);
        detail::score_batch<Scalar, Device>(model, options_, batch, predictions, samples, nullptr,
                                            batch.scratch_gradient.slice(0, n), sums);
    }
    return detail::mean_scores(options_, sums);
}

}  // namespace weft
