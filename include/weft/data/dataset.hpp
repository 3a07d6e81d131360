/// \file
/// Dataset: samples and their targets, gathered batch by batch.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/shape.hpp"
#include "weft/data/changed_images.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// A pass over samples of a dataset, a batch at a time; the last batch may be shorter.
struct BatchPlan {
    Span<const Index> samples;                   ///< in this order; must outlive the pass
    Index batch_size = 0;                        ///< at least 1
    std::optional<TrainingEpoch> training = {};  ///< none: to evaluate them as they are
};

/// The batches of a pass, one after another. To be used by one thread.
template <class Scalar>
class BatchReader {
public:
    virtual ~BatchReader() = default;

    /// Writes the next batch of the plan as Dataset::gather does. Throws what reading it throws.
    /// Not to be called again after the last batch or after an exception.
    virtual void next(Scalar* x, Scalar* y) = 0;

    /// Whether next_within_pass may be called instead: then reading neither waits nor throws.
    virtual bool reads_within_pass() const { return false; }

    /// The same within a pass on cpu, whose threads share the samples.
    virtual void next_within_pass(const Cpu& /*cpu*/, Scalar* x, Scalar* y) { next(x, y); }
};

/// For each input and target of a dataset, which one of a model's it is.
struct ColumnOrder {
    std::vector<std::size_t> inputs = {}, targets = {};
};

/// Samples with targets, read a batch at a time. The training loop knows nothing else of data, so
/// a set may lie in memory, in another number type, on disk, or be made up as it is asked for.
///
/// For a model of several inputs a sample is all of them, one after another: input_shapes() says
/// which, and input_shape() is (their numbers in all). The same goes for targets.
template <class Scalar>
class Dataset {
public:
    virtual ~Dataset() = default;

    virtual Index size() const = 0;          ///< the number of samples
    virtual Shape input_shape() const = 0;   ///< of one sample
    virtual Shape target_shape() const = 0;  ///< of one target; () for a class index

    /// Those of all inputs and targets of one sample.
    virtual std::vector<Shape> input_shapes() const { return {input_shape()}; }
    virtual std::vector<Shape> target_shapes() const { return {target_shape()}; }

    /// Which of a model's inputs and outputs they are for; null where they are in its order. Throws
    /// ArgumentError for names that are not those of the model.   who: "fit: the data"
    virtual std::shared_ptr<const ColumnOrder> order(const std::vector<std::string>& /*inputs*/,
                                                     const std::vector<std::string>& /*outputs*/,
                                                     std::string_view /*who*/) const {
        return nullptr;
    }

    /// Writes the samples of those indices, each in [0, size()), one after another to x and their
    /// targets to y, a class index as a number. A null x or y is left out. Safe to call from
    /// several threads at once.
    virtual void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const = 0;

    /// Whether gather and gather_for_training neither wait nor throw: threads that compute may call
    /// them.
    virtual bool is_in_memory() const { return false; }

    /// Whether samples never change, and gather_for_training is gather: then a device with memory of
    /// its own may keep them there.
    virtual bool is_constant() const { return false; }

    /// What gather_for_training does to what gather gives, if that is all of it and can be said in
    /// numbers, else null: then such a device may do it.
    virtual const ChangedImages<Scalar>* changed_images() const { return nullptr; }

    /// As gather, but as they are to be trained on in that epoch; other epochs may see the same
    /// samples changed, as augmented() does.
    virtual void gather_for_training(std::span<const Index> samples, TrainingEpoch /*epoch*/,
                                     Scalar* x, Scalar* y) const {
        gather(samples, x, y);
    }

    /// Starts a pass, which must end before the dataset does. The training loop reads no other way.
    /// By default each batch is gathered when it is asked for.
    virtual std::unique_ptr<BatchReader<Scalar>> read_batches(const BatchPlan& plan) const;
};

namespace detail {

/// Gathers each batch when it is asked for.
template <class Scalar>
class GatheringReader final : public BatchReader<Scalar> {
public:
    GatheringReader(const Dataset<Scalar>& data, const BatchPlan& plan)
        : data_(&data), plan_(plan) {}

    void next(Scalar* x, Scalar* y) override { gather(take_batch(), x, y); }

    bool reads_within_pass() const override { return data_->is_in_memory(); }

    void next_within_pass(const Cpu& cpu, Scalar* x, Scalar* y) override {
        const Span<const Index> batch = take_batch();
        const Index x_size = data_->input_shape().size(), y_size = data_->target_shape().size();
        const auto gather_range = [&](Index begin, Index end) {
            gather(batch.subspan(static_cast<std::size_t>(begin),
                                 static_cast<std::size_t>(end - begin)),
                   x + begin * x_size, y + begin * y_size);
        };
        // Samples of some microseconds in all, as far as samples are not larger.
        const Index grain = (std::max<Index>)(1, 8192 / (std::max<Index>)(1, x_size));
        parallel_ranges(cpu, static_cast<Index>(batch.size()), grain, gather_range);
    }

private:
    Span<const Index> take_batch() {
        const std::size_t count =
            (std::min)(plan_.samples.size(), static_cast<std::size_t>(plan_.batch_size));
        const auto batch = plan_.samples.first(count);
        plan_.samples = plan_.samples.subspan(count);
        return batch;
    }

    void gather(Span<const Index> batch, Scalar* x, Scalar* y) const {
        const std::span samples(batch.data(), batch.size());
        if (plan_.training) {
            data_->gather_for_training(samples, *plan_.training, x, y);
        } else {
            data_->gather(samples, x, y);
        }
    }

    const Dataset<Scalar>* data_;
    BatchPlan plan_;  ///< its samples are those still to come
};

}  // namespace detail

template <class Scalar>
std::unique_ptr<BatchReader<Scalar>> Dataset<Scalar>::read_batches(const BatchPlan& plan) const {
    return std::unique_ptr<BatchReader<Scalar>>(new detail::GatheringReader<Scalar>(*this, plan));
}

}  // namespace weft
