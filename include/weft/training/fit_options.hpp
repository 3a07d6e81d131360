/// \file
/// TrainerOptions and FitOptions: the options of a Trainer and of fit.
#pragma once

#include "weft/core/by_output.hpp"
#include "weft/data/examples.hpp"
#include "weft/kernels/step.hpp"
#include "weft/losses/loss_list.hpp"
#include "weft/metrics/metric.hpp"
#include "weft/optimizers/adam.hpp"
#include "weft/optimizers/schedule.hpp"
#include "weft/training/callback.hpp"
#include "weft/training/output_weights.hpp"
#include "weft/training/progress.hpp"

namespace weft {

using kernels::GradientClipping;

/// The options of a Trainer, those of Keras's compile().
template <class Scalar, class Device>
struct TrainerOptions {
    OptimizerDeclaration<Scalar, Device> optimizer = Adam{};      ///< updates the parameters
    LossList<Scalar, Device> loss;                                ///< one, or one for each output
    std::vector<MetricDeclaration<Scalar, Device>> metrics = {};  ///< computed beside the loss
    Schedule learning_rate_schedule = {};  ///< the rate of each step, instead of the optimiser's
    GradientClipping clipping = {};        ///< of gradients, before the update
    /// For several outputs: the factors of their losses in the total loss, and the metrics of each.
    /// Given by name, outputs that are not named have weight 1 and no metrics. Scores are "loss",
    /// then "a_loss" of each output a, then "a_accuracy" and so on.
    ByOutput<double> loss_weights = {};  ///< none: 1 each
    /// Of each output.
    ByOutput<std::vector<MetricDeclaration<Scalar, Device>>> output_metrics = {};
    std::vector<std::string> output_names = {};  ///< in scores and options; none: the model's
};

/// Examples to validate with. Arrays that do not fit each other are refused by that name.
template <class Scalar>
class ValidationExamples : public Examples<Scalar> {
    using Base = Examples<Scalar>;

public:
    ValidationExamples() = default;
    template <class Data>
    requires(!std::derived_from<std::remove_cvref_t<Data>, ValidationExamples> &&
             std::convertible_to<Data, Base>)
    ValidationExamples(Data&& data)  // NOLINT(bugprone-forwarding-reference-overload)
        : Base(std::forward<Data>(data)) {}

    template <class X, class Y>
    requires std::constructible_from<Base, X, Y>
    ValidationExamples(X&& x, Y&& y) try : Base(std::forward<X>(x), std::forward<Y>(y)) {
    } catch (const ShapeError& error) {
        throw ShapeError(detail::join({"validation_data: ", error.what()}));
    }

