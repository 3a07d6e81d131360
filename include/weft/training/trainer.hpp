/// \file
/// Trainer: fits a model to data.
#pragma once

#include "weft/data/dataset.hpp"
#include "weft/losses/loss.hpp"
#include "weft/metrics/metric.hpp"
#include "weft/model/sequential.hpp"
#include "weft/optimizers/adam.hpp"
#include "weft/training/history.hpp"
#include "weft/training/progress.hpp"

#include <numeric>

namespace weft {

/// What a Trainer works with: Keras's compile().
template <class Scalar, class Device>
struct TrainerOptions {
    OptimizerDeclaration<Scalar, Device> optimizer = Adam{};
    LossDeclaration<Scalar, Device> loss;
    std::vector<MetricDeclaration<Scalar, Device>> metrics = {};
};

/// How fit goes about it, with Keras's defaults.
template <class Scalar>
struct FitOptions {
    Index epochs = 1;
    Index batch_size = 32;  ///< the last batch of an epoch may be shorter
    bool shuffle = true;    ///< the training samples, anew each epoch
    /// Share of the samples, taken from the end before any shuffling, that is not trained on but
    /// evaluated after each epoch; in [0, 1).
    double validation_split = 0;
    Examples<Scalar> validation_data = {};  ///< evaluated after each epoch; goes before the split
    std::uint64_t seed = 0;  ///< of the order, of layers that draw, and of a model not built yet
    Verbosity verbosity = Verbosity::automatic;
};

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

    Trainer(Model& model, TrainerOptions<Scalar, Device> options)
        : model_(&model), options_(std::move(options)) {
        set_learning_rate(options_.optimizer->learning_rate());
    }

    /// Trains on x (N, sample...) and y: class indices (N) or targets (N, target...). A model that
    /// is not built yet is built for the samples' shape with the seed.
    ///
    /// Stops early, with History::non_finite set, when the loss becomes NaN or infinite; the model
    /// keeps the parameters it had before that step. Throws ShapeError or ArgumentError for data or
    /// options that do not fit, before anything is changed.
    template <class X, class Y>
    History fit(const X& x, const Y& y, const FitOptions<Scalar>& options = {}) {
        return fit(Examples<Scalar>(x, y), options);
    }
    History fit(const Examples<Scalar>& examples, const FitOptions<Scalar>& options = {});

    /// The mean loss and metrics over all samples, by the model as it is. Changes nothing, also in
    /// the middle of training.
    template <class X, class Y>
    Scores evaluate(const X& x, const Y& y, Index batch_size = 128) const {
        return evaluate(Examples<Scalar>(x, y), batch_size);
    }
    Scores evaluate(const Examples<Scalar>& examples, Index batch_size = 128) const {
        require_at_least_one("evaluate", "batch_size", batch_size);
        check(*examples, *model_);
        return evaluate(*examples, 0, examples->size(), batch_size);
    }

    double learning_rate() const { return learning_rate_; }

    /// The rate of the steps to come. Throws ArgumentError unless positive.
    void set_learning_rate(double learning_rate) {
        detail::require_learning_rate(options_.optimizer.type(), learning_rate);
        learning_rate_ = learning_rate;
    }

    /// Optimiser steps taken so far.
    std::int64_t steps() const { return step_; }

private:
    /// A batch and all the memory that a pass over it needs.
    struct Batch {
        Batch(const Model& model, const Shape& target_shape, Index capacity, PassKind kind)
            : workspace(model.make_workspace(capacity, kind)),
              x(model.input_shape().batch(capacity)),
              y(target_shape.batch(capacity)),
              losses(Shape{capacity * loss_rows(model.output_shape())}) {
            if (kind == PassKind::inference) {
                scratch_gradient = Tensor<Scalar, Device>(model.output_shape().batch(capacity));
            }
        }

        Workspace<Scalar, Device> workspace;
        Tensor<Scalar, Device> x, y, losses;
        Tensor<Scalar, Device> scratch_gradient;  ///< the loss writes one, wanted or not
    };

    static void require_at_least_one(std::string_view who, std::string_view option, Index value) {
        if (value < 1) {
            throw ArgumentError(concat(who, ": ", option, " is ", value, ", expected at least 1"));
        }
    }

    static void check_options(const FitOptions<Scalar>& options) {
        require_at_least_one("fit", "epochs", options.epochs);
        require_at_least_one("fit", "batch_size", options.batch_size);
        if (!(options.validation_split >= 0 && options.validation_split < 1)) {
            throw ArgumentError(concat("fit: validation_split is ", options.validation_split,
                                       ", expected a number in [0, 1)"));
        }
    }

    /// Throws unless the data fit the model and the loss.
    void check(const Dataset<Scalar>& data, const Model& model) const;

    /// Whether the loss takes the model's logits.
    bool is_fused() const {
        return options_.loss->fuses(model_->layer(model_->layer_count() - 1).output_activation());
    }

