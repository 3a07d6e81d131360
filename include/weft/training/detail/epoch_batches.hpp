/// \file
/// EpochBatches: the samples of an epoch in their order, batch by batch.
#pragma once

#include "weft/training/fit_options.hpp"

#include <numeric>
#include <vector>

namespace weft::detail {

/// A batch as a part of what one update is made from.
struct StepPart {
    std::span<const Index> samples;  ///< of the batch
    Index first = 0;                 ///< the index of its first sample in the step
    Index step_samples = 0;          ///< of all batches of the step
    bool is_last = true;
};

/// The batches that a run trains on, of the first train_size samples; some to each update.
template <class Scalar>
class EpochBatches {
public:
    WEFT_COLD EpochBatches(const Dataset<Scalar>& data, Index train_size,
                           const FitOptions<Scalar>& options)
        : data_(data),
          options_(options),
          train_size_(train_size),
          batch_size_((std::min)(options.batch_size, train_size)),
          order_(static_cast<std::size_t>(train_size)) {}

    /// Of an epoch.
    Index count() const { return (train_size_ + batch_size_ - 1) / batch_size_; }
    Index train_size() const { return train_size_; }
    Index batch_size() const { return batch_size_; }
    Index to_update() const { return options_.gradient_accumulation_steps; }

    /// Puts the samples in the order of that epoch, which is counted from 0 over all runs.
    WEFT_COLD void begin(std::uint32_t epoch) {
        epoch_ = {options_.seed, epoch};
        std::iota(order_.begin(), order_.end(), Index{0});
        if (!options_.shuffle) return;
        RandomStream(options_.seed, RandomPurpose::shuffle, epoch)
            .shuffle(std::span<Index>(order_));
    }

    /// Those behind the first so many.
    WEFT_COLD std::unique_ptr<BatchReader<Scalar>> read_from(Index batch) const {
        return data_.read_batches(
            {std::span(order_).subspan(static_cast<std::size_t>(batch * batch_size_)), batch_size_,
             epoch_});
    }

    /// Batch i, from 0.
    WEFT_COLD StepPart operator[](Index i) const {
        const Index first_of_all = i / to_update() * to_update() * batch_size_;
        const Index first = i * batch_size_;
        const Index end = (std::min)(first + batch_size_, train_size_);
        // Counted in batches: any number of them may be asked for.
        const Index batches_left = count() - i / to_update() * to_update();
        const Index end_of_all =
            to_update() >= batches_left ? train_size_ : first_of_all + to_update() * batch_size_;
        return {std::span(order_).subspan(static_cast<std::size_t>(first),
                                          static_cast<std::size_t>(end - first)),
                first - first_of_all, end_of_all - first_of_all, end == end_of_all};
    }

private:
    const Dataset<Scalar>& data_;
    const FitOptions<Scalar>& options_;
    Index train_size_, batch_size_;
    std::vector<Index> order_;
    TrainingEpoch epoch_;
};

}  // namespace weft::detail
