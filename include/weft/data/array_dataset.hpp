/// \file
/// ArrayDataset and ColumnsDataset: samples in memory.
#pragma once

#include "weft/core/by_name.hpp"
#include "weft/data/columns.hpp"
#include "weft/data/dataset.hpp"

namespace weft {

/// A Dataset over the caller's arrays, which must outlive it:  x (N, sample...),  y (N, target...).
/// Other number types, such as uint8 pixels or labels, are converted when a batch is gathered.
template <class Scalar, class X, class Y>
class ArrayDataset final : public Dataset<Scalar> {
    static_assert(
        std::is_convertible_v<X, Scalar> && std::is_convertible_v<Y, Scalar>,
        "the elements of the data are not numbers; rows that are containers of their own, "
        "such as of a vector of vectors, have to be copied into one weft::Tensor");

public:
    WEFT_COLD ArrayDataset(TensorView<const X> x, TensorView<const Y> y) : x_(x), y_(y) {
        if (x.shape().rank() == 0 || y.shape().rank() == 0) {
            throw ShapeError("dataset: x or y has shape (), expected a first axis N");
        }
        if (x.shape()[0] != y.shape()[0]) {
            throw ShapeError(detail::join({"dataset: x has ", x.shape()[0], " samples, y has ",
                                           y.shape()[0], " targets; expected as many"}));
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

namespace detail {

/// Reads batches of columns in memory, each column to its place.
template <class Scalar>
class ColumnsReader final : public BatchReader<Scalar> {
public:
    using Columns = std::vector<Column<Scalar>>;

    ColumnsReader(const Columns& inputs, const Columns& targets, Index input_size,
                  const BatchPlan& plan)
        : inputs_(inputs), targets_(targets), input_size_(input_size), plan_(plan) {}

    void next(Scalar* x, Scalar* y) override {
        const Span<const Index> batch = plan_.take_batch();
        copy(batch, 0, std::ssize(batch), x, y);
    }

    bool reads_within_pass() const override { return true; }

    void next_within_pass(const Cpu& cpu, Scalar* x, Scalar* y) override {
        const Span<const Index> batch = plan_.take_batch();
        const auto copy_range = [&](Index begin, Index end) { copy(batch, begin, end, x, y); };
        parallel_ranges(cpu, std::ssize(batch), grain_of_samples(input_size_), copy_range);
    }

private:
    /// Samples [begin, end) of the batch.
    void copy(Span<const Index> batch, Index begin, Index end, Scalar* x, Scalar* y) {
        if (x != nullptr) copy(inputs_, batch, begin, end, x);
        if (y != nullptr) copy(targets_, batch, begin, end, y);
    }

    WEFT_NOINLINE static void copy(const Columns& columns, Span<const Index> batch, Index begin,
                                   Index end, Scalar* to) {
        for (const Column<Scalar>& column : columns) {
            const Index size = column.shape().sample().size();
            for (Index i = begin; i < end; ++i) {
                column.copy(batch[static_cast<std::size_t>(i)] * size, size, to + i * size);
            }
            to += std::ssize(batch) * size;
        }
    }

    const Columns& inputs_;
    const Columns& targets_;
    Index input_size_;
    BatchPlan plan_;  ///< its samples are those still to be read
};

}  // namespace detail

/// A Dataset of several inputs and targets, each an array with the same number of samples.
template <class Scalar>
class ColumnsDataset final : public Dataset<Scalar> {
public:
    using Columns = std::vector<Column<Scalar>>;

    /// Throws ArgumentError without inputs or targets, or if only some have names; ShapeError if
    /// their numbers of samples differ.
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
                    throw ShapeError(detail::join({"dataset: ", what, k, " needs a first axis N"}));
                }
                if (shape[0] == size()) continue;
                throw ShapeError(detail::join(
                    {"dataset: ", what, k, " has ", shape[0], " samples, input 0 has ", size()}));
            }
        }
        input_shape_ = detail::record_shape(input_shapes());
        target_shape_ = detail::record_shape(target_shapes());
        input_names_ = detail::names_of(inputs_, "input");
        target_names_ = detail::names_of(targets_, "target");
    }

    bool is_in_memory() const override { return true; }
    bool is_constant() const override { return true; }
    Index size() const override { return inputs_.front().shape()[0]; }
    Shape input_shape() const override { return input_shape_; }
    Shape target_shape() const override { return target_shape_; }
    std::vector<Shape> input_shapes() const override { return detail::sample_shapes(inputs_); }
    std::vector<Shape> target_shapes() const override { return detail::sample_shapes(targets_); }

    WEFT_COLD std::shared_ptr<const ColumnOrder> order(const std::vector<std::string>& inputs,
                                                       const std::vector<std::string>& outputs,
                                                       std::string_view who) const override {
        if (input_names_.empty() && target_names_.empty()) return nullptr;
        return std::make_shared<const ColumnOrder>(
            ColumnOrder{detail::places_by_name(input_names_, inputs, true, who, "input"),
                        detail::places_by_name(target_names_, outputs, true, who, "output")});
    }

    WEFT_NOINLINE void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        if (x != nullptr) detail::copy_records(inputs_, samples, x);
        if (y != nullptr) detail::copy_records(targets_, samples, y);
    }

    std::unique_ptr<BatchReader<Scalar>> read_batches(const BatchPlan& plan) const override {
        return std::make_unique<detail::ColumnsReader<Scalar>>(inputs_, targets_,
                                                               input_shape_.size(), plan);
    }

private:
    Columns inputs_, targets_;
    Shape input_shape_, target_shape_;
    std::vector<std::string> input_names_, target_names_;
};

}  // namespace weft
