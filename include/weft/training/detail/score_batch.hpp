/// \file
/// A batch with its memory, and the scores of the model's outputs for it.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/detail/loss_weights.hpp"
#include "weft/training/detail/outputs.hpp"
#include "weft/training/detail/parameter_rules.hpp"
#include "weft/training/detail/tally.hpp"

namespace weft::detail {

/// A metric, its output, and the matches that the output's loss kernel counts for it.
template <class Scalar, class Device>
struct ScoredMetric {
    const Metric<Scalar, Device>* metric = nullptr;
    std::size_t output = 0;
    kernels::Matches counted = {};
    bool is_behind_counted = false;  ///< the loss counts for it or an earlier one of the output
};

/// All metrics, in the order of their scores. A loss counts for one metric of its output.
template <class Scalar, class Device>
WEFT_COLD std::vector<ScoredMetric<Scalar, Device>> scored_metrics(
    const Model<Scalar, Device>& model, const TrainerOptions<Scalar, Device>& options,
    std::size_t count) {
    std::vector<ScoredMetric<Scalar, Device>> all(count);
    std::size_t i = 0;
    for (const auto& metric : options.metrics) all[i++].metric = &*metric;
    for (std::size_t k = 0; k < options.output_metrics.size(); ++k) {
        for (const auto& metric : options.output_metrics[k]) {
            all[i].output = k;
            all[i++].metric = &*metric;
        }
    }
    for (i = 0; i < count; ++i) {
        ScoredMetric<Scalar, Device>& of = all[i];
        // The metrics of an output follow one another.
        if (i > 0 && all[i - 1].output == of.output && all[i - 1].is_behind_counted) {
            of.is_behind_counted = true;
            continue;
        }
        const Shape& shape = model.output_shapes()[of.output];
        of.counted = of.metric->matches(shape, options.loss[of.output]->target_shape(shape));
        of.is_behind_counted = of.counted.is_any();
    }
    return all;
}

/// A batch and the memory of a pass over it.
template <class Scalar, class Device>
struct Batch {
    /// order: that of the samples' inputs and targets.
    WEFT_COLD Batch(const Model<Scalar, Device>& model,
                    const TrainerOptions<Scalar, Device>& options,
                    const std::shared_ptr<const ColumnOrder>& order, Index capacity, PassKind kind)
        : columns(order),
          workspace(model.make_workspace(capacity, kind, fused_losses(model, options.loss))),
          x(record_shape(model.input_shapes()).batch(capacity), model.device()),
          y(record_shape(target_shapes(model, options.loss)).batch(capacity), model.device()),
          weights(Shape{std::ssize(model.output_shapes()) * capacity}, model.device()),
          losses(Shape{capacity * largest_of(model.output_shapes(), loss_rows)}, model.device()),
          inputs(model.input_shapes(), columns ? &columns->inputs : nullptr),
          targets(target_shapes(model, options.loss), columns ? &columns->targets : nullptr),
          penalties(model),
          metric_count(score_count(options) - first_metric_score(options)),
          metrics(scored_metrics(model, options, metric_count)) {
        if (kind == PassKind::inference) {
            const Index size =
                largest_of(model.output_shapes(), [](const Shape& s) { return s.size(); });
            const bool is_one = model.output_shapes().size() == 1;
            scratch_gradient = Tensor<Scalar, Device>(
                (is_one ? model.output_shape() : Shape{size}).batch(capacity), model.device());
        }
    }

    /// Reads the next n samples, outside a pass.
    WEFT_COLD void read(BatchReader<Scalar>& batches, Index n) {
        if (x.shared() != nullptr && batches.exchange(*x.shared(), *y.shared())) return;
        batches.next(x.host().data(), y.host().data());
        x.send(workspace.device(), n);
        y.send(workspace.device(), n);
    }

