/// \file
/// Dataset: samples and their targets, gathered batch by batch.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/tensor.hpp"
#include "weft/data/changed_images.hpp"
#include "weft/data/detail/record_parts.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// A pass over samples of a dataset in batches; the last batch may be shorter.
struct BatchPlan {
    Span<const Index> samples;                   ///< in this order; must outlive the pass
    Index batch_size = 0;                        ///< at least 1
    std::optional<TrainingEpoch> training = {};  ///< none: to evaluate them as they are

    /// Removes the first batch from the plan.
    Span<const Index> take_batch() {
        const auto batch =
            samples.first((std::min)(samples.size(), static_cast<std::size_t>(batch_size)));
        samples = samples.subspan(batch.size());
        return batch;
    }
};

/// Reads the batches of a pass, one after another. For one thread only.
template <class Scalar>
class BatchReader {
public:
    virtual ~BatchReader() = default;

    /// Writes the next batch of the plan: x (n, input...), y (n, target...). Of several inputs, x
    /// has the n samples of the first, then those of the second, and so on; likewise y. Passes on
    /// exceptions of reading. Must not be called again after the last batch or after an exception.
    virtual void next(Scalar* x, Scalar* y) = 0;

    /// The same without a copy, if the reader has the batch in tensors of the shapes of x and y: it
    /// exchanges their memory. Else returns false, and reads nothing.
    virtual bool exchange(Tensor<Scalar>& /*x*/, Tensor<Scalar>& /*y*/) { return false; }

    /// Whether next_within_pass may be called instead: reading then does not wait.
    virtual bool reads_within_pass() const { return false; }

    /// The same within a pass on cpu, whose threads share the work.
    virtual void next_within_pass(const Cpu& /*cpu*/, Scalar* x, Scalar* y) { next(x, y); }
};

/// For each input and target of a dataset, the index of the model's input or output.
struct ColumnOrder {
    std::vector<std::size_t> inputs = {};   ///< of each input
    std::vector<std::size_t> targets = {};  ///< of each target
};

/// Samples with targets, read in batches. The training loop reads data in no other way. A dataset
/// may be in memory, of another number type, on disk, or generated.
///
/// For a model of several inputs a sample is all of them, one after another: input_shapes() has
/// their shapes, and input_shape() is (the sum of their sizes). Likewise for targets.
template <class Scalar>
class Dataset {
public:
    virtual ~Dataset() = default;

    virtual Index size() const = 0;          ///< the number of samples
    virtual Shape input_shape() const = 0;   ///< of one sample
    virtual Shape target_shape() const = 0;  ///< of one target; () for a class index

    /// The shapes of all inputs and targets of one sample.
    virtual std::vector<Shape> input_shapes() const { return {input_shape()}; }
    virtual std::vector<Shape> target_shapes() const { return {target_shape()}; }

    /// The model's input or output for each of the dataset's; null: they are in the model's order.
    /// Throws ArgumentError for names that the model does not have.   who: "fit: the data"
    virtual std::shared_ptr<const ColumnOrder> order(const std::vector<std::string>& /*inputs*/,
                                                     const std::vector<std::string>& /*outputs*/,
                                                     std::string_view /*who*/) const {
        return nullptr;
    }

    /// Writes the samples with the given indices in [0, size()) to x and their targets to y, one
    /// after another; a class index is written as a number. x or y may be null. Safe to call from
    /// several threads at once.
    virtual void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const = 0;

    /// Throws ArgumentError if samples are no longer where they were, as those of an array that was
    /// assigned. Readers call it before each batch.
    virtual void require_unchanged() const {}

    /// Whether gather and gather_for_training neither wait nor throw, so threads of a pass may call
    /// them, after require_unchanged().
    virtual bool is_in_memory() const { return false; }

    /// Whether samples never change and gather_for_training equals gather. A device with memory of
    /// its own may then keep the samples there.
    virtual bool is_constant() const { return false; }

    /// Whether all numbers that gather writes to x are whole numbers of 0 ... 255. A device with
    /// memory of its own may then keep them as bytes.
    virtual bool inputs_are_bytes() const { return false; }

    /// The changes that turn samples of gather into those of gather_for_training, so that a device
    /// can apply them; null if they cannot be described that way.
    virtual const ChangedImages<Scalar>* changed_images() const { return nullptr; }

    /// As gather, but for training in the given epoch: samples may be changed, differently in each
    /// epoch, as by augmented().
    virtual void gather_for_training(std::span<const Index> samples, TrainingEpoch /*epoch*/,
                                     Scalar* x, Scalar* y) const {
        gather(samples, x, y);
    }

    /// Starts a pass; the dataset must outlive it. The training loop reads in no other way. By
    /// default each batch is gathered when it is read.
    virtual std::unique_ptr<BatchReader<Scalar>> read_batches(const BatchPlan& plan) const;
};

namespace detail {

/// Gathers each batch when it is read.
template <class Scalar>
class GatheringReader final : public BatchReader<Scalar> {
public:
    WEFT_COLD GatheringReader(const Dataset<Scalar>& data, const BatchPlan& plan)
        : data_(&data),
          plan_(plan),
          x_(data.input_shapes(), largest_batch(plan)),
          y_(data.target_shapes(), largest_batch(plan)) {}

    void next(Scalar* x, Scalar* y) override {
        data_->require_unchanged();
        const Span<const Index> batch = plan_.take_batch();
        gather(batch, 0, std::ssize(batch), x, y);
    }

    bool reads_within_pass() const override { return data_->is_in_memory(); }

    void next_within_pass(const Cpu& cpu, Scalar* x, Scalar* y) override {
        data_->require_unchanged();  // a task must not throw
        const Span<const Index> batch = plan_.take_batch();
        const auto gather_range = [&](Index begin, Index end) { gather(batch, begin, end, x, y); };
        parallel_ranges(cpu, std::ssize(batch), grain_of_samples(x_.size()), gather_range);
    }

private:
    static Index largest_batch(const BatchPlan& plan) {
        return (std::min)(std::ssize(plan.samples), plan.batch_size);
    }

    /// Samples [begin, end) of the batch.
    WEFT_COLD void gather(Span<const Index> batch, Index begin, Index end, Scalar* x, Scalar* y) {
        const std::span<const Index> samples(batch.data() + begin,
                                             static_cast<std::size_t>(end - begin));
        Scalar* const records_x = x_.records(x, begin);
        Scalar* const records_y = y_.records(y, begin);
        if (plan_.training) {
            data_->gather_for_training(samples, *plan_.training, records_x, records_y);
        } else {
            data_->gather(samples, records_x, records_y);
        }
        x_.split(begin, end, std::ssize(batch), x);
        y_.split(begin, end, std::ssize(batch), y);
    }

    const Dataset<Scalar>* data_;
    BatchPlan plan_;  ///< its samples are those still to be read
    RecordParts<Scalar> x_, y_;
};

}  // namespace detail

template <class Scalar>
std::unique_ptr<BatchReader<Scalar>> Dataset<Scalar>::read_batches(const BatchPlan& plan) const {
    return std::unique_ptr<BatchReader<Scalar>>(new detail::GatheringReader<Scalar>(*this, plan));
}

}  // namespace weft
