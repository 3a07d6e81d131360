#include "weft/core/tensor_view.hpp"

#include <doctest/doctest.h>

#include <array>
#include <type_traits>
#include <vector>

using weft::Index;
using weft::Shape;
using weft::ShapeError;
using weft::TensorView;

namespace {

/// 0, 1, 2, ...
std::vector<int> counting(std::size_t size) {
    std::vector<int> numbers(size);
    for (std::size_t i = 0; i < size; ++i) numbers[i] = static_cast<int>(i);
    return numbers;
}

}  // namespace

TEST_CASE("TensorView is empty by default") {
    const TensorView<float> view;
    CHECK(view.data() == nullptr);
    CHECK(view.shape() == Shape{0});
    CHECK(view.size() == 0);
    CHECK(view.begin() == view.end());
    CHECK_FALSE(static_cast<bool>(view));
}

TEST_CASE("TensorView views vector, array, span, C array and pointer without a copy") {
    const Shape shape{2, 3};
    std::vector<float> vector(6);
    std::array<float, 6> array{};
    float plain[6] = {};
    const std::span<float> span(vector);

    CHECK(TensorView<float>(vector, shape).data() == vector.data());
    CHECK(TensorView<float>(array, shape).data() == array.data());
    CHECK(TensorView<float>(span, shape).data() == vector.data());
    CHECK(TensorView<float>(plain, shape).data() == plain);
    CHECK(TensorView<float>(vector.data(), shape).data() == vector.data());

    TensorView<float>(vector, shape)(1, 2) = 8;
    CHECK(vector[5] == 8);

    const std::vector<float>& constant = vector;
    CHECK(TensorView<const float>(constant, shape).data() == vector.data());
    CHECK(TensorView<const float>(vector, shape)(1, 2) == 8);
    CHECK(static_cast<bool>(TensorView<float>(vector, shape)));
}

TEST_CASE("TensorView never turns read-only memory or another type into writable floats") {
    using Writable = TensorView<float>;
    using ReadOnly = TensorView<const float>;
    static_assert(std::is_constructible_v<Writable, std::vector<float>&, Shape>);
    static_assert(!std::is_constructible_v<Writable, const std::vector<float>&, Shape>);
    static_assert(!std::is_constructible_v<Writable, const float*, Shape>);
    static_assert(!std::is_constructible_v<ReadOnly, std::vector<double>&, Shape>);
    static_assert(std::is_convertible_v<Writable, ReadOnly>);
    static_assert(!std::is_convertible_v<ReadOnly, Writable>);
    static_assert(!std::is_convertible_v<Writable, bool>);
}

TEST_CASE("TensorView refuses a range of another size than the shape's") {
    std::vector<float> numbers(6);
    CHECK_THROWS_WITH_AS((TensorView<float>(numbers, {2, 4})),
                         "view: 6 elements as shape (2, 4), expected 8", ShapeError);
    CHECK_THROWS_AS((TensorView<float>(numbers, {5})), ShapeError);
    CHECK_THROWS_AS((TensorView<float>(numbers, Shape{})), ShapeError);
    CHECK_THROWS_AS((TensorView<const float>(std::span<const float>(numbers).first(5), {6})),
                    ShapeError);
    std::vector<float> none;
    CHECK(TensorView<float>(none, {3, 0}).size() == 0);
}

TEST_CASE("TensorView is row-major: the last index is contiguous") {
    const auto numbers = counting(24);
    const TensorView<const int> x(numbers, {2, 3, 4});
    CHECK(x.shape() == Shape{2, 3, 4});
    CHECK(x.size() == 24);
    for (Index i = 0; i < 2; ++i) {
        for (Index j = 0; j < 3; ++j) {
            for (Index k = 0; k < 4; ++k) {
                CHECK(x(i, j, k) == static_cast<int>((i * 3 + j) * 4 + k));
            }
        }
    }
    CHECK(x(1u, 2, short{3}) == 23);
    CHECK(x[17] == 17);
    CHECK(std::vector<int>(x.begin(), x.end()) == numbers);
    CHECK(TensorView<const int>(numbers.data() + 5, Shape{})() == 5);
}

TEST_CASE("slice takes entries of the first axis, sample takes one without that axis") {
    auto numbers = counting(24);
    const TensorView<int> x(numbers, {4, 3, 2});

    const TensorView<int> slice = x.slice(1, 2);
    CHECK(slice.shape() == Shape{2, 3, 2});
    CHECK(slice.data() == numbers.data() + 6);
    CHECK(slice(1, 2, 1) == x(2, 2, 1));
    CHECK(x.slice(0, 4).data() == x.data());
    CHECK(x.slice(0, 4).shape() == x.shape());
    CHECK(x.slice(4, 0).shape() == Shape{0, 3, 2});
    CHECK(x.slice(4, 0).size() == 0);

    const TensorView<int> sample = x.sample(3);
    CHECK(sample.shape() == Shape{3, 2});
    CHECK(sample.data() == numbers.data() + 18);
    CHECK(sample(2, 1) == 23);
    CHECK(x.sample(1).sample(2).sample(1)() == 11);

    sample(0, 0) = -1;
    CHECK(numbers[18] == -1);
    CHECK_THROWS_AS((TensorView<int>(numbers.data(), Shape{}).slice(0, 0)), ShapeError);
}

TEST_CASE("reshape keeps the memory and refuses another size") {
    auto numbers = counting(12);
    const TensorView<int> x(numbers, {3, 4});
    CHECK(x.reshape({2, 6}).data() == numbers.data());
    CHECK(x.reshape({2, 6})(1, 0) == 6);
    CHECK(x.reshape({12}).shape() == Shape{12});
    CHECK(x.reshape({1, 3, 1, 4}).shape() == Shape{1, 3, 1, 4});
    CHECK_THROWS_WITH_AS(x.reshape({5, 2}),
                         "reshape: shape (3, 4) to (5, 2), expected as many elements", ShapeError);
    CHECK_THROWS_AS(x.reshape({0}), ShapeError);
}

TEST_CASE("slices and samples that are not there are refused in every build") {
    const std::array<float, 8> numbers{};
    const TensorView<const float> x(numbers, {4, 2});
    CHECK_THROWS_WITH_AS(x.slice(3, 2), "slice: 2 entries from 3 on exceed shape (4, 2)",
                         ShapeError);
    CHECK_THROWS_AS(x.slice(-1, 2), ShapeError);
    CHECK_THROWS_AS(x.slice(0, -1), ShapeError);
    CHECK(x.slice(4, 0).size() == 0);
    CHECK_THROWS_WITH_AS(x.sample(4), "sample: 4 of shape (4, 2), expected 0 ... 3", ShapeError);
    CHECK_THROWS_AS(x.sample(-1), ShapeError);
}

TEST_CASE("a view of a temporary container does not compile") {
    static_assert(std::constructible_from<TensorView<const float>, std::vector<float>&, Shape>);
    static_assert(std::constructible_from<TensorView<const float>, std::span<float>, Shape>);
    static_assert(!std::constructible_from<TensorView<const float>, std::vector<float>, Shape>);
}
