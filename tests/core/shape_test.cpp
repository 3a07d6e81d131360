#include "weft/core/shape.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <span>
#include <vector>

using weft::Index;
using weft::Shape;
using weft::ShapeError;

TEST_CASE("Shape knows rank, extents, last extent and size") {
    const Shape shape{2, 3, 5};
    CHECK(shape.rank() == 3);
    CHECK(shape[0] == 2);
    CHECK(shape[1] == 3);
    CHECK(shape[2] == 5);
    CHECK(shape.last() == 5);
    CHECK(shape.size() == 30);
    CHECK(std::vector<Index>(shape.begin(), shape.end()) == std::vector<Index>{2, 3, 5});

    CHECK(Shape{7}.size() == 7);
    CHECK(Shape{4, 0, 3}.size() == 0);
    CHECK(Shape{4, 0}.last() == 0);
}

TEST_CASE("Shape of rank 0 is that of a single number") {
    constexpr Shape scalar;
    static_assert(scalar.rank() == 0 && scalar.size() == 1 && scalar.last() == 1);
    CHECK(scalar.begin() == scalar.end());
    CHECK(Shape{} == scalar);
}

TEST_CASE("Shape is made from any run of extents") {
    const std::vector<Index> extents{4, 6};
    CHECK(Shape(std::span<const Index>(extents)) == Shape{4, 6});
    CHECK(Shape(std::span<const Index>{}) == Shape{});
}

TEST_CASE("Shapes are equal when rank and every extent are") {
    CHECK(Shape{2, 3} == Shape{2, 3});
    CHECK(Shape{2, 3} != Shape{3, 2});
    CHECK(Shape{2, 3} != Shape{2, 4});
    CHECK(Shape{2, 3} != Shape{2});
    CHECK(Shape{2} != Shape{2, 1});
    CHECK(Shape{1} != Shape{});
    CHECK(Shape{0} != Shape{});  // unused extents are zeros: the rank tells
}

TEST_CASE("Shape is written as Python writes a tuple, and with the batch axis as Keras does") {
    CHECK(Shape{}.to_string() == "()");
    CHECK(Shape{784}.to_string() == "(784,)");
    CHECK(Shape{28, 28}.to_string() == "(28, 28)");
    CHECK(Shape{2, 0, 12345678901}.to_string() == "(2, 0, 12345678901)");

    CHECK(Shape{}.to_batch_string() == "(None,)");
    CHECK(Shape{784}.to_batch_string() == "(None, 784)");
    CHECK(Shape{28, 28, 1}.to_batch_string() == "(None, 28, 28, 1)");

    CHECK(weft::concat("of ", Shape{2, 3}, "!") == "of (2, 3)!");
}

TEST_CASE("batch puts an axis in front, sample takes it away, with_last replaces the last") {
    CHECK(Shape{28, 27}.batch(5) == Shape{5, 28, 27});
    CHECK(Shape{}.batch(5) == Shape{5});
    CHECK(Shape{3}.batch(0) == Shape{0, 3});
    CHECK(Shape{5, 28, 27}.sample() == Shape{28, 27});
    CHECK(Shape{5}.sample() == Shape{});
    CHECK(Shape{5, 28, 27}.with_last(9) == Shape{5, 28, 9});
    CHECK(Shape{5}.with_last(0) == Shape{0});

    CHECK_THROWS_WITH_AS(Shape{}.sample(), "shape () has no batch axis", ShapeError);
    CHECK_THROWS_WITH_AS(Shape{}.with_last(3), "shape () has no last axis", ShapeError);
    CHECK_THROWS_AS((Shape{2, 3}.with_last(-1)), ShapeError);
    CHECK_THROWS_AS((Shape{2, 3}.batch(-1)), ShapeError);
}

TEST_CASE("Shape holds eight axes and refuses a ninth") {
    const Shape eight{1, 2, 3, 4, 5, 6, 7, 8};
    CHECK(eight.rank() == Shape::max_rank);
    CHECK(eight.last() == 8);
    CHECK(eight.size() == 40320);
    CHECK_THROWS_WITH_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), "shape of rank 9, expected at most 8",
                         ShapeError);
    CHECK_THROWS_AS(eight.batch(1), ShapeError);
}

TEST_CASE("Shape refuses a negative extent") {
    CHECK_THROWS_WITH_AS((Shape{3, -2}), "shape (3, -2) has a negative extent", ShapeError);
    CHECK_THROWS_AS(Shape{-1}, ShapeError);
    CHECK_THROWS_AS((Shape{0, -1}), ShapeError);
    CHECK_THROWS_AS(Shape{std::numeric_limits<Index>::min()}, ShapeError);
}

TEST_CASE("Shape refuses a size beyond Index, and no size below") {
    constexpr Index largest = std::numeric_limits<Index>::max();
    constexpr Index root = Index{1} << (sizeof(Index) * 4);  // root^2 / 2 is one too many
    CHECK(Shape{largest}.size() == largest);
    CHECK(Shape{1, largest, 1}.size() == largest);
    CHECK(Shape{root - 1, root / 2}.size() == (root - 1) * (root / 2));
    CHECK_THROWS_AS((Shape{root, root / 2}), ShapeError);
    CHECK_THROWS_AS((Shape{2, largest}), ShapeError);
    // Products that overflow to 0 and to a small positive number.
    CHECK_THROWS_AS((Shape{root, root}), ShapeError);
    CHECK_THROWS_AS((Shape{root, root, 3}), ShapeError);
    CHECK_THROWS_AS((Shape{largest, largest}), ShapeError);
    CHECK_THROWS_AS((Shape{largest}.batch(2)), ShapeError);
    CHECK_THROWS_WITH_AS((Shape{4294967296, 4294967296}),
                         "shape (4294967296, 4294967296) has too many elements", ShapeError);
    CHECK(Shape{0, largest, largest}.size() == 0);
}