    /// Gathers the samples into the batch and computes losses, gradient and metrics. The mean of
    /// the losses is over this batch's rows. Adds to sums: [0] the loss, then the metrics.
    template <class AnyModel>
    bool run_forward(AnyModel& model, Batch& batch, const Dataset<Scalar>& data,
                     std::span<const Index> samples, const PassOptions& pass,
                     TensorView<Scalar, Device> gradient, std::vector<MetricSum>& sums) const {
        const auto n = static_cast<Index>(samples.size());
        data.gather(samples, batch.x.data(), batch.y.data());
        const auto predictions = model.forward(batch.workspace, batch.x.slice(0, n), pass);
        const auto targets = batch.y.slice(0, n);
        const Index rows = n * loss_rows(model.output_shape());
        const auto losses = batch.losses.slice(0, rows);
        Device& device = batch.workspace.device();
        options_.loss->evaluate(device, pass.logits, predictions, targets, losses, gradient);
        sums[0] += {total<Scalar>(device, losses), static_cast<double>(rows)};
        for (std::size_t m = 0; m < options_.metrics.size(); ++m) {
            sums[m + 1] += options_.metrics[m]->evaluate(device, predictions, targets);
        }
        return all_finite<Scalar>(device, losses);
    }

    Scores scores_of(const std::vector<MetricSum>& sums, const std::string& prefix = "") const {
        Scores scores;
        scores.set(prefix + "loss", sums[0].mean());
        for (std::size_t m = 0; m < options_.metrics.size(); ++m) {
            scores.set(prefix + options_.metrics[m].name(), sums[m + 1].mean());
        }
        return scores;
    }

    Scores evaluate(const Dataset<Scalar>& data, Index first, Index end, Index batch_size) const;

    /// Where the first number that is not finite lies after a training forward over n samples.
    std::string find_non_finite(Batch& batch, Index n) const;

    Model* model_;
    TrainerOptions<Scalar, Device> options_;
    double learning_rate_ = 0;
    std::int64_t step_ = 0;
    std::uint32_t epoch_ = 0;
    Tensor<Scalar, Device> gradients_;  ///< laid out as the model's trainable parameters
    Tensor<Scalar, Device> state_;      ///< the optimiser's
};

template <class Scalar, class Device>
void Trainer<Scalar, Device>::check(const Dataset<Scalar>& data, const Model& model) const {
    if (data.size() == 0) throw ArgumentError("dataset: it has no samples, expected at least 1");
    if (data.input_shape() != model.input_shape()) {
        throw ShapeError(concat(model.layer_name(0), ": input has shape ",
                                data.input_shape().to_batch_string(), ", expected ",
                                model.input_shape().to_batch_string()));
    }
    const Shape& output = model.output_shape();
    const Shape expected = options_.loss->target_shape(output);
    // As in Keras, one number per sample may come with or without an axis of its own.
    const bool same_but_for_last_one =
        data.target_shape().size() == expected.size() &&
        std::abs(data.target_shape().rank() - expected.rank()) == 1 &&
        (data.target_shape().last() == 1 || expected.last() == 1);
    if (data.target_shape() != expected && !same_but_for_last_one) {
        throw ShapeError(concat(options_.loss.type(), ": targets have shape ",
                                data.target_shape().to_batch_string(), ", expected ",
                                expected.to_batch_string(), " for predictions ",
                                output.to_batch_string()));
    }
    Tensor<Scalar> target(expected);
    for (Index i = 0; i < data.size(); ++i) {
        data.gather({&i, 1}, nullptr, target.data());
        if (const auto complaint = options_.loss->complaint(target, output); !complaint.empty()) {
            throw ArgumentError(
                concat(options_.loss.type(), ": target of sample ", i, " is ", complaint));
        }
    }
}

