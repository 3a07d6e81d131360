/// \file
/// A batch with its memory, and the scores of what a model makes of it.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/detail/outputs.hpp"
#include "weft/training/detail/parameter_rules.hpp"

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
    Scalar* const x = batch.x.host().data();
    Scalar* const y = batch.y.host().data();
    Device& device = batch.workspace.device();
    bool is_within = false;
    if constexpr (std::same_as<Device, Cpu>) is_within = batches.reads_within_pass();
    if (!is_within) {
        batches.next(x, y);
        batch.x.send(device, n);
        batch.y.send(device, n);
        batch.take_apart(n);
    }
    run_pass(device, work, [&] {
        if constexpr (std::same_as<Device, Cpu>) {
            if (is_within) {
                batches.next_within_pass(device, x, y);
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

/// Computes losses, gradient and metrics of the samples that were gathered into the batch, from
/// what the model made of them: logits, if its plan gives them, else predictions. The mean of the
/// losses is over this batch's rows. Adds to sums: [0] the loss with all penalties, then the
/// metrics. False when a loss or a penalty is not finite.
template <class Scalar, class Device>
WEFT_COLD bool score_batch(const Model<Scalar, Device>& model,
                           const TrainerOptions<Scalar, Device>& options,
                           Batch<Scalar, Device>& batch, TensorView<Scalar, Device> predictions,
                           std::span<const Index> samples, const LossWeights& weights,
                           TensorView<Scalar, Device> gradient, std::vector<MetricSum>& sums) {
    const auto n = static_cast<Index>(samples.size());
    if (options.loss.size() > 1) {
        const double penalties =
            parameter_penalty<Scalar, Device>(batch.workspace.device(), model) +
            batch.workspace.activity_penalty() / static_cast<double>(n);
        return score_outputs<Scalar, Device>(model, options, batch, samples, weights.of_samples,
                                             penalties, sums);
    }
    const TensorView<const Scalar, Device> targets = batch.y.slice(0, n);
    const auto losses = batch.losses.slice(0, n * loss_rows(model.output_shape()));
    Device& device = batch.workspace.device();
    options.loss->evaluate(device, batch.workspace.plan().gives_logits(), predictions, targets,
                           losses, gradient);
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
    const auto rows = static_cast<double>(losses.size());
    const double penalties = parameter_penalty<Scalar, Device>(device, model) +
                             batch.workspace.activity_penalty() / static_cast<double>(n);
    sums[0] += {total<Scalar>(device, losses) + penalties * rows, rows};
    for (std::size_t m = 0; m < options.metrics.size(); ++m) {
        sums[m + 1] += options.metrics[m]->evaluate(device, predictions, targets);
    }
    return all_finite<Scalar>(device, losses) && std::isfinite(penalties);
}

/// The means of what score_batch summed: "loss", then the metrics.
template <class Scalar, class Device>
WEFT_COLD Scores mean_scores(const TrainerOptions<Scalar, Device>& options,
                             const std::vector<MetricSum>& sums) {
    Scores scores;
    const std::vector<std::string> names = score_names(options);
    for (std::size_t i = 0; i < names.size(); ++i) scores.set(names[i], sums[i].mean());
    return scores;
}

}  // namespace weft::detail
