/// \file
/// Examples: a handle of a Dataset, made from arrays.
#pragma once

#include "weft/data/array_dataset.hpp"

#include <utility>

namespace weft {

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

    /// Of several inputs or targets, in the order of the model's or by name:
    ///   Examples<float> examples({x1, x2}, {y1, y2});
    ///   Examples<float> examples({{"image", x1}, {"size", x2}}, {{"digit", y1}, {"place", y2}});
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