template <class Scalar, class Device>
History Trainer<Scalar, Device>::fit(const Examples<Scalar>& examples,
                                     const FitOptions<Scalar>& options) {
    using Clock = ProgressLine::Clock;
    check_options(options);
    const Dataset<Scalar>& data = *examples;
    if (data.size() == 0) throw ArgumentError("dataset: it has no samples, expected at least 1");
    Model model = *model_;
    if (!model.is_built()) model.build(data.input_shape(), options.seed);
    check(data, model);
    if (options.validation_data) check(*options.validation_data, model);
    // The share that is trained on is rounded down, as in Keras.
    const auto held_back = options.validation_data
                               ? Index{0}
                               : data.size() - static_cast<Index>(static_cast<double>(data.size()) *
                                                                  (1 - options.validation_split));
    const Index train_size = data.size() - held_back;
    if (train_size == 0) throw ArgumentError("fit: validation_split leaves nothing to train on");
    if (!model_->is_built()) *model_ = std::move(model);

    const auto parameters = model_->trainable_parameters();
    if (gradients_.size() != parameters.size()) {
        gradients_ = Tensor<Scalar, Device>(parameters.shape());
        state_ =
            Tensor<Scalar, Device>(Shape{options_.optimizer->state_vectors() * parameters.size()});
        step_ = 0;
    }
    const Index batch_size = std::min(options.batch_size, train_size);
    const Index steps = (train_size + batch_size - 1) / batch_size;
    Batch batch(*model_, options_.loss->target_shape(model_->output_shape()), batch_size,
                PassKind::training);
    Device& device = batch.workspace.device();
    std::vector<Index> order(static_cast<std::size_t>(train_size));
    std::vector<MetricSum> sums(options_.metrics.size() + 1);

    History history;
    for (Index epoch = 1; epoch <= options.epochs; ++epoch) {
        std::iota(order.begin(), order.end(), Index{0});
        if (options.shuffle) {
            RandomStream(options.seed, RandomPurpose::shuffle, epoch_)
                .shuffle(std::span<Index>(order));
        }
        ++epoch_;
        std::ranges::fill(sums, MetricSum{});
        ProgressLine progress(options.verbosity, epoch, options.epochs, steps);
        const auto start = Clock::now();
        const auto seconds_until = [&](Clock::time_point now) {
            return std::chrono::duration<double>(now - start).count();
        };
        for (Index step = 1; step <= steps; ++step) {
            const Index first = (step - 1) * batch_size;
            const Index n = std::min(batch_size, train_size - first);
            const PassOptions pass{.training = true,
                                   .logits = is_fused(),
                                   .seed = options.seed,
                                   .step = static_cast<std::uint32_t>(step_)};
            const bool finite =
                run_forward(*model_, batch, data,
                            std::span(order).subspan(static_cast<std::size_t>(first),
                                                     static_cast<std::size_t>(n)),
                            pass, model_->output_gradient(batch.workspace, n), sums);
            if (!finite) {
                history.non_finite = {epoch, step, find_non_finite(batch, n)};
                if (options.verbosity != Verbosity::silent) {
                    std::printf("\nStopped: %s\n", history.non_finite->message().c_str());
                }
                return history;
            }
            model_->backward(batch.workspace, batch.x.slice(0, n), pass, gradients_);
            options_.optimizer->update(device, ++step_, learning_rate_, parameters, gradients_,
                                       state_);
            if (const auto now = Clock::now(); progress.wants_update(now)) {
                progress.update(now, step, seconds_until(now), scores_of(sums));
            }
        }
        EpochRecord record{scores_of(sums), seconds_until(Clock::now())};
        record.samples_per_second = static_cast<double>(train_size) / record.seconds;
        if (options.validation_data || held_back > 0) {
            const Dataset<Scalar>& validation =
                options.validation_data ? *options.validation_data : data;
            const Index first = options.validation_data ? 0 : train_size;
            for (const auto& [name, value] :
                 evaluate(validation, first, validation.size(), options.batch_size)) {
                record.scores.set("val_" + name, value);
            }
        }
        progress.finish(record.seconds, record.scores);
        history.epochs.push_back(std::move(record));
    }
    return history;
}

template <class Scalar, class Device>
Scores Trainer<Scalar, Device>::evaluate(const Dataset<Scalar>& data, Index first, Index end,
                                         Index batch_size) const {
    batch_size = std::min(batch_size, end - first);
    const Model& model = *model_;
    Batch batch(model, options_.loss->target_shape(model.output_shape()), batch_size,
                PassKind::inference);
    std::vector<MetricSum> sums(options_.metrics.size() + 1);
    std::vector<Index> samples(static_cast<std::size_t>(batch_size));
    for (; first < end; first += batch_size) {
        samples.resize(static_cast<std::size_t>(std::min(batch_size, end - first)));
        std::iota(samples.begin(), samples.end(), first);
        run_forward(model, batch, data, samples, {.logits = is_fused()},
                    batch.scratch_gradient.slice(0, static_cast<Index>(samples.size())), sums);
    }
    return scores_of(sums);
}

template <class Scalar, class Device>
std::string Trainer<Scalar, Device>::find_non_finite(Batch& batch, Index n) const {
    Device& device = batch.workspace.device();
    const auto finite = [&](TensorView<const Scalar, Device> x) {
        return all_finite<Scalar>(device, x);
    };
    const TensorView<const Scalar, Device> x = batch.x.slice(0, n);
    if (!finite(x)) return "input";
    if (!finite(batch.y.slice(0, n))) return "targets";
    const Model& model = *model_;
    for (const ParameterInfo& parameter : model.parameters()) {
        if (!finite(model.parameter(parameter.name))) return parameter.name;
    }
    for (std::size_t i = 0; i < model.layer_count(); ++i) {
        if (!finite(model.output(batch.workspace, x, i))) return model.layer_name(i);
    }
    return "loss";
}

}  // namespace weft
