/// \file
/// Dataset: samples and their targets, gathered batch by batch.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/data/columns.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace weft {

/// What decides how a sample is changed for training: with the sample's index, all of it.
struct TrainingEpoch {
    std::uint64_t seed = 0;
    std::uint32_t number = 0;  ///< counted by the trainer over all of its fits, from 0
};

/// A pass over samples of a dataset, a batch at a time; the last batch may be shorter.
struct BatchPlan {
    std::span<const Index> samples;              ///< in this order; must outlive the pass
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
        const std::span<const Index> batch = take_batch();
        const Index x_size = data_->input_shape().size(), y_size = data_->target_shape().size();
        const auto gather_range = [&](Index begin, Index end) {
            gather(batch.subspan(static_cast<std::size_t>(begin),
                                 static_cast<std::size_t>(end - begin)),
                   x + begin * x_size, y + begin * y_size);
        };
        // Samples of some microseconds in all, as far as samples are not larger.
        const Index grain = (std::max<Index>)(1, 8192 / (std::max<Index>)(1, x_size));
        parallel_ranges(cpu, std::ssize(batch), grain, gather_range);
    }

private:
    std::span<const Index> take_batch() {
        const std::size_t count =
            (std::min)(plan_.samples.size(), static_cast<std::size_t>(plan_.batch_size));
        const auto batch = plan_.samples.first(count);
        plan_.samples = plan_.samples.subspan(count);
        return batch;
    }

    void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const {
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
    return std::make_unique<detail::GatheringReader<Scalar>>(*this, plan);
}

/// A Dataset over arrays in the caller's memory, which must outlive it:  x (N, sample...),
/// y (N, target...). Elements of other types, such as uint8 pixels or labels, are converted as
/// batches are gathered.
template <class Scalar, class X, class Y>
class ArrayDataset final : public Dataset<Scalar> {
public:
    WEFT_COLD ArrayDataset(TensorView<const X> x, TensorView<const Y> y) : x_(x), y_(y) {
        if (x.shape().rank() == 0 || y.shape().rank() == 0) {
            throw ShapeError("dataset: x and y need a first axis N");
        }
        if (x.shape()[0] != y.shape()[0]) {
            throw ShapeError(concat("dataset: x has ", x.shape()[0], " samples, y has ",
                                    y.shape()[0], " targets; expected as many"));
        }
    }

    bool is_in_memory() const override { return true; }
    bool is_constant() const override { return true; }
    Index size() const override { return x_.shape()[0]; }
    Shape input_shape() const override { return x_.shape().sample(); }
    Shape target_shape() const override { return y_.shape().sample(); }

    WEFT_NOINLINE void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        if (x != nullptr) copy_samples(x_, samples, x);
        if (y != nullptr) copy_samples(y_, samples, y);
    }

private:
    template <class Element>
    static void copy_samples(TensorView<const Element> from, std::span<const Index> samples,
                             Scalar* to) {
        const Index size = from.shape().sample().size();
        for (const Index i : samples) {
            const Element* sample = from.data() + i * size;
            for (Index k = 0; k < size; ++k) *to++ = static_cast<Scalar>(sample[k]);
        }
    }

    TensorView<const X> x_;
    TensorView<const Y> y_;
};

/// A Dataset of several inputs and targets, each an array of as many samples.
template <class Scalar>
class ColumnsDataset final : public Dataset<Scalar> {
public:
    using Columns = std::vector<Column<Scalar>>;

    /// Throws ArgumentError or ShapeError for no arrays, and for different numbers of samples.
    WEFT_COLD ColumnsDataset(Columns inputs, Columns targets)
        : inputs_(std::move(inputs)), targets_(std::move(targets)) {
        if (inputs_.empty() || targets_.empty()) {
            throw ArgumentError("dataset: no inputs or no targets, expected at least one of each");
        }
        for (const Columns* columns : {&inputs_, &targets_}) {
            for (std::size_t k = 0; k < columns->size(); ++k) {
                const Shape& shape = (*columns)[k].shape();
                const char* what = columns == &inputs_ ? "input " : "target ";
                if (shape.rank() == 0) {
                    throw ShapeError(concat("dataset: ", what, k, " needs a first axis N"));
                }
                if (shape[0] == size()) continue;
                throw ShapeError(concat("dataset: ", what, k, " has ", shape[0],
                                        " samples, input 0 has ", size()));
            }
        }
        input_shape_ = detail::record_shape(input_shapes());
        target_shape_ = detail::record_shape(target_shapes());
    }

    bool is_in_memory() const override { return true; }
    bool is_constant() const override { return true; }
    Index size() const override { return inputs_.front().shape()[0]; }
    Shape input_shape() const override { return input_shape_; }
    Shape target_shape() const override { return target_shape_; }
    std::vector<Shape> input_shapes() const override { return detail::sample_shapes(inputs_); }
    std::vector<Shape> target_shapes() const override { return detail::sample_shapes(targets_); }

    WEFT_COLD void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        if (x != nullptr) detail::copy_records(inputs_, samples, x);
        if (y != nullptr) detail::copy_records(targets_, samples, y);
    }

private:
    Columns inputs_, targets_;
    Shape input_shape_, target_shape_;
};

/// A Dataset held by a handle that is cheap to copy; what fit and evaluate take. Made from arrays,
/// it views those that have a name, which must outlive it, and keeps those that are temporary; or
/// from a Dataset of the caller's own.
template <class Scalar>
class Examples {
public:
    /// None.
    Examples() = default;

    /// x (N, sample...) and y (N, target...): tensors, vectors, spans or row-major Eigen matrices.
    template <class X, class Y>
    requires requires(const X& x, const Y& y) {
        as_view(x);
        as_view(y);
    }
    Examples(X&& x, Y&& y) : data_(make(std::forward<X>(x), std::forward<Y>(y))) {}

    /// Of several inputs or targets: Examples<float> examples({x1, x2}, {y1, y2}).
    WEFT_COLD Examples(std::vector<Column<Scalar>> inputs, std::vector<Column<Scalar>> targets)
        : data_(std::make_shared<const ColumnsDataset<Scalar>>(std::move(inputs),
                                                               std::move(targets))) {}

    Examples(std::shared_ptr<const Dataset<Scalar>> data) : data_(std::move(data)) {}

    explicit operator bool() const { return data_ != nullptr; }
    const Dataset<Scalar>& operator*() const { return *data_; }
    const Dataset<Scalar>* operator->() const { return data_.get(); }

private:
    template <class T>
    using Element = std::remove_cvref_t<
        decltype(*as_view(std::declval<const std::remove_cvref_t<T>&>()).data())>;

    /// The arrays, by reference if they have a name, and the set that views them.
    template <class X, class Y>
    struct Arrays {
        X x;
        Y y;
        ArrayDataset<Scalar, Element<X>, Element<Y>> set{as_view(std::as_const(x)),
                                                         as_view(std::as_const(y))};
    };

    template <class X, class Y>
    static std::shared_ptr<const Dataset<Scalar>> make(X&& x, Y&& y) {
        const std::shared_ptr<const Arrays<X, Y>> arrays(
            new Arrays<X, Y>{std::forward<X>(x), std::forward<Y>(y)});
        return {arrays, &arrays->set};
    }

    std::shared_ptr<const Dataset<Scalar>> data_;
};

/// Whether samples X and targets Y are arrays that Examples can be made of.
template <class Y, class X, class Scalar>
concept TargetsFor = std::constructible_from<Examples<Scalar>, const X&, const Y&>;

}  // namespace weft
