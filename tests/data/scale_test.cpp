#include "weft/data/scale.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>

namespace {

weft::Tensor<std::uint8_t> all_pixels() {
    weft::Tensor<std::uint8_t> x({2, 128});
    for (weft::Index i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(i);
    return x;
}

}  // namespace

TEST_CASE("scaled divides each pixel and keeps the shape") {
    const auto y = weft::scaled<double>(all_pixels(), 255);
    REQUIRE(y.shape() == weft::Shape{2, 128});
    for (weft::Index i = 0; i < y.size(); ++i) CHECK(y[i] == static_cast<double>(i) / 255.0);
    CHECK(y[0] == 0);
    CHECK(y[255] == 1);
}

TEST_CASE("scaled in float is the double quotient rounded, as NumPy and Keras have it") {
    const auto y = weft::scaled<float>(all_pixels(), 255);
    bool differs_from_product = false;
    for (weft::Index i = 0; i < y.size(); ++i) {
        CAPTURE(i);
        CHECK(y[i] == static_cast<float>(static_cast<double>(i) / 255.0));
        differs_from_product |= y[i] != static_cast<float>(i) * (1 / 255.f);
    }
    CHECK(y[255] == 1);
    CHECK(y[51] == 0.2f);
    CHECK(differs_from_product);
}

TEST_CASE("scaled by 1 converts; other divisors and memory of the user's own work too") {
    CHECK(weft::scaled<float>(all_pixels(), 1)[200] == 200);
    CHECK(weft::scaled<double>(all_pixels(), -0.5)[3] == -6);
    const std::array<std::uint8_t, 4> pixels{0, 127, 128, 255};
    const auto y = weft::scaled<float>({pixels, {2, 2}}, 127.5f);
    CHECK(y.shape() == weft::Shape{2, 2});
    CHECK(y(1, 1) == 2);
}

TEST_CASE("scaled of no pixels is empty") {
    const weft::Tensor<std::uint8_t> none({0, 28, 28});
    CHECK(weft::scaled<float>(none, 255).shape() == weft::Shape{0, 28, 28});
}

TEST_CASE("scaled refuses a divisor of zero, infinity or NaN") {
    CHECK_THROWS_WITH_AS(weft::scaled<float>(all_pixels(), 0),
                         "scaled: divisor is 0, expected a finite number other than 0",
                         weft::ArgumentError);
    for (const float divisor :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        CHECK_THROWS_AS(weft::scaled<float>(all_pixels(), divisor), weft::ArgumentError);
    }
}
