/// \file
/// A batch with its memory, and the scores of what a model makes of it.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/detail/parameter_rules.hpp"
#include "weft/training/detail/tally.hpp"
#include "weft/training/fit_options.hpp"

namespace weft::detail {

/// A batch and all the memory that a pass over it needs.
template <class Scalar, class Device>
struct Batch {
    WEFT_COLD Batch(const Model<Scalar, Device>& model, const LossDeclaration<Scalar, Device>& loss,
                    Index capacity, PassKind kind)
        : workspace(model.make_workspace(capacity, kind, loss->fuses(model.last_activation()))),
          x(model.input_shape().batch(capacity), model.device()),
          y(loss->target_shape(model.output_shape()).batch(capacity), model.device()),
          weights(Shape{capacity}, model.device()),
          losses(Shape{capacity * loss_rows(model.output_shape())}, model.device()) {
        if (kind == PassKind::inference) {
            scratch_gradient =
                Tensor<Scalar, Device>(model.output_shape().batch(capacity), model.device());
        }
    }

    /// Reads the next n samples, outside of a pass.
    void read(BatchReader<Scalar>& batches, Index n) {
        batches.next(x.host().data(), y.host().data());
        x.send(workspace.device(), n);
        y.send(workspace.device(), n);
    }

    Workspace<Scalar, Device> workspace;
    StagedTensor<Scalar, Device> x, y, weights;
    Tensor<Scalar, Device> losses;
    Tensor<Scalar, Device> scratch_gradient;  ///< the loss writes one, wanted or not
};

/// Reads the next batch, of n samples, and runs body(): as one pass if reading neither waits nor
/// throws and memory is the host's, else the pass begins after it.
template <class Scalar, class Device, class Body>
void run_on_next_batch(BatchReader<Scalar>& batches, Batch<Scalar, Device>& batch, Index n,
                       double work, const Body& body) {
    Device& device = batch.workspace.device();
    bool is_within = false;
    if constexpr (std::same_as<Device, Cpu>) is_within = batches.reads_within_pass();
    if (!is_within) batch.read(batches, n);
    run_pass(device, work, [&] {
        if constexpr (std::same_as<Device, Cpu>) {
            if (is_within) {
                batches.next_within_pass(device, batch.x.host().data(), batch.y.host().data());
            }
        }
        body();
    });
}

/// Factors of the losses; none where empty.
struct LossWeights {
    std::span<const double> of_samples = {};  ///< by index in the data
    std::span<const double> of_classes = {};
};

/// The class that a target of Loss::class_count stands for, as in Keras; less than the count for a
/// NaN too, which is found later.
template <class Scalar>
std::size_t class_of(TensorView<const Scalar> target, std::size_t classes) {
    if (target.size() == 1) {
        // Indices are checked; of yes and no there may be any number between.
        return classes == 2 ? target[0] > Scalar(0.5) : static_cast<std::size_t>(target[0]);
    }
    return static_cast<std::size_t>(std::max_element(target.begin(), target.end()) -
                                    target.begin());
}

/// Computes losses and gradient of the samples that were gathered into the batch, from what the
/// model made of them: logits, if its plan gives them, else predictions, which take their place.
/// scale: 1 over the rows of the step. Adds the losses with all penalties to the tally, and marks
/// what is not finite there, unless `wrong` is null.
template <class Scalar, class Device>
WEFT_COLD void score_losses(const Model<Scalar, Device>& model,
                            const TrainerOptions<Scalar, Device>& options,
                            Batch<Scalar, Device>& batch, TensorView<Scalar, Device> predictions,
                            std::span<const Index> samples, const LossWeights& weights,
                            Scalar scale, TensorView<Scalar, Device> gradient, Tally<Device>& tally,
                            double* wrong) {
    constexpr auto mark = static_cast<double>(Wrong::score);
    const auto n = static_cast<Index>(samples.size());
    const TensorView<const Scalar, Device> targets = batch.y.slice(0, n);
    const auto losses = batch.losses.slice(0, n * loss_rows(model.output_shape()));
    Device& device = batch.workspace.device();
    const Plan& plan = batch.workspace.plan();
    options.loss->evaluate(device, plan.gives_logits(), predictions, targets, scale, losses,
                           gradient);
    if (!weights.of_samples.empty() || !weights.of_classes.empty()) {
        const TensorView<Scalar> factors = batch.weights.host(), classes = batch.y.host();
        for (Index i = 0; i < n; ++i) {
            const auto sample = static_cast<std::size_t>(samples[static_cast<std::size_t>(i)]);
            double weight = weights.of_samples.empty() ? 1 : weights.of_samples[sample];
            if (!weights.of_classes.empty()) {
                weight *=
                    weights
                        .of_classes[class_of<Scalar>(classes.sample(i), weights.of_classes.size())];
            }
            factors[i] = static_cast<Scalar>(weight);
        }
        batch.weights.send(device, n);
        weight_rows<Scalar>(device, batch.weights.slice(0, n), losses, gradient);
    }
    add_losses<Scalar>(device, losses, tally.score(0), mark, wrong);
    bool penalises_outputs = false;
    for (const PlanStep& step : plan.steps()) penalises_outputs |= bool(step.penalty);
    if (sum_penalties<Scalar, Device>(device, model, tally.parameter_penalty()) ||
        penalises_outputs) {
        add_penalties(device, tally.parameter_penalty(), batch.workspace.activity_penalty().data(),
                      n, tally.score(0), mark, wrong);
    }
}

/// Adds the metrics of what score_losses left of the predictions to the tally.
template <class Scalar, class Device>
WEFT_COLD void score_metrics(const TrainerOptions<Scalar, Device>& options,
                             Batch<Scalar, Device>& batch,
                             TensorView<const Scalar, Device> predictions, Tally<Device>& tally) {
    const TensorView<const Scalar, Device> targets = batch.y.slice(0, predictions.shape()[0]);
    for (std::size_t m = 0; m < options.metrics.size(); ++m) {
        options.metrics[m]->evaluate(batch.workspace.device(), predictions, targets,
                                     tally.score(m + 1));
    }
}

/// The means of what a tally summed: "loss", then the metrics.
template <class Scalar, class Device>
WEFT_COLD Scores mean_scores(const TrainerOptions<Scalar, Device>& options,
                             const std::vector<MetricSum>& sums) {
    Scores scores;
    scores.set("loss", sums[0].mean());
    for (std::size_t m = 0; m < options.metrics.size(); ++m) {
        scores.set(options.metrics[m].name(), sums[m + 1].mean());
    }
    return scores;
}

}  // namespace weft::detail
