/// \file
/// Dataset: samples and their targets, gathered batch by batch.
#pragma once

#include "weft/core/eigen.hpp"

#include <memory>
#include <span>
#include <utility>

namespace weft {

/// Samples with targets, read a batch at a time. The training loop knows nothing else of data, so
/// a set may lie in memory, in another number type, on disk, or be made up as it is asked for.
template <class Scalar>
class Dataset {
public:
    virtual ~Dataset() = default;

    virtual Index size() const = 0;          ///< the number of samples
    virtual Shape input_shape() const = 0;   ///< of one sample
    virtual Shape target_shape() const = 0;  ///< of one target; () for a class index
    /// Writes the samples of those indices, each in [0, size()), one after another to x and their
    /// targets to y, a class index as a number. A null x or y is left out. Safe to call from
    /// several threads at once.
    virtual void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const = 0;
};

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

}  // namespace weft
