/// \file
/// Views between weft's tensors and Eigen's matrices, without a copy.
#pragma once

#include "weft/core/tensor.hpp"

#include <Eigen/Core>

namespace weft {

/// An Eigen matrix laid out as a tensor. RowMajorMatrix<float>(a * b) copies the values of an
/// expression or of a column-major matrix.
template <class Scalar>
using RowMajorMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A RowMajorMatrix over a tensor's memory.
template <class Scalar>
using MatrixMap = Eigen::Map<
    std::conditional_t<std::is_const_v<Scalar>, const RowMajorMatrix<std::remove_const_t<Scalar>>,
                       RowMajorMatrix<Scalar>>>;

namespace detail {
template <class Derived>
void take_eigen_object(const Eigen::EigenBase<Derived>&);
}  // namespace detail

/// Any matrix, vector, map or expression of Eigen's.
template <class T>
concept EigenObject = requires(const T& object) { detail::take_eigen_object(object); };

/// The tensor (..., C) as a matrix of all leading axes by the last: (size / C, C).
template <class Scalar>
MatrixMap<Scalar> as_matrix(TensorView<Scalar> x) {
    const Index columns = x.shape().last();
    return {x.data(), columns == 0 ? 0 : x.size() / columns, columns};
}
template <class Scalar>
MatrixMap<Scalar> as_matrix(Tensor<Scalar>& x) {
    return as_matrix(x.view());
}
template <class Scalar>
MatrixMap<const Scalar> as_matrix(const Tensor<Scalar>& x) {
    return as_matrix(x.view());
}

/// A tensor as a view of itself: functions that take data by as_view take tensors too.
template <class Scalar>
TensorView<Scalar> as_view(TensorView<Scalar> x) {
    return x;
}
template <class Scalar>
TensorView<Scalar> as_view(Tensor<Scalar>& x) {
    return x.view();
}
template <class Scalar>
TensorView<const Scalar> as_view(const Tensor<Scalar>& x) {
    return x.view();
}

/// The elements of a contiguous range (std::vector, std::array, std::span) as a tensor (n).
template <InARow Range>
requires(!EigenObject<Range>)
auto as_view(Range&& range) {
    using Element = std::remove_reference_t<decltype(*std::data(range))>;
    return TensorView<Element>(std::data(range), Shape{static_cast<Index>(std::size(range))});
}

/// An Eigen matrix, map or block as a tensor (rows, columns), a vector as (size). It must be
/// row-major, as weft's tensors are. Column-major matrices, and expressions, which have no memory,
/// do not compile. Throws ShapeError when there are gaps between its elements.
template <EigenObject Matrix>
auto as_view(Matrix&& matrix) {
    using M = std::remove_cvref_t<Matrix>;
    constexpr bool in_memory = requires { requires(M::Flags & Eigen::DirectAccessBit) != 0; };
    static_assert(
        in_memory,
        "an Eigen expression has no memory to look at: evaluate it into a matrix, such as "
        "weft::RowMajorMatrix<float>(a * b)");
    if constexpr (in_memory) {
        static_assert(M::IsRowMajor || M::IsVectorAtCompileTime,
                      "weft's tensors are row-major: declare the matrix with Eigen::RowMajor, or "
                      "copy it into one, such as weft::RowMajorMatrix<float>(matrix)");
        if (matrix.innerStride() != 1 ||
            (!M::IsVectorAtCompileTime && matrix.outerStride() != matrix.cols())) {
            throw ShapeError(
                "as_view: the Eigen matrix has gaps between its elements, expected none; "
                "copy it into a matrix of its own");
        }
        using Element = std::remove_reference_t<decltype(*matrix.data())>;
        const Shape shape =
            M::IsVectorAtCompileTime ? Shape{matrix.size()} : Shape{matrix.rows(), matrix.cols()};
        return TensorView<Element>(matrix.data(), shape);
    }
}

/// Data that become a View by as_view alone.
template <class Data, class View>
concept NoViewAs = !std::convertible_to<const Data&, View>;

/// as_view(data), whose elements must be of type Scalar.
template <class Scalar, class Data>
TensorView<const Scalar> as_view_of(const Data& data) {
    constexpr bool has_view = requires { as_view(data); };
    static_assert(
        has_view,
        "this argument is not data: expected a weft::Tensor, a weft::TensorView, a row-major Eigen "
        "matrix, or a container whose numbers lie in a row, such as std::vector<float>");
    if constexpr (has_view) {
        using Element = std::remove_cvref_t<decltype(*as_view(data).data())>;
        static_assert(std::same_as<Element, Scalar>,
                      "the data have another number type than the model: convert them first, such "
                      "as weft::RowMajorMatrix<float>(matrix.cast<float>())");
        if constexpr (std::same_as<Element, Scalar>) return as_view(data);
    }
}

}  // namespace weft
