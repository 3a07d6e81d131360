#include "weft/core/eigen.hpp"

#include <doctest/doctest.h>

#include <array>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

using weft::as_matrix;
using weft::as_view;
using weft::Index;
using weft::Shape;
using weft::ShapeError;
using weft::Tensor;
using weft::TensorView;

namespace {

template <class Scalar, int Rows = Eigen::Dynamic, int Columns = Eigen::Dynamic>
using Matrix = Eigen::Matrix<Scalar, Rows, Columns, Eigen::RowMajor>;

Matrix<float> counting(Index rows, Index columns) {
    Matrix<float> matrix(rows, columns);
    std::iota(matrix.data(), matrix.data() + matrix.size(), 0.f);
    return matrix;
}

/// The element type of a view.
template <class View>
using ElementOf = std::remove_pointer_t<decltype(std::declval<View>().data())>;

}  // namespace

TEST_CASE("as_matrix has the last axis as columns, all others as rows, and copies nothing") {
    Tensor<float> x({2, 3, 4});
    std::iota(x.begin(), x.end(), 0.f);
    auto matrix = as_matrix(x);
    CHECK(matrix.rows() == 6);
    CHECK(matrix.cols() == 4);
    CHECK(matrix.data() == x.data());
    CHECK(matrix(4, 1) == x(1, 1, 1));
    matrix(5, 3) = -1;
    CHECK(x(1, 2, 3) == -1);

    const Tensor<float>& constant = x;
    CHECK(as_matrix(constant)(5, 3) == -1);
    static_assert(std::is_same_v<decltype(as_matrix(constant).data()), const float*>);
    CHECK(as_matrix(x.sample(1)).rows() == 3);
}

TEST_CASE("as_matrix of a vector is one row, of no columns is empty") {
    const Tensor<double> vector({5});
    CHECK(as_matrix(vector).rows() == 1);
    CHECK(as_matrix(vector).cols() == 5);
    CHECK(as_matrix(Tensor<double>({3, 0}).view()).size() == 0);
    CHECK(as_matrix(Tensor<double>({0, 3}).view()).rows() == 0);
    CHECK(as_matrix(Tensor<double>({0, 3}).view()).cols() == 3);
}

TEST_CASE("as_view of a tensor is its view") {
    Tensor<float> x({2, 3});
    const Tensor<float>& constant = x;
    CHECK(as_view(x).data() == x.data());
    CHECK(as_view(x).shape() == Shape{2, 3});
    CHECK(as_view(x.sample(1)).data() == x.data() + 3);
    static_assert(std::is_same_v<decltype(as_view(x)), TensorView<float>>);
    static_assert(std::is_same_v<decltype(as_view(constant)), TensorView<const float>>);
}

TEST_CASE("as_view of vector, array and span is a tensor (n) over their memory") {
    std::vector<float> vector{1, 2, 3};
    std::array<double, 2> array{4, 5};
    const std::vector<float>& constant = vector;
    CHECK(as_view(vector).data() == vector.data());
    CHECK(as_view(vector).shape() == Shape{3});
    CHECK(as_view(array).data() == array.data());
    CHECK(as_view(std::span(vector).subspan(1)).data() == vector.data() + 1);
    CHECK(as_view(std::span(vector).subspan(1)).shape() == Shape{2});
    static_assert(std::is_same_v<ElementOf<decltype(as_view(vector))>, float>);
    static_assert(std::is_same_v<ElementOf<decltype(as_view(constant))>, const float>);
}

TEST_CASE("as_view of a row-major Eigen matrix is a tensor (rows, columns), not copied") {
    Matrix<float> matrix = counting(3, 4);
    const auto view = as_view(matrix);
    CHECK(view.data() == matrix.data());
    CHECK(view.shape() == Shape{3, 4});
    CHECK(view(2, 1) == matrix(2, 1));
    view(0, 3) = 9;
    CHECK(matrix(0, 3) == 9);

    Matrix<double, 2, 3> fixed;
    CHECK(as_view(fixed).shape() == Shape{2, 3});
    Eigen::Array<float, 2, 3, Eigen::RowMajor> array;
    CHECK(as_view(array).data() == array.data());

    const Matrix<float>& constant = matrix;
    static_assert(std::is_same_v<ElementOf<decltype(view)>, float>);
    static_assert(std::is_same_v<ElementOf<decltype(as_view(constant))>, const float>);
}

TEST_CASE("as_view of Eigen vectors is a tensor (size)") {
    Eigen::VectorXf column(5);
    Eigen::RowVectorXd row(4);
    CHECK(as_view(column).data() == column.data());
    CHECK(as_view(column).shape() == Shape{5});
    CHECK(as_view(row).shape() == Shape{4});
    CHECK(as_view(column.segment(1, 3)).data() == column.data() + 1);
    CHECK(as_view(column.segment(1, 3)).shape() == Shape{3});
}

TEST_CASE("as_view of Eigen maps is a view of what they map") {
    std::vector<float> numbers(6);
    CHECK(as_view(Eigen::Map<Matrix<float>>(numbers.data(), 2, 3)).data() == numbers.data());
    const Eigen::Map<const Matrix<float>> constant(numbers.data(), 3, 2);
    CHECK(as_view(constant).shape() == Shape{3, 2});
    static_assert(std::is_same_v<ElementOf<decltype(as_view(constant))>, const float>);

    const Tensor<float> x({2, 3, 4});
    CHECK(as_view(as_matrix(x)).data() == x.data());
    CHECK(as_view(as_matrix(x)).shape() == Shape{6, 4});
}

TEST_CASE("as_view takes parts of an Eigen matrix without gaps and refuses those with") {
    Matrix<float> matrix = counting(4, 5);
    CHECK(as_view(matrix.middleRows(1, 2)).data() == matrix.data() + 5);
    CHECK(as_view(matrix.middleRows(1, 2)).shape() == Shape{2, 5});
    CHECK(as_view(matrix.row(3)).data() == matrix.data() + 15);
    CHECK(as_view(matrix.row(3)).shape() == Shape{5});

    CHECK_THROWS_WITH_AS(as_view(matrix.leftCols(4)),
                         "as_view: the Eigen matrix has gaps between its elements, expected none; "
                         "copy it into a matrix of its own",
                         ShapeError);
    CHECK_THROWS_AS(as_view(matrix.block(1, 1, 2, 3)), ShapeError);
    CHECK_THROWS_AS(as_view(matrix.col(2)), ShapeError);

    std::vector<float> numbers(12);
    using Strided = Eigen::Map<Matrix<float>, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
    CHECK_THROWS_AS(as_view(Strided(numbers.data(), 2, 3, {6, 2})), ShapeError);
    CHECK_THROWS_AS(as_view(Strided(numbers.data(), 2, 3, {4, 1})), ShapeError);
    CHECK_THROWS_AS(
        as_view(Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<2>>(numbers.data(), 6)),
        ShapeError);
    CHECK(as_view(Strided(numbers.data(), 2, 3, {3, 1})).shape() == Shape{2, 3});
}