    /// Several inputs or targets.
    ValidationExamples(std::vector<Column<Scalar>> inputs, std::vector<Column<Scalar>> targets) try
        : Base(std::move(inputs), std::move(targets)) {
    } catch (const ShapeError& error) {
        throw ShapeError(detail::join({"validation_data: ", error.what()}));
    }
};

/// The options of fit, with Keras's defaults.
template <class Scalar>
struct FitOptions {
    Index epochs = 1;       ///< passes over the data
    Index batch_size = 32;  ///< the last batch of an epoch may be shorter
    /// The number of batches per update, whose gradient is that of the mean over all their samples.
    /// It trains as with batches that many times larger, in the memory of batch_size samples. The
    /// last update of an epoch takes the remaining batches. Batch norm still takes its statistics
    /// from each batch.
    Index gradient_accumulation_steps = 1;
    bool shuffle = true;  ///< shuffle the training samples anew each epoch
    /// The share of the samples, in [0, 1), held back from training and evaluated after each epoch.
    /// They are the last ones, before shuffling.
    double validation_split = 0;
    /// Evaluated after each epoch, instead of a split.
    ValidationExamples<Scalar> validation_data = {};
    std::uint64_t seed = 0;  ///< for shuffling, random layers, and building a model
    Verbosity verbosity = Verbosity::automatic;  ///< what is printed
    std::vector<CallbackHandle> callbacks = {};  ///< called in this order
    /// Where the run saves its state, and resumes from after an interruption; for one call of fit.
    /// A resumed run ends with the same bits as one without interruption.
    RunStore checkpoint = {};
    /// Factors of the losses, one per class (2 classes for one yes-or-no output). They apply in
    /// training only, as in Keras.
    std::vector<double> class_weight = {};
    /// Factors of the losses, one per sample, including those held back by validation_split. As in
    /// Keras, the mean is still over the number of samples, and metrics are not weighted.
    std::vector<double> sample_weight = {};
    std::vector<double> validation_sample_weight = {};  ///< likewise, for validation_data
    /// For several outputs: further factors for each output, one per sample or none. Given by name,
    /// outputs that are not named have none.
    OutputWeights<> output_sample_weight = {};
    OutputWeights<> validation_output_sample_weight = {};  ///< of each output by name
    /// Devices with memory of their own: if the samples have at most this many bytes, and never
    /// change or can be augmented by the device, they are copied there once. Else they are copied
    /// batch by batch. Likewise those to validate with, if they fit beside them. Inputs that are
    /// std::uint8_t, and only converted, stay bytes there and count as such.
    Index resident_bytes = Index{1} << 30;
};

namespace detail {

WEFT_COLD inline void require_at_least_one(std::string_view who, std::string_view option,
                                           Index value) {
    if (value < 1) {
        throw ArgumentError(join({who, ": ", option, " is ", value, ", expected at least 1"}));
    }
}

/// Throws ArgumentError if two scores have the same name. `who` begins the message.
WEFT_COLD inline void require_distinct(std::string_view who,
                                       const std::vector<std::string>& scores) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            if (scores[i] != scores[k]) continue;
            throw ArgumentError(join({who, ": ", scores[i],
                                      " is the name of two scores; .name of a metric or "
                                      ".output_names sets another"}));
        }
    }
}

/// Throws ArgumentError for clipping or loss_weights out of range, and for metrics with the same
/// name.
template <class Scalar, class Device>
WEFT_COLD void check_trainer_options(const TrainerOptions<Scalar, Device>& options) {
    const auto& [value, global_norm] = options.clipping;
    require_option(value >= 0, "clipping", "value", value, "at least 0");
    require_option(global_norm >= 0, "clipping", "global_norm", global_norm, "at least 0");
    for (const double weight : options.loss_weights) {
        require_option(weight >= 0 && std::isfinite(weight), "trainer", "loss_weights", weight,
                       "finite numbers of at least 0");
    }
    std::vector<std::string> scores{"loss"};
    for (const auto& metric : options.metrics) scores.push_back(metric.name());
    require_distinct("metrics", scores);
}

/// Throws ArgumentError for options that are wrong for any data.
template <class Scalar>
WEFT_COLD void check_fit_options(const FitOptions<Scalar>& options) {
    require_at_least_one("fit", "epochs", options.epochs);
    require_at_least_one("fit", "batch_size", options.batch_size);
    require_at_least_one("fit", "gradient_accumulation_steps", options.gradient_accumulation_steps);
    require_option(options.checkpoint.every_steps >= 0, "fit", "checkpoint.every_steps",
                   static_cast<double>(options.checkpoint.every_steps), "at least 0");
    const RunStore& store = options.checkpoint;
    if (!store.load != !store.save || (store.every_steps > 0 && !store.save)) {
        throw ArgumentError("fit: checkpoint needs both load and save");
    }
    require_option(options.validation_split >= 0 && options.validation_split < 1, "fit",
                   "validation_split", options.validation_split, "a number in [0, 1)");
    require_option(options.resident_bytes >= 0, "fit", "resident_bytes",
                   static_cast<double>(options.resident_bytes), "at least 0");
}

}  // namespace detail

}  // namespace weft
