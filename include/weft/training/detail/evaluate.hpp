/// \file
/// evaluate_range: the scores of a model on data.
#pragma once

#include "weft/training/detail/score_batch.hpp"

#include <numeric>

namespace weft::detail {

/// The mean loss and metrics over the samples from first to end.
template <class Scalar, class Device>
WEFT_COLD Scores evaluate(const Model<Scalar, Device>& model,
                          const TrainerOptions<Scalar, Device>& options,
                          const Dataset<Scalar>& data, Index first, Index end, Index batch_size,
                          const LossWeights& weights = {}) {
    batch_size = (std::min)(batch_size, end - first);
    Batch<Scalar, Device> batch(model, options, column_order(data, model, options, "evaluate"),
                                batch_size, PassKind::inference);
    Tally<Device> tally(score_count(options), model.device());
    std::vector<Index> order(static_cast<std::size_t>(end - first));
    std::iota(order.begin(), order.end(), first);
    const auto batches = data.read_batches({order, batch_size});
    for (Span<const Index> left = order; !left.empty();) {
        const auto samples =
            left.first((std::min)(left.size(), static_cast<std::size_t>(batch_size)));
        left = left.subspan(samples.size());
        const auto n = static_cast<Index>(samples.size());
        run_on_next_batch(*batches, batch, n, model.work(n), [&] {
            model.forward(batch.workspace, batch.inputs.views(batch.x.data(), n));
            stage_weights(batch, samples, weights, options.loss.size());
            score_batch<Scalar, Device>(model, options, batch, n, weights.are_any(), n, tally,
                                        nullptr);
            tally.finish_batch(batch.workspace.device());
        });
    }
    return mean_scores(options, score_names(model, options), tally.sums(model.device()));
}

/// The data evaluated after each epoch: the samples from `first` on, perhaps none.
template <class Scalar>
struct Validation {
    const Dataset<Scalar>* data = nullptr;
    Index first = 0;
    LossWeights weights = {};

    /// Adds their scores as "val_loss" and so on.
    template <class Device>
    WEFT_COLD void add_scores(const Model<Scalar, Device>& model,
                              const TrainerOptions<Scalar, Device>& options, Index batch_size,
                              Scores& scores) const {
        if (first == data->size()) return;
        for (const auto& [name, value] : evaluate<Scalar, Device>(
                 model, options, *data, first, data->size(), batch_size, weights)) {
            scores.set(join({"val_", name}), value);
        }
    }
};

}  // namespace weft::detail
