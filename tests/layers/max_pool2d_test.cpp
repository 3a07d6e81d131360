#include "weft/layers/max_pool2d.hpp"

#include "tests/support/pool_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("MaxPool2D equals Keras, has the same bits, and refuses what does not fit") {
    check_pool_layer<MaxPool2D>("MaxPooling2D", "max_pool2d");
}

TEST_CASE("MaxPool2D sums the gradients of windows that overlap, of equals for the first") {
    SingleLayer<double> layer(MaxPool2D{.pool_size = 2, .strides = 1}, {3, 3, 1});
    const Tensor<double> x({1, 3, 3, 1}, {1, 2, 3, 4, 9, 5, 6, 7, 8});
    auto y = layer.forward(x);
    CHECK(identical(y, Tensor<double>({1, 2, 2, 1}, {9, 9, 9, 9})));
    const Tensor<double> dy({1, 2, 2, 1}, {1, 2, 4, 8});
    CHECK(identical(layer.backward(x, y, dy),
                    Tensor<double>({1, 3, 3, 1}, {0, 0, 0, 0, 15, 0, 0, 0, 0})));

    const Tensor<double> equal({1, 3, 3, 1}, {5, 5, 5, 5, 5, 5, 5, 5, 5});
    y = layer.forward(equal);
    CHECK(identical(layer.backward(equal, y, dy),
                    Tensor<double>({1, 3, 3, 1}, {1, 2, 0, 4, 8, 0, 0, 0, 0})));
}

TEST_CASE("MaxPool2D keeps a NaN in every window that holds one, and in no other") {
    SingleLayer<float> layer(MaxPool2D{}, {4, 4, 9});
    for (Index row = 0; row < 2; ++row) {
        for (Index column = 0; column < 2; ++column) {
            for (Index channel = 0; channel < 9; ++channel) {
                auto x = random_normal<float>({2, 4, 4, 9}, 2);
                x(1, 2 + row, column, channel) = std::numeric_limits<float>::quiet_NaN();
                const auto y = layer.forward(x);
                for (Index i = 0; i < y.size(); ++i) {
                    CHECK(std::isnan(y[i]) == (&y[i] == &y(1, 1, 0, channel)));
                }
            }
        }
    }
}

TEST_CASE("MaxPool2D: the padding is never the largest, not even of negative infinities") {
    SingleLayer<float> layer(MaxPool2D{.pool_size = 3, .strides = 1, .padding = same}, {3, 4, 2});
    for (const float value :
         {-1.0f, -std::numeric_limits<float>::max(), -std::numeric_limits<float>::infinity()}) {
        Tensor<float> x({2, 3, 4, 2});
        std::ranges::fill(x, value);
        const auto y = layer.forward(x);
        CHECK(identical(y, x));
        Tensor<float> dy(y.shape());
        std::ranges::fill(dy, 1.0f);
        float sum = 0;
        for (const float dx : layer.backward(x, y, dy)) sum += dx;
        CHECK(sum == 48);
    }
}

TEST_CASE("MaxPool2D with more taps than numbers of taps can be told apart in float is refused") {
    const MaxPool2D pool{.pool_size = {4097, 4096}};
    CHECK_THROWS_WITH_AS(SingleLayer<float>(pool, {4097, 4096, 1}),
                         "max_pool2d: the window has 16781312 elements, expected at most 16777216",
                         ShapeError);
    CHECK(SingleLayer<double>(pool, {4097, 4096, 1}).layer().output_shape() == Shape{1, 1, 1});
    CHECK(
        SingleLayer<float>(MaxPool2D{.pool_size = 4096}, {4096, 4096, 1}).layer().output_shape() ==
        Shape{1, 1, 1});
}

TEST_CASE("MaxPool2D with more than 256 taps keeps their numbers whole") {
    // 17 x 17 taps; the largest is the last of them, whose number has more than 8 bits.
    const MaxPool2D pool{.pool_size = 17};
    for (const Index place : {0, 255, 256, 257, 288}) {
        SingleLayer<float> layer(pool, {17, 17, 1});
        Tensor<float> x({1, 17, 17, 1}), expected({1, 17, 17, 1});
        x[place] = 1;
        expected[place] = 3;
        const auto y = layer.forward(x);
        CAPTURE(place);
        CHECK(identical(layer.backward(x, y, Tensor<float>({1, 1, 1, 1}, {3})), expected));
    }
}
