/// \file
/// Views between weft's tensors and Eigen's matrices, without a copy.
#pragma once

#include "weft/core/tensor.hpp"

#include <Eigen/Core>

namespace weft {

/// A row-major Eigen matrix over a tensor's memory.
template <class Scalar>
using MatrixMap = Eigen::Map<
    std::conditional_t<std::is_const_v<Scalar>,
                       const Eigen::Matrix<std::remove_const_t<Scalar>, Eigen::Dynamic,
                                           Eigen::Dynamic, Eigen::RowMajor>,
                       Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>>;

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

/// A tensor as a view of itself, so that whatever takes data by as_view takes tensors too.
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
template <std::ranges::contiguous_range Range>
requires(!std::is_base_of_v<Eigen::EigenBase<std::remove_cvref_t<Range>>,
                            std::remove_cvref_t<Range>>) auto as_view(Range&& range) {
    using Element = std::remove_reference_t<std::ranges::range_reference_t<Range>>;
    return TensorView<Element>(std::ranges::data(range),
                               Shape{static_cast<Index>(std::ranges::size(range))});
}

/// An Eigen matrix or map as a tensor (rows, columns), a vector as (size). It must be row-major,
/// as weft's tensors are; a column-major matrix is refused at compile time.
template <class Matrix>
requires(bool(Eigen::internal::traits<std::remove_cvref_t<Matrix>>::Flags&
                  Eigen::DirectAccessBit)) auto as_view(Matrix&& matrix) {
    using M = std::remove_cvref_t<Matrix>;
    static_assert(M::IsRowMajor || M::IsVectorAtCompileTime,
                  "weft's tensors are row-major: declare the matrix with Eigen::RowMajor");
    if (matrix.innerStride() != 1 ||
        (!M::IsVectorAtCompileTime && matrix.outerStride() != matrix.cols())) {
        throw ShapeError("as_view: the Eigen matrix has gaps between its elements, expected none");
    }
    using Element = std::remove_reference_t<decltype(*matrix.data())>;
    const Shape shape =
        M::IsVectorAtCompileTime ? Shape{matrix.size()} : Shape{matrix.rows(), matrix.cols()};
    return TensorView<Element>(matrix.data(), shape);
}

}  // namespace weft
