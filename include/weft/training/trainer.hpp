/// \file
/// Trainer: fits a model to data.
#pragma once

#include "weft/training/detail/check_data.hpp"
#include "weft/training/detail/fit_run.hpp"

#include <optional>

namespace weft {

/// Fits a model and evaluates it. It holds the gradients, the optimiser's state and the count of
/// its steps, so a second fit continues where the first one stopped.
///
///   Trainer trainer(model, {.optimizer = Adam{}, .loss = SparseCategoricalCrossentropy{},
///                           .metrics = {Accuracy{}}});
///   History history = trainer.fit(train_images, train_labels, {.epochs = 5});
///   double accuracy = trainer.evaluate(test_images, test_labels)["accuracy"];
///
/// The trainer refers to the model, which must stay in its place; fit and evaluate throw
/// ArgumentError when it no longer exists. After build, assignment or swap has replaced the model's
/// parameters, the next fit starts anew, with step 0 and an empty state of the optimiser; a
/// learning rate that was set stays. A trainer can be neither copied nor moved, so it never trains
/// another object's model. The same holds for a class with a model and its trainer as members:
///
///   class Classifier {
///   public:
///       Classifier() : trainer_(model_, {.loss = SparseCategoricalCrossentropy{}}) {}
///   private:
///       Sequential<float> model_{Flatten{}, Dense{.units = 10, .activation = softmax}};
///       Trainer<float, Cpu> trainer_;  // after the model: constructed later, destroyed earlier
///   };
///   std::vector<std::unique_ptr<Classifier>> many;
///
/// For the same data, seed and options, training gives the same bits for any number of threads.
template <class Scalar, class Device>
class Trainer {
public:
    using Model = weft::Model<Scalar, Device>;
    using Options = TrainerOptions<Scalar, Device>;

    // Compilers show the lines of what they could have called. These say what helps.
    explicit Trainer(const Model&) = delete;  // the loss is missing: Trainer(model, {.loss = ...})
    Trainer(const Model&, Options) = delete;  // const, or temporary
    WEFT_COLD Trainer(Model& model, Options options)  // misspelt? TrainerOptions<float, Cpu>{...};
        : model_(model), options_(std::move(options)) {
        detail::check_trainer_options(options_);
        detail::put_in_order(options_, model);
        state_.learning_rate = options_.optimizer->learning_rate();
    }
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    /// Trains on x (N, sample...) and y: class indices (N) or targets (N, target...). A model that
    /// is not built yet is built for the samples' shape, with options.seed.
    ///
    /// Stops early, with History::non_finite set, when an input, the loss or a gradient is NaN or
    /// infinite; parameters and moving statistics are then those before that step. A parameter or
    /// moving statistic that overflows in an update is found at the epoch's end. Throws ShapeError
    /// or ArgumentError for data or options that do not fit, before anything changes. Passes on
    /// exceptions of callbacks and of reading the data. On other devices than the CPU, a number may
    /// have become NaN or infinite some steps earlier. The exception is then all that is reported;
    /// parameters and counts are those before that number's step.
    template <class X, class Y>
    History fit(const X& x, const Y& y,  // misspelt? FitOptions<float>{...};
                const FitOptions<Scalar>& options = {}) {
        return fit(Examples<Scalar>(x, y), options);
    }
    WEFT_COLD History fit(const Examples<Scalar>& examples, const FitOptions<Scalar>& options = {});
    template <class X>
    requires(!std::convertible_to<const X&, Examples<Scalar>>)
    History fit(const X&, const FitOptions<Scalar>& = {}) = delete;  // no targets: fit(x, y)

    /// Several inputs or outputs, in the model's order or by name:
    ///   trainer.fit({x1, x2}, {y1, y2});
    ///   trainer.fit({{"image", x1}, {"size", x2}}, {{"digit", y1}, {"place", y2}});
    WEFT_COLD History fit(std::vector<Column<Scalar>> x, std::vector<Column<Scalar>> y,
                          const FitOptions<Scalar>& options = {}) {
        return fit(Examples<Scalar>(std::move(x), std::move(y)), options);
    }

