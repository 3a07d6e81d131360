/// \file
/// TrainerOptions and FitOptions: what training works with, and how it goes about it.
#pragma once

#include "weft/data/examples.hpp"
#include "weft/kernels/step.hpp"
#include "weft/losses/loss_list.hpp"
#include "weft/metrics/metric.hpp"
#include "weft/optimizers/adam.hpp"
#include "weft/optimizers/schedule.hpp"
#include "weft/training/by_output.hpp"
#include "weft/training/callback.hpp"
#include "weft/training/output_weights.hpp"
#include "weft/training/progress.hpp"

namespace weft {

using kernels::GradientClipping;

/// What a Trainer works with: Keras's compile().
template <class Scalar, class Device>
struct TrainerOptions {
    OptimizerDeclaration<Scalar, Device> optimizer = Adam{};
    LossList<Scalar, Device> loss;  ///< one, or one for each output
    std::vector<MetricDeclaration<Scalar, Device>> metrics = {};
    Schedule learning_rate_schedule = {};  ///< of each step, instead of the optimiser's rate
    GradientClipping clipping = {};
    /// Of several outputs: factors of their losses in the sum that is trained on, and the metrics
    /// of each. By name, those that are not named have the weight 1 and no metrics. Scores are
    /// "loss", then "a_loss" of each output a, then "a_accuracy" and so on.
    ByOutput<double> loss_weights = {};  ///< none: 1 each
    ByOutput<std::vector<MetricDeclaration<Scalar, Device>>> output_metrics = {};
    std::vector<std::string> output_names = {};  ///< in scores and here; none: the model's
};

/// How fit goes about it, with Keras's defaults.
template <class Scalar>
struct FitOptions {
    Index epochs = 1;
    Index batch_size = 32;  ///< the last batch of an epoch may be shorter
    /// Batches to each update, with the gradient of the mean over all their samples: memory for
    /// batch_size samples trains as on that many times as many. The last update of an epoch takes
    /// those that are left. Batch norm still takes its statistics from each batch.
    Index gradient_accumulation_steps = 1;
    bool shuffle = true;  ///< the training samples, anew each epoch
    /// Share of the samples, taken from the end before any shuffling, that is not trained on but
    /// evaluated after each epoch; in [0, 1).
    double validation_split = 0;
    Examples<Scalar> validation_data = {};  ///< evaluated after each epoch; goes before the split
    std::uint64_t seed = 0;  ///< of the order, of layers that draw, and of a model not built yet
    Verbosity verbosity = Verbosity::automatic;
    std::vector<CallbackHandle> callbacks = {};
    /// Where the run keeps its state as it goes on, and is resumed from if it was stopped; of one
    /// call of fit. Resumed, it ends with the same bits as if it had never been stopped.
    RunStore checkpoint = {};
    /// Factors of the loss of each class, as many as classes, 2 for one output of yes or no; in
    /// training only, as in Keras.
    std::vector<double> class_weight = {};
    /// Factors of the loss of each sample, as many as samples, also where validation_split holds
    /// them back. The mean is still over the number of samples, and metrics are not weighted, as in
    /// Keras.
    std::vector<double> sample_weight = {};
    std::vector<double> validation_sample_weight = {};  ///< likewise, of validation_data
    /// Of several outputs, more factors for each: as many as samples, or none. By name, outputs that
    /// are not named have none.
    OutputWeights<> output_sample_weight = {};
    OutputWeights<> validation_output_sample_weight = {};
    /// Where a device has memory of its own, samples that never change, or that it can augment itself,
    /// are copied there once if they take up to so many bytes. Else, or if 0, batch by batch.
    Index resident_bytes = Index{1} << 30;
};

namespace detail {

WEFT_COLD inline void require_at_least_one(std::string_view who, std::string_view option,
                                           Index value) {
    if (value < 1) {
        throw ArgumentError(join({who, ": ", option, " is ", value, ", expected at least 1"}));
    }
}

/// Throws ArgumentError, in the name of `who`, when two scores have one name.
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

/// Throws ArgumentError for limits that are none, and for names of metrics that scores could not
/// tell apart.
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

/// Throws ArgumentError for options that fit no data.
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
