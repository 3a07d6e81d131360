/// \file
/// ArrayDataset and ColumnsDataset: samples in memory.
#pragma once

#include "weft/core/by_name.hpp"
#include "weft/data/columns.hpp"
#include "weft/data/dataset.hpp"

namespace weft {

/// A Dataset of one input and one target:  x (N, sample...),  y (N, target...).
template <class Scalar>
class ArrayDataset final : public Dataset<Scalar> {
public:
    template <class X, class Y>
    WEFT_COLD ArrayDataset(X&& x, Y&& y) : x_(std::forward<X>(x)), y_(std::forward<Y>(y)) {
        if (x_.shape().rank() == 0 || y_.shape().rank() == 0) {
            throw ShapeError("dataset: x or y has shape (), expected a first axis N");
        }
        if (x_.shape()[0] != y_.shape()[0]) {
            throw ShapeError(detail::join({"dataset: x has ", x_.shape()[0], " samples, y has ",
                                           y_.shape()[0], " targets; expected as many"}));
        }
    }

    bool is_in_memory() const override { return true; }
    bool is_constant() const override { return true; }
    bool inputs_are_bytes() const override { return x_.is_bytes(); }
    Index size() const override { return x_.shape()[0]; }
    Shape input_shape() const override { return x_.shape().sample(); }
    Shape target_shape() const override { return y_.shape().sample(); }

    WEFT_COLD void require_unchanged() const override {
        x_.require_unchanged("x");
        y_.require_unchanged("y");
    }

    WEFT_NOINLINE void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        require_unchanged();
        if (x != nullptr) x_.copy(samples, x);
        if (y != nullptr) y_.copy(samples, y);
    }

private:
    detail::Samples<Scalar> x_, y_;
};

namespace detail {

/// Reads batches of columns in memory, each column to its place.
template <class Scalar>
class ColumnsReader final : public BatchReader<Scalar> {
public:
    using Columns = std::vector<Column<Scalar>>;

    ColumnsReader(const Dataset<Scalar>& data, const Columns& inputs, const Columns& targets,
                  const BatchPlan& plan)
        : data_(data),
          inputs_(inputs),
          targets_(targets),
          input_size_(data.input_shape().size()),
          plan_(plan) {}

    void next(Scalar* x, Scalar* y) override {
        data_.require_unchanged();
        const Span<const Index> batch = plan_.take_batch();
        copy(batch, 0, std::ssize(batch), x, y);
    }

    bool reads_within_pass() const override { return true; }

    void next_within_pass(const Cpu& cpu, Scalar* x, Scalar* y) override {
        data_.require_unchanged();
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
        const auto samples =
            batch.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
        for (const Column<Scalar>& column : columns) {
            const Index size = column.shape().sample().size();
            column.copy(samples, to + begin * size);
            to += std::ssize(batch) * size;
        }
    }

    const Dataset<Scalar>& data_;
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
    bool inputs_are_bytes() const override {
        return std::all_of(inputs_.begin(), inputs_.end(),
                           [](const Column<Scalar>& input) { return input.is_bytes(); });
    }
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

    WEFT_COLD void require_unchanged() const override {
        for (std::size_t k = 0; k < inputs_.size(); ++k) {
            inputs_[k].require_unchanged("input ", k);
        }
        for (std::size_t k = 0; k < targets_.size(); ++k) {
            targets_[k].require_unchanged("target ", k);
        }
    }

    WEFT_NOINLINE void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        require_unchanged();
        if (x != nullptr) detail::copy_records(inputs_, samples, x);
        if (y != nullptr) detail::copy_records(targets_, samples, y);
    }

    std::unique_ptr<BatchReader<Scalar>> read_batches(const BatchPlan& plan) const override {
        return std::make_unique<detail::ColumnsReader<Scalar>>(*this, inputs_, targets_, plan);
    }

private:
    Columns inputs_, targets_;
    Shape input_shape_, target_shape_;
    std::vector<std::string> input_names_, target_names_;
};

}  // namespace weft
