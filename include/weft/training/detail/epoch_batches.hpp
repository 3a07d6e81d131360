/// \file
/// EpochBatches: the batches of an epoch, in its order of samples.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/threads.hpp"
#include "weft/training/fit_options.hpp"

#include <array>
#include <vector>

namespace weft::detail {

/// A batch as a part of one update.
struct UpdatePart {
    Span<const Index> samples;  ///< of the batch
    Index first = 0;            ///< the index of its first sample in the update
    Index update_samples = 0;   ///< of all its batches
    bool is_last = true;

    /// What updates that begin with such a part, so many at once, do alike.
    using Key = std::array<Index, 4>;
    Key key(Index updates) const { return {std::ssize(samples), first, update_samples, updates}; }
};

/// The order of the samples in each epoch, a function of the seed and the epoch. Another thread
/// makes the order of the next epoch while this one runs.
class EpochOrder {
public:
    WEFT_COLD EpochOrder(Index samples, std::uint64_t seed, bool shuffles)
        : seed_(seed), shuffles_(shuffles), order_(static_cast<std::size_t>(samples)) {}
    EpochOrder(const EpochOrder&) = delete;
    EpochOrder& operator=(const EpochOrder&) = delete;

    /// Sets the order of an epoch, and starts making the next unless the epoch is the last.
    WEFT_COLD void begin(std::uint32_t epoch, bool is_last) {
        thread_.join();
        if (next_epoch_ == epoch) {
            order_.swap(next_);
        } else {
            make(order_, epoch);
        }
        next_epoch_ = none;
        // 2^14 samples take 0.3 ms on an AMD EPYC, ten times as long as a thread takes to start.
        if (is_last || !shuffles_ || order_.size() < std::size_t{1} << 14) return;
        if (next_.empty()) next_ = std::vector<Index>(order_.size());
        next_epoch_ = std::int64_t{epoch} + 1;
        if (!thread_.start<&EpochOrder::make_next>(*this)) {
            next_epoch_ = none;  // the epoch makes its order itself
        }
    }

    Span<const Index> order() const { return order_; }

private:
    /// The other thread.
    void make_next() { make(next_, static_cast<std::uint32_t>(next_epoch_)); }

    WEFT_COLD void make(std::vector<Index>& order, std::uint32_t epoch) const {
        Index next = 0;
        for (Index& sample : order) sample = next++;
        if (!shuffles_) return;
        RandomStream(seed_, RandomPurpose::shuffle, epoch).shuffle(order);
    }

    std::uint64_t seed_;
    bool shuffles_;
    std::vector<Index> order_, next_;
    static constexpr std::int64_t none = -1;
    std::int64_t next_epoch_ = none;  ///< the epoch of next_
    Thread thread_;                   ///< last: it ends before what it uses
};

/// The training batches of a run, of the first train_size samples; an update takes some of them.
template <class Scalar>
class EpochBatches {
public:
    WEFT_COLD EpochBatches(const Dataset<Scalar>& data, Index train_size,
                           const FitOptions<Scalar>& options)
        : data_(data),
          options_(options),
          train_size_(train_size),
          batch_size_((std::min)(options.batch_size, train_size)),
          order_(train_size, options.seed, options.shuffle) {}

    /// Of an epoch.
    Index count() const { return (train_size_ + batch_size_ - 1) / batch_size_; }
    Index train_size() const { return train_size_; }
    Index batch_size() const { return batch_size_; }
    Index to_update() const { return options_.gradient_accumulation_steps; }
    /// Of a step that is not the last of an epoch, or is all of it.
    Index step_samples() const {
        return to_update() >= count() ? train_size_ : to_update() * batch_size_;
    }

    /// A description that must be equal for a run to resume another.
    WEFT_COLD std::string plan_text(std::string_view optimizer,
                                    const std::vector<std::string>& score_names) const {
        std::string names;
        for (const std::string& name : score_names) names += join({", ", name});
        if (to_update() > 1) names += join({", ", to_update(), " batches to an update"});
        return join({"seed ", options_.seed, ", batches of ", batch_size_, " of ", train_size_,
                     options_.shuffle ? " shuffled" : "", " samples, ", optimizer, names});
    }

    /// Begins an epoch, counted from 0 over all runs: sets its order of samples.
    WEFT_COLD void begin(std::uint32_t epoch, bool is_last) {
        epoch_ = {options_.seed, epoch};
        order_.begin(epoch, is_last);
    }

    Span<const Index> order() const { return order_.order(); }
    const TrainingEpoch& epoch() const { return epoch_; }

    /// Reads the epoch's batches from `batch` on.
    WEFT_COLD std::unique_ptr<BatchReader<Scalar>> read_from(Index batch) const {
        return data_.read_batches(
            {order_.order().subspan(static_cast<std::size_t>(batch * batch_size_)), batch_size_,
             epoch_});
    }

    /// Batch i, from 0.
    WEFT_COLD UpdatePart operator[](Index i) const {
        const Index first_of_all = i / to_update() * to_update() * batch_size_;
        const Index first = i * batch_size_;
        const Index end = (std::min)(first + batch_size_, train_size_);
        // Compared in batches: to_update() may be huge, and its product would overflow.
        const Index batches_left = count() - i / to_update() * to_update();
        const Index end_of_all =
            to_update() >= batches_left ? train_size_ : first_of_all + to_update() * batch_size_;
        return {order_.order().subspan(static_cast<std::size_t>(first),
                                       static_cast<std::size_t>(end - first)),
                first - first_of_all, end_of_all - first_of_all, end == end_of_all};
    }

private:
    const Dataset<Scalar>& data_;
    const FitOptions<Scalar>& options_;
    Index train_size_, batch_size_;
    EpochOrder order_;
    TrainingEpoch epoch_;
};

}  // namespace weft::detail
