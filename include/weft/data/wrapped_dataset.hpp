/// \file
/// WrappedDataset: a dataset made from another one; subset and reshaped.
#pragma once

#include "weft/data/examples.hpp"

#include <array>
#include <vector>

namespace weft {

/// A dataset that passes on the samples of another one. A derived class changes them:
///
///   class Inverted final : public WrappedDataset<float> {
///       using WrappedDataset::WrappedDataset;
///       void change(std::span<const Index> samples, const std::optional<TrainingEpoch>&,
///                   float* x) const override { ... }
///   };
///   Examples<float> inverted(std::make_shared<Inverted>(examples));
template <class Scalar>
class WrappedDataset : public Dataset<Scalar> {
public:
    /// Throws ArgumentError for an empty handle.
    explicit WrappedDataset(Examples<Scalar> inner) : inner_(std::move(inner)) {
        if (!inner_) throw ArgumentError("WrappedDataset: the Examples hold no dataset");
    }

    Index size() const override { return inner_->size(); }
    Shape input_shape() const override { return inner_->input_shape(); }
    Shape target_shape() const override { return inner_->target_shape(); }
    std::vector<Shape> input_shapes() const override {
        std::vector<Shape> shapes = inner_->input_shapes();
        if (shapes.size() == 1) shapes[0] = input_shape();
        return shapes;
    }
    std::vector<Shape> target_shapes() const override {
        std::vector<Shape> shapes = inner_->target_shapes();
        if (shapes.size() == 1) shapes[0] = target_shape();
        return shapes;
    }
    std::shared_ptr<const ColumnOrder> order(const std::vector<std::string>& inputs,
                                             const std::vector<std::string>& outputs,
                                             std::string_view who) const override {
        return inner_->order(inputs, outputs, who);
    }

    void require_unchanged() const override { inner_->require_unchanged(); }

    void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        inner_->gather(samples, x, y);
        if (x != nullptr) change(samples, std::nullopt, x);
    }

    void gather_for_training(std::span<const Index> samples, TrainingEpoch epoch, Scalar* x,
                             Scalar* y) const override {
        inner_->gather_for_training(samples, epoch, x, y);
        if (x != nullptr) change(samples, epoch, x);
    }

protected:
    const Dataset<Scalar>& inner() const { return *inner_; }

    /// Changes the gathered samples in place: x (samples, sample...). epoch is set for training
    /// only. Called by several threads at once.
    virtual void change(std::span<const Index> /*samples*/,
                        const std::optional<TrainingEpoch>& /*epoch*/, Scalar* /*x*/) const {}

private:
    Examples<Scalar> inner_;
};

namespace detail {

template <class Scalar>
class Subset final : public WrappedDataset<Scalar> {
public:
    Subset(Examples<Scalar> inner, std::span<const Index> indices)
        : WrappedDataset<Scalar>(std::move(inner)), indices_(indices.begin(), indices.end()) {
        const Index size = this->inner().size();
        for (std::size_t i = 0; i < indices_.size(); ++i) {
            if (indices_[i] >= 0 && indices_[i] < size) continue;
            throw ArgumentError(
                join({"subset: index ", i, " is ", indices_[i], ", expected 0 ... ", size - 1}));
        }
    }

    bool is_constant() const override { return this->inner().is_constant(); }
    bool is_in_memory() const override { return this->inner().is_in_memory(); }
    bool inputs_are_bytes() const override { return this->inner().inputs_are_bytes(); }
    Index size() const override { return static_cast<Index>(indices_.size()); }

    void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        for_each_part(samples, x, y,
                      [&](std::span<const Index> part, Scalar* part_x, Scalar* part_y) {
                          this->inner().gather(part, part_x, part_y);
                      });
    }

    void gather_for_training(std::span<const Index> samples, TrainingEpoch epoch, Scalar* x,
                             Scalar* y) const override {
        for_each_part(samples, x, y,
                      [&](std::span<const Index> part, Scalar* part_x, Scalar* part_y) {
                          this->inner().gather_for_training(part, epoch, part_x, part_y);
                      });
    }

private:
    /// Calls the function with the inner indices of a few samples at a time, kept on the stack.
    template <class Function>
    void for_each_part(std::span<const Index> samples, Scalar* x, Scalar* y,
                       const Function& function) const {
        const Index x_size = this->input_shape().size(), y_size = this->target_shape().size();
        std::array<Index, 64> part;
        while (!samples.empty()) {
            const std::size_t count = (std::min)(samples.size(), part.size());
            for (std::size_t k = 0; k < count; ++k) {
                part[k] = indices_[static_cast<std::size_t>(samples[k])];
            }
            function(std::span<const Index>(part).first(count), x, y);
            samples = samples.subspan(count);
            if (x != nullptr) x += static_cast<Index>(count) * x_size;
            if (y != nullptr) y += static_cast<Index>(count) * y_size;
        }
    }

    std::vector<Index> indices_;
};

template <class Scalar>
class Reshaped final : public WrappedDataset<Scalar> {
public:
    Reshaped(Examples<Scalar> inner, const Shape& shape)
        : WrappedDataset<Scalar>(std::move(inner)), shape_(shape) {
        const Shape from = this->inner().input_shape();
        if (this->inner().input_shapes().size() > 1) {
            throw ArgumentError("reshaped: the data have several inputs, expected one");
        }
        if (from.size() != shape.size()) {
            throw ShapeError(join({"reshaped: samples of shape ", from, " as ", shape,
                                   ", expected as many elements"}));
        }
    }

    bool is_constant() const override { return this->inner().is_constant(); }
    bool is_in_memory() const override { return this->inner().is_in_memory(); }
    bool inputs_are_bytes() const override { return this->inner().inputs_are_bytes(); }
    Shape input_shape() const override { return shape_; }

private:
    Shape shape_;
};

}  // namespace detail

/// The samples with the given indices, in their order, without a copy: such as the parts of a
/// stratified_split. Throws ArgumentError for an index outside 0 ... N - 1.
template <class Scalar>
Examples<Scalar> subset(Examples<Scalar> examples, std::span<const Index> indices) {
    return {std::make_shared<detail::Subset<Scalar>>(std::move(examples), indices)};
}

/// The samples with another shape of the same size, as (28, 28, 1) for (28, 28). Throws ShapeError
/// otherwise.
template <class Scalar>
Examples<Scalar> reshaped(Examples<Scalar> examples, const Shape& sample_shape) {
    return {std::make_shared<detail::Reshaped<Scalar>>(std::move(examples), sample_shape)};
}

}  // namespace weft
