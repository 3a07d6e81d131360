/// \file
/// Examples: a handle to a Dataset, also made from arrays.
#pragma once

#include "weft/data/array_dataset.hpp"

#include <utility>

namespace weft {

/// A handle to a Dataset, cheap to copy; the argument of fit and evaluate. Made from arrays, it
/// refers to variables, which must outlive it, and keeps temporaries and views. It is an
/// ArgumentError to read samples after such a variable was assigned or resized. Made from a Dataset
/// of the user's own, it shares it.
template <class Scalar>
class Examples {
public:
    /// No dataset.
    Examples() = default;

    /// x (N, sample...) and y (N, target...): tensors, vectors, spans or row-major Eigen matrices.
    template <class X, class Y>
    requires requires(const X& x, const Y& y) {
        as_view(x);
        as_view(y);
    }
    Examples(X&& x, Y&& y)
        : data_(new ArrayDataset<Scalar>(std::forward<X>(x), std::forward<Y>(y))) {}

    /// Several inputs or targets, in the model's order or by name:
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
    std::shared_ptr<const Dataset<Scalar>> data_;
};

/// Whether Examples can be made from samples X and targets Y.
template <class Y, class X, class Scalar>
concept TargetsFor = std::constructible_from<Examples<Scalar>, const X&, const Y&>;

}  // namespace weft
