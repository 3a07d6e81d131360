/// \file
/// evaluate: the scores of a model on data.
#pragma once

#include "weft/training/detail/resident_samples.hpp"

namespace weft::detail {

/// Samples that are evaluated again and again; a device with memory of its own may keep them.
template <class Scalar, class Device>
struct EvaluatedOften {
    Index most_bytes = 0;  ///< to keep
    KeptOnDevice<Device, ResidentSamples<Scalar, Device>> samples = nullptr;

    /// Copies samples [first, end) to the device, unless they are there, change, or are too many.
    /// Is tried once.
    WEFT_COLD void keep(const Dataset<Scalar>& data, Index first, Index end, const Device& device) {
        using Samples = ResidentSamples<Scalar, Device>;
        const bool is_constant = data.is_constant() || data.changed_images() != nullptr;
        const Index count = end - first;
        if (samples || !is_constant || count > most_bytes / Samples::bytes(data)) return;
        samples = null_on_errors<Samples>(
            [&] { return std::make_unique<Samples>(data, first, count, device); });
        most_bytes = 0;
    }
};

/// The mean loss and metrics over the samples from first to end. often: null if they are evaluated
/// once.
template <class Scalar, class Device>
WEFT_COLD Scores evaluate(const Model<Scalar, Device>& model,
                          const TrainerOptions<Scalar, Device>& options,
                          const Dataset<Scalar>& data, Index first, Index end, Index batch_size,
                          const LossWeights& weights = {},
                          EvaluatedOften<Scalar, Device>* often = nullptr) {
    batch_size = (std::min)(batch_size, end - first);
    Batch<Scalar, Device> batch(model, options, column_order(data, model, options, "evaluate"),
                                batch_size, PassKind::inference);
    Device& device = batch.workspace.device();
    Tally<Device> tally(score_count(options), model.device());
    bool is_kept = false;
    if constexpr (!Device::is_host) {
        // After the memory of a batch is made: without the samples there it can go on.
        if (often != nullptr) often->keep(data, first, end, device);
        is_kept = often != nullptr && often->samples != nullptr;
    }
    std::vector<Index> order(static_cast<std::size_t>(end - first));
    for (Index i = first; i < end; ++i) order[static_cast<std::size_t>(i - first)] = i;
    const auto batches = is_kept ? nullptr : data.read_batches({order, batch_size});
    for (Span<const Index> left = order; !left.empty();) {
        const auto samples =
            left.first((std::min)(left.size(), static_cast<std::size_t>(batch_size)));
        left = left.subspan(samples.size());
        const auto n = static_cast<Index>(samples.size());
        const auto score = [&] {
            model.forward(batch.workspace, batch.inputs.views(batch.x.data(), n));
            stage_weights(batch, samples, weights, options.loss.size());
            score_batch<Scalar, Device>(model, options, batch, n, weights.are_any(), n, tally,
                                        nullptr);
            tally.finish_batch(device);
        };
        if constexpr (!Device::is_host) {
            if (is_kept) {
                run_pass(device, model.work(n), [&] {
                    often->samples->copy(device, samples[0] - first, n, batch);
                    score();
                });
                continue;
            }
        }
        run_on_next_batch(*batches, batch, n, model.work(n), score);
    }
    return mean_scores(options, score_names(model, options), tally.sums(model.device()));
}

/// The data evaluated after each epoch: the samples from `first` on, perhaps none.
template <class Scalar, class Device>
struct Validation {
    const Dataset<Scalar>* data = nullptr;
    Index first = 0;
    LossWeights weights = {};
    EvaluatedOften<Scalar, Device> often = {};

    /// Adds their scores as "val_loss" and so on.
    WEFT_COLD void add_scores(const Model<Scalar, Device>& model,
                              const TrainerOptions<Scalar, Device>& options, Index batch_size,
                              Scores& scores) {
        if (first == data->size()) return;
        for (const auto& [name, value] : evaluate<Scalar, Device>(
                 model, options, *data, first, data->size(), batch_size, weights, &often)) {
            scores.set(join({"val_", name}), value);
        }
    }
};

}  // namespace weft::detail
