#include "weft/core/tensor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

using weft::Index;
using weft::Shape;
using weft::ShapeError;
using weft::Tensor;
using weft::TensorView;

TEST_CASE_TEMPLATE("Tensor made with a shape is zeroed and aligned to 64 bytes", Scalar, float,
                   double, std::uint8_t) {
    for (const Index columns : {1, 3, 64, 1000}) {
        std::ranges::fill(Tensor<Scalar>({5, columns}), Scalar(9));  // dirty memory for the next
        const Tensor<Scalar> x({5, columns});
        CHECK(reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0);
        CHECK(x.size() == 5 * columns);
        CHECK(std::ranges::count(x, Scalar(0)) == x.size());
    }
}

TEST_CASE("Tensor is empty by default; rank 0 holds one number") {
    const Tensor<float> none;
    CHECK(none.shape() == Shape{0});
    CHECK(none.size() == 0);
    CHECK(none.begin() == none.end());

    Tensor<double> one{Shape{}};
    CHECK(one.size() == 1);
    one() = 4;
    CHECK(one[0] == 4);
    CHECK(Tensor<float>({3, 0}).size() == 0);
}

TEST_CASE("Tensor takes its values in row-major order") {
    const Tensor<float> x({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(x(0, 2) == 3);
    CHECK(x(1, 0) == 4);
    CHECK(x[5] == 6);
    CHECK_THROWS_WITH_AS((Tensor<float>({2, 3}, {1, 2, 3, 4, 5})),
                         "view: 5 elements as shape (2, 3), expected 6", ShapeError);
    CHECK_THROWS_AS((Tensor<float>({2, 2}, {1, 2, 3, 4, 5})), ShapeError);
}

TEST_CASE("Tensor refuses a size whose bytes are beyond the machine's addresses") {
    // 2^62 elements fit Index; their 2^64 bytes, as a size_t, are 0.
    CHECK_THROWS_AS(Tensor<float>({Index{1} << 62}), weft::Error);
    CHECK_THROWS_AS(Tensor<double>({Index{1} << 61, 1}), weft::Error);
    CHECK_THROWS_AS(Tensor<double>({(Index{1} << 61) + 2}), weft::Error);
}

TEST_CASE("a Tensor of a view copies its elements") {
    std::vector<float> numbers{1, 2, 3, 4};
    Tensor<float> x(TensorView<const float>(numbers, {2, 2}));
    numbers[3] = 9;
    CHECK(x.shape() == Shape{2, 2});
    CHECK(x(1, 1) == 4);
    const Tensor<float> row(x.sample(1));
    x(1, 0) = 7;
    CHECK(row.shape() == Shape{2});
    CHECK(row[0] == 3);
}

TEST_CASE("a copy of a Tensor is deep") {
    Tensor<float> x({2, 2}, {1, 2, 3, 4});
    Tensor<float> copy = x;
    Tensor<float> assigned({7});
    assigned = x;
    std::ranges::fill(x, 0.f);
    for (const Tensor<float>* y : {&copy, &assigned}) {
        CHECK(y->shape() == Shape{2, 2});
        CHECK(std::ranges::equal(*y, std::array{1.f, 2.f, 3.f, 4.f}));
    }
    copy[0] = 5;
    CHECK(assigned[0] == 1);
}

TEST_CASE("a move of a Tensor keeps the memory where it is") {
    Tensor<float> x({2, 2}, {1, 2, 3, 4});
    const float* const memory = x.data();
    Tensor<float> y = std::move(x);
    CHECK(y.data() == memory);
    CHECK(y.shape() == Shape{2, 2});
    Tensor<float> z;
    z = std::move(y);
    CHECK(z.data() == memory);
    CHECK(z(1, 1) == 4);
    y = z;  // what was moved from may be assigned to
    CHECK(y(1, 1) == 4);
    CHECK(y.data() != memory);
}

TEST_CASE("Tensor's view, slices and samples share its memory") {
    Tensor<int> x({3, 2}, {1, 2, 3, 4, 5, 6});
    const Tensor<int>& constant = x;
    CHECK(x.view().data() == x.data());
    CHECK(x.slice(1, 2).data() == x.data() + 2);
    CHECK(x.slice(1, 2).shape() == Shape{2, 2});
    CHECK(x.sample(2).data() == x.data() + 4);
    CHECK(constant.slice(1, 1)(0, 1) == 4);
    CHECK(constant.sample(0)[1] == 2);
    x.sample(1)[0] = 30;
    x(0, 1) = 20;
    x[5] = 60;
    CHECK(std::ranges::equal(constant, std::array{1, 20, 30, 4, 5, 60}));
    CHECK(x.end() - x.begin() == 6);
}

TEST_CASE("a Tensor converts to views, a const one to read-only views alone") {
    static_assert(std::is_convertible_v<Tensor<float>&, TensorView<float>>);
    static_assert(std::is_convertible_v<Tensor<float>&, TensorView<const float>>);
    static_assert(std::is_convertible_v<const Tensor<float>&, TensorView<const float>>);
    static_assert(!std::is_convertible_v<const Tensor<float>&, TensorView<float>>);
    static_assert(std::is_same_v<decltype(std::declval<const Tensor<float>&>()(0)), const float&>);
    Tensor<float> x({2});
    const TensorView<const float> view = x;
    CHECK(view.data() == x.data());
}