    /// The mean loss and metrics over all samples, with the current parameters. Changes nothing, so
    /// it may be called during training.
    template <class X, TargetsFor<X, Scalar> Y>
    Scores evaluate(const X& x, const Y& y, Index batch_size = 128) const {
        return evaluate(Examples<Scalar>(x, y), batch_size);
    }
    WEFT_COLD Scores evaluate(std::vector<Column<Scalar>> x, std::vector<Column<Scalar>> y,
                              Index batch_size = 128) const {
        return evaluate(Examples<Scalar>(std::move(x), std::move(y)), batch_size);
    }
    WEFT_COLD Scores evaluate(const Examples<Scalar>& examples, Index batch_size = 128) const {
        detail::require_at_least_one("evaluate", "batch_size", batch_size);
        const Model& model = model_.get("evaluate");
        detail::require_samples(examples, "evaluate: the data");
        detail::check_outputs(model, options_);
        detail::check_each_output(model, options_);
        detail::check_data<Scalar, Device>("evaluate", *examples, model, options_);
        return detail::evaluate<Scalar, Device>(model, options_, *examples, 0, examples->size(),
                                                batch_size);
    }

    double learning_rate() const { return state_.learning_rate; }

    /// The rate of the next steps. Throws ArgumentError unless it is positive, and with a schedule.
    void set_learning_rate(double learning_rate) {
        state_.set_learning_rate(options_, learning_rate);
    }

    /// Optimiser steps taken so far.
    std::int64_t steps() const { return state_.steps; }

private:
    ModelReference<Model> model_;
    TrainerOptions<Scalar, Device> options_;
    detail::TrainingState<Scalar, Device> state_;
};

template <class Scalar, class Device>
History Trainer<Scalar, Device>::fit(const Examples<Scalar>& examples,
                                     const FitOptions<Scalar>& options) {
    Model& trained = model_.get("fit");
    detail::require_samples(examples, "fit: the data");
    const Dataset<Scalar>& data = *examples;
    detail::check_fit_options(options);
    state_.next_rate(options_, state_.steps);
    const bool was_built = trained.is_built();
    Model built = was_built ? Model() : trained;  // kept only if the data fit it
    if (!was_built) built.build(data.input_shapes(), options.seed);
    const Model& model = was_built ? trained : built;
    detail::check_outputs(model, options_, options.validation_data || options.validation_split > 0);
    detail::check_each_output(model, options_);
    detail::check_data<Scalar, Device>("fit", data, model, options_);
    if (options.validation_data) {
        detail::require_samples(options.validation_data, "fit: validation_data");
        detail::check_data<Scalar, Device>("fit", *options.validation_data, model, options_,
                                           " of validation_data");
    }
    const std::vector<std::string> outputs = detail::output_names(model, options_);
    const Index validated = options.validation_data ? options.validation_data->size() : 0;
    detail::require_weights("sample_weight", options.sample_weight, data.size());
    detail::require_weights("validation_sample_weight", options.validation_sample_weight,
                            validated);
    const std::vector<double> of_outputs =
        options.output_sample_weight.of_all(outputs, data.size(), "output_sample_weight");
    const std::vector<double> of_validation = options.validation_output_sample_weight.of_all(
        outputs, validated, "validation_output_sample_weight");
    if (!options.class_weight.empty() && options_.loss.size() > 1) {
        throw ArgumentError(
            "fit: class_weight needs a model with one output; use sample_weight for several");
    }
    if (!options.class_weight.empty()) {
        const Index classes = options_.loss->class_count(model.output_shape());
        if (classes == 0) {
            throw ArgumentError(detail::join(
                {"fit: class_weight needs a class as each sample's target, ", options_.loss.type(),
                 " for predictions ", model.output_shape().to_batch_string(), " has none"}));
        }
        detail::require_weights("class_weight", options.class_weight, classes);
    }
    // The number of training samples is rounded down, as in Keras.
    const Index train_size =
        options.validation_data
            ? data.size()
            : static_cast<Index>(static_cast<double>(data.size()) * (1 - options.validation_split));
    if (train_size == 0) {
        throw ArgumentError(
            detail::join({"fit: validation_split ", options.validation_split, " leaves none of ",
                          data.size(), " samples to train on"}));
    }
    if (!was_built) trained = std::move(built);

    state_.fit_to(trained, options_);
    const detail::LossWeights weights{options.sample_weight, of_outputs, options.class_weight};
    detail::Validation<Scalar, Device> validation{
        &data, train_size, {options.sample_weight, of_outputs}};
    if (options.validation_data) {
        validation = {
            &*options.validation_data, 0, {options.validation_sample_weight, of_validation}};
    }
    return detail::FitRun<Scalar, Device>(model_, options_, state_, data, train_size, options,
                                          weights, validation)
        .run();
}

}  // namespace weft