    std::shared_ptr<const ColumnOrder> columns;
    Workspace<Scalar, Device> workspace;
    StagedTensor<Scalar, Device> x, y, weights;
    Tensor<Scalar, Device> losses;
    Parts<Scalar, Device> inputs, targets;
    Penalties<Scalar> penalties;  ///< on the model's parameters
    std::size_t metric_count;
    std::vector<ScoredMetric<Scalar, Device>> metrics;
    Tensor<Scalar, Device> scratch_gradient;  ///< for losses whose gradient is not needed
};

/// Whether readers can share their work among the threads of a pass on the device.
template <class Scalar, class Device>
concept ReadsWithinPass = requires(BatchReader<Scalar>& batches, const Device& device, Scalar* to) {
    batches.next_within_pass(device, to, to);
};

/// Reads the next batch, of n samples, and runs body(): in one pass if reading neither waits nor
/// throws and its threads can read, else the pass begins after reading.
template <class Scalar, class Device, class Body>
void run_on_next_batch(BatchReader<Scalar>& batches, Batch<Scalar, Device>& batch, Index n,
                       double work, const Body& body) {
    Device& device = batch.workspace.device();
    bool is_within = false;
    if constexpr (ReadsWithinPass<Scalar, Device>) is_within = batches.reads_within_pass();
    if (!is_within) batch.read(batches, n);
    run_pass(device, work, [&] {
        if constexpr (ReadsWithinPass<Scalar, Device>) {
            if (is_within) {
                batches.next_within_pass(device, batch.x.host().data(), batch.y.host().data());
            }
        }
        body();
    });
}

/// Stages the factors of the samples' losses, if there are any, output after output. Weights of
/// classes exist only for one output.
template <class Scalar, class Device>
WEFT_COLD void stage_weights(Batch<Scalar, Device>& batch, Span<const Index> samples,
                             const LossWeights& weights, std::size_t outputs) {
    if (!weights.are_any()) return;
    const auto n = static_cast<Index>(samples.size());
    const TensorView<const Scalar> classes = batch.y.host();
    const std::size_t all_samples = weights.of_outputs.size() / outputs;
    Scalar* factor = batch.weights.host().data();
    for (std::size_t k = 0; k < outputs; ++k) {
        for (Index i = 0; i < n; ++i) {
            const auto sample = static_cast<std::size_t>(samples[static_cast<std::size_t>(i)]);
            double weight = weights.of_samples.empty() ? 1 : weights.of_samples[sample];
            if (all_samples > 0) weight *= weights.of_outputs[k * all_samples + sample];
            if (!weights.of_classes.empty()) {
                weight *=
                    weights
                        .of_classes[class_of<Scalar>(classes.sample(i), weights.of_classes.size())];
            }
            *factor++ = static_cast<Scalar>(weight);
        }
    }
    batch.weights.send(batch.workspace.device(), static_cast<Index>(outputs) * n);
}

/// Computes losses, gradients and metrics of n gathered samples from the model's outputs. If these
/// are logits, predictions replace them. With `weighs`, the staged factors of the losses are used.
///
///   L = sum over outputs k of loss_weights_k mean(losses_k) + penalties
///
/// The means are over the update's samples. Adds the losses to the tally, and marks there numbers
/// that are not finite, unless `wrong` is null. With one output, score 0
/// is its losses and all penalties. With several, scores 1, 2, ... are their losses, and score 0
/// gets the penalties alone, for each row of the first output. The metrics follow.
template <class Scalar, class Device>
WEFT_COLD void score_batch(const Model<Scalar, Device>& model,
                           const TrainerOptions<Scalar, Device>& options,
                           Batch<Scalar, Device>& batch, Index n, bool weighs, Index update_samples,
                           Tally<Device>& tally, double* wrong) {
    using View = TensorView<Scalar, Device>;
    Device& device = batch.workspace.device();
    const Plan& plan = batch.workspace.plan();
    const auto targets = batch.targets.views(batch.y.data(), n);
    const bool is_one = options.loss.size() == 1;
    const std::size_t first_metric = first_metric_score(options);
    for (std::size_t k = 0; k < options.loss.size(); ++k) {
        const Shape& shape = model.output_shapes()[k];
        const View predictions = model.prediction(batch.workspace, n, k);
        const View losses = batch.losses.slice(0, n * loss_rows(shape));
        const View gradient = is_training(batch.workspace.kind())
                                  ? model.output_gradient(batch.workspace, n, k)
                                  : View(batch.scratch_gradient.data(), shape.batch(n));
        const double weight = options.loss_weights.empty() ? 1 : options.loss_weights[k];
        const Index rows = update_samples * loss_rows(shape);
        const auto scale = static_cast<Scalar>(weight) / static_cast<Scalar>(rows);
        kernels::BatchScore<Scalar, Device> score;
        score.loss = tally.score(is_one ? 0 : k + 1);
        score.mark = mark(Wrong::score);
        score.wrong = wrong;
        score.predictions = predictions;
        score.targets = targets[k];
        for (std::size_t i = 0; i < batch.metric_count; ++i) {
            if (batch.metrics[i].output != k || !batch.metrics[i].counted.is_any()) continue;
            score.matches = batch.metrics[i].counted;
            score.matched = tally.score(first_metric + i);
        }
        const kernels::ScoredLosses<Scalar, Device> scored(losses, &score);
        const bool is_fused = plan.gives_logits(k);
        const auto& loss = *options.loss[k];
        if (weighs) {
            loss.evaluate(device, is_fused, predictions, targets[k], scale, losses, gradient);
            const Index first = static_cast<Index>(k) * n;
            weight_rows<Scalar>(device, batch.weights.slice(first, n), losses, gradient);
            add_score<Scalar>(device, scored);
        } else {
            loss.score(device, is_fused, predictions, targets[k], scale, scored, gradient);
        }
    }
    bool penalises_outputs = false;
    for (const PlanStep& step : plan.steps()) penalises_outputs |= bool(step.penalty);
    if (penalises_outputs || !batch.penalties.all().empty()) {
        score_all_penalties<Scalar>(device, batch.penalties.all(), tally.parameter_penalty(),
                                    batch.workspace.activity_penalty().data(), n,
                                    n * loss_rows(model.output_shapes()[0]), tally.score(0),
                                    mark(Wrong::score), wrong);
    }
    for (std::size_t i = 0; i < batch.metric_count; ++i) {
        const ScoredMetric<Scalar, Device>& of = batch.metrics[i];
        if (of.counted.is_any()) continue;
        of.metric->evaluate(device, model.prediction(batch.workspace, n, of.output),
                            targets[of.output], tally.score(first_metric + i));
    }
}

/// The means of a tally's sums, by name.
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
