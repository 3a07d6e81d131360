/// \file
/// A batch with its memory, and the scores of what a model makes of it.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/detail/outputs.hpp"
#include "weft/training/detail/parameter_rules.hpp"
#include "weft/training/detail/tally.hpp"

namespace weft::detail {

/// A batch and all the memory that a pass over it needs.
template <class Scalar, class Device>
struct Batch {
    WEFT_COLD Batch(const Model<Scalar, Device>& model, const LossList<Scalar, Device>& loss,
                    Index capacity, PassKind kind)
        : workspace(model.make_workspace(capacity, kind, fused_losses(model, loss))),
          x(record_shape(model.input_shapes()).batch(capacity), model.device()),
          y(record_shape(target_shapes(model, loss)).batch(capacity), model.device()),
          weights(Shape{capacity}, model.device()),
          losses(Shape{capacity * largest_of(model.output_shapes(), loss_rows)}, model.device()),
          inputs(model.input_shapes(), capacity, model.device()),
          targets(target_shapes(model, loss), capacity, model.device()) {
        if (kind == PassKind::inference) {
            const Index size =
                largest_of(model.output_shapes(), [](const Shape& s) { return s.size(); });
            const bool is_one = model.output_shapes().size() == 1;
            scratch_gradient = Tensor<Scalar, Device>(
                (is_one ? model.output_shape() : Shape{size}).batch(capacity), model.device());
        }
    }

    /// Reads the next n samples, outside of a pass.
    void read(BatchReader<Scalar>& batches, Index n) {
        batches.next(x.host().data(), y.host().data());
        x.send(workspace.device(), n);
        y.send(workspace.device(), n);
        take_apart(n);
    }

    /// Takes samples apart that hold several inputs or targets.
    void take_apart(Index n) {
        if (!inputs.is_one()) inputs.take(x.host().data(), workspace.device(), n);
        if (!targets.is_one()) targets.take(y.host().data(), workspace.device(), n);
    }

    Workspace<Scalar, Device> workspace;
    StagedTensor<Scalar, Device> x, y, weights;
    Tensor<Scalar, Device> losses;
    Parts<Scalar, Device> inputs, targets;
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
                batch.take_apart(n);
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

/// Stages the factors of the samples' losses. Weights of classes are those of one output.
template <class Scalar, class Device>
WEFT_COLD void stage_weights(Batch<Scalar, Device>& batch, std::span<const Index> samples,
                             const LossWeights& weights) {
    const auto n = static_cast<Index>(samples.size());
    const TensorView<Scalar> factors = batch.weights.host(), classes = batch.y.host();
    for (Index i = 0; i < n; ++i) {
        const auto sample = static_cast<std::size_t>(samples[static_cast<std::size_t>(i)]);
        double weight = weights.of_samples.empty() ? 1 : weights.of_samples[sample];
        if (!weights.of_classes.empty()) {
            weight *=
                weights.of_classes[class_of<Scalar>(classes.sample(i), weights.of_classes.size())];
        }
        factors[i] = static_cast<Scalar>(weight);
    }
    batch.weights.send(batch.workspace.device(), n);
}

/// Computes losses and gradients of the samples that were gathered into the batch, from what the
/// model made of them: logits, if its plan gives them, else predictions, which take their place.
///
///   L = sum over outputs k of loss_weights_k mean(losses_k) + penalties
///
/// The means are over the update's samples. Adds the losses to the tally, and marks what is not
/// finite there, unless `wrong` is null: of one output with all penalties to score 0; of several to
/// scores 1, 2, ..., and the penalties alone, for each row of the first, to score 0.
template <class Scalar, class Device>
WEFT_COLD void score_losses(const Model<Scalar, Device>& model,
                            const TrainerOptions<Scalar, Device>& options,
                            Batch<Scalar, Device>& batch, std::span<const Index> samples,
                            const LossWeights& weights, Index update_samples, Tally<Device>& tally,
                            double* wrong) {
    const auto n = static_cast<Index>(samples.size());
    Device& device = batch.workspace.device();
    const Plan& plan = batch.workspace.plan();
    const auto targets = batch.targets.views(batch.y, n);
    const bool is_one = options.loss.size() == 1;
    const bool weighs = !weights.of_samples.empty() || !weights.of_classes.empty();
    if (weighs) stage_weights(batch, samples, weights);
    for (std::size_t k = 0; k < options.loss.size(); ++k) {
        const Shape& shape = model.output_shapes()[k];
        const TensorView<Scalar, Device> losses = batch.losses.slice(0, n * loss_rows(shape));
        const TensorView<Scalar, Device> gradient =
            batch.workspace.kind() == PassKind::training
                ? model.output_gradient(batch.workspace, n, k)
                : TensorView<Scalar, Device>(batch.scratch_gradient.data(), shape.batch(n));
        const double weight = options.loss_weights.empty() ? 1 : options.loss_weights[k];
        const Index rows = update_samples * loss_rows(shape);
        options.loss[k]->evaluate(
            device, plan.gives_logits(k), model.prediction(batch.workspace, n, k), targets[k],
            static_cast<Scalar>(weight) / static_cast<Scalar>(rows), losses, gradient);
        if (weighs) weight_rows<Scalar>(device, batch.weights.slice(0, n), losses, gradient);
        add_losses<Scalar>(device, losses, tally.score(is_one ? 0 : k + 1), mark(Wrong::score),
                           wrong);
    }
    bool penalises_outputs = false;
    for (const PlanStep& step : plan.steps()) penalises_outputs |= bool(step.penalty);
    if (sum_penalties<Scalar, Device>(device, model, tally.parameter_penalty()) ||
        penalises_outputs) {
        score_penalties(
            device, tally.parameter_penalty(), batch.workspace.activity_penalty().data(), n,
            n * loss_rows(model.output_shapes()[0]), tally.score(0), mark(Wrong::score), wrong);
    }
}

/// Adds the metrics of what score_losses left of the predictions to the tally.
template <class Scalar, class Device>
WEFT_COLD void score_metrics(const Model<Scalar, Device>& model,
                             const TrainerOptions<Scalar, Device>& options,
                             Batch<Scalar, Device>& batch, Index n, Tally<Device>& tally) {
    const auto targets = batch.targets.views(batch.y, n);
    std::size_t score = options.loss.size() == 1 ? 1 : options.loss.size() + 1;
    const auto add = [&](const std::vector<MetricDeclaration<Scalar, Device>>& metrics,
                         std::size_t k) {
        for (const auto& metric : metrics) {
            metric->evaluate(batch.workspace.device(), model.prediction(batch.workspace, n, k),
                             targets[k], tally.score(score++));
        }
    };
    add(options.metrics, 0);
    for (std::size_t k = 0; k < options.output_metrics.size(); ++k) {
        add(options.output_metrics[k], k);
    }
}

/// The means of what a tally summed, by their names.
template <class Scalar, class Device>
WEFT_COLD Scores mean_scores(const TrainerOptions<Scalar, Device>& options,
                             const std::vector<std::string>& names,
                             const std::vector<MetricSum>& sums) {
    Scores scores;
    for (std::size_t i = 0; i < names.size(); ++i) scores.set(names[i], sums[i].mean());
    if (options.loss.size() == 1) return scores;
    double loss = MetricSum{sums[0].sum, sums[1].count}.mean();
    for (std::size_t k = 0; k < options.loss.size(); ++k) {
        const double weight = options.loss_weights.empty() ? 1 : options.loss_weights[k];
        loss += weight * sums[k + 1].mean();
    }
    scores.set("loss", loss);
    return scores;
}

}  // namespace weft::detail
