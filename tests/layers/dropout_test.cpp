#include "weft/layers/dropout.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/single_layer.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

constexpr double rates[]{0.1, 0.5, 0.9};

template <class Scalar = float>
Tensor<Scalar> ones_of(const Shape& shape) {
    Tensor<Scalar> x(shape);
    std::ranges::fill(x, Scalar(1));
    return x;
}

}  // namespace

TEST_CASE("Dropout keeps the share 1 - rate, scaled by its inverse") {
    constexpr Index count = 100003;
    for (const double rate : rates) {
        CAPTURE(rate);
        SingleLayer<float> layer(Dropout{.rate = rate}, {count});
        const auto scale = static_cast<float>(1 / (1 - rate));
        Index kept = 0;
        for (const float y : layer.forward(ones_of({1, count}))) {
            CHECK_UNARY(y == 0 || y == scale);
            if (y != 0) ++kept;
        }
        // Six deviations of a binomial distribution: fails for one seed in 5 * 10^8.
        const double deviation = std::sqrt(static_cast<double>(count) * rate * (1 - rate));
        CHECK(std::abs(static_cast<double>(kept) - static_cast<double>(count) * (1 - rate)) <
              6 * deviation);
    }
}

TEST_CASE("Dropout's mask: an element is kept when its word of the stream is at least rate 2^32") {
    for (const double rate : rates) {
        CAPTURE(rate);
        SingleLayer<double> layer(Dropout{.rate = rate}, {67, 3});
        const auto x = random_normal({31, 67, 3}, 2);
        const auto y = layer.forward(x);
        for (Index i = 0; i < x.size(); ++i) {
            const auto place = static_cast<std::uint64_t>(i);
            const std::uint32_t word =
                layer.random.block(place / 64 * 16 + place % 16)[place / 16 % 4];
            const bool keep = static_cast<double>(word) >= std::floor(rate * 0x1p32);
            CHECK_UNARY(y[i] == (keep ? x[i] * (1 / (1 - rate)) : 0));
        }
    }
}

TEST_CASE("Dropout's backward has the mask and the scale of its forward") {
    for (const double rate : rates) {
        CAPTURE(rate);
        SingleLayer<float> layer(Dropout{.rate = rate}, {137});
        const auto x = ones_of({9, 137});
        const auto y = layer.forward(x);
        CHECK(identical(layer.backward(x, y, x), y));
        const auto dy = random_normal<float>({9, 137}, 3);
        const auto dx = layer.backward(x, y, dy);
        for (Index i = 0; i < dx.size(); ++i) {
            CHECK_UNARY(dx[i] == (y[i] != 0 ? dy[i] * y[i] : 0));
        }
    }
    CHECK(gradient_check(Dropout{.rate = 0.3}, {3, 4, 5}));
}

TEST_CASE("Dropout in inference is the identity") {
    SingleLayer<float> layer(Dropout{.rate = 0.9}, {5, 37});
    layer.training = false;
    const auto x = random_normal<float>({3, 5, 37}, 2);
    CHECK(identical(layer.forward(x), x));
}

TEST_CASE("Dropout at rate 0 is the identity in training, too") {
    SingleLayer<float> layer(Dropout{.rate = 0}, {5, 37});
    const auto x = random_normal<float>({3, 5, 37}, 2);
    const auto y = layer.forward(x);
    CHECK(identical(y, x));
    CHECK(identical(layer.backward(x, y, x), x));
}

TEST_CASE("Dropout: 1, 2 and 7 threads draw the same mask") {
    for (const double rate : rates) {
        CHECK(same_on_any_threads<float>(Dropout{.rate = rate}, {1031, 137}));
        CHECK(same_on_any_threads<double>(Dropout{.rate = rate}, {7, 149, 101}));
    }
}

TEST_CASE("Dropout draws another mask in another step, layer or seed, and the same in the same") {
    const auto masks_of = [](const RandomStream& random) {
        SingleLayer<float> layer(Dropout{.rate = 0.5}, {10000});
        layer.random = random;
        return layer.forward(ones_of({1, 10000}));
    };
    const auto first = masks_of({9, RandomPurpose::layer, 2, 3});
    CHECK(identical(masks_of({9, RandomPurpose::layer, 2, 3}), first));
    for (const RandomStream& other :
         {RandomStream(9, RandomPurpose::layer, 2, 4), RandomStream(9, RandomPurpose::layer, 3, 3),
          RandomStream(10, RandomPurpose::layer, 2, 3)}) {
        const auto second = masks_of(other);
        Index same = 0;
        for (Index i = 0; i < 10000; ++i) same += first[i] == second[i] ? 1 : 0;
        CHECK(std::abs(same - 5000) < 300);  // six deviations of 50
    }
}

TEST_CASE("Dropout refuses a rate outside [0, 1), by name") {
    using Layer = SingleLayer<float>;
    CHECK_THROWS_WITH_AS(Layer(Dropout{.rate = 1}, {3}),
                         "dropout: rate is 1, expected a number in [0, 1)", ArgumentError);
    CHECK_THROWS_WITH_AS(Layer(Dropout{.rate = -0.25}, {3}),
                         "dropout: rate is -0.25, expected a number in [0, 1)", ArgumentError);
    for (const double rate : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_WITH_AS(Layer(Dropout{.rate = rate}, {3}),
                             doctest::Contains("dropout: rate is "), ArgumentError);
    }
}
