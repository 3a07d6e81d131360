#include "weft/layers/average_pool2d.hpp"

#include "tests/support/pool_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("AveragePool2D equals Keras, has the same bits, and refuses what does not fit") {
    check_pool_layer<AveragePool2D>("AveragePooling2D", "average_pool2d");
}

TEST_CASE("AveragePool2D over windows that overlap, and over a border, worked by hand") {
    const Tensor<double> x({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
    SingleLayer<double> layer(AveragePool2D{.pool_size = 2, .strides = 1}, {2, 3, 1});
    auto y = layer.forward(x);
    CHECK(identical(y, Tensor<double>({1, 1, 2, 1}, {3, 4})));
    CHECK(identical(layer.backward(x, y, Tensor<double>({1, 1, 2, 1}, {4, 8})),
                    Tensor<double>({1, 2, 3, 1}, {1, 3, 2, 1, 3, 2})));

    SingleLayer<double> border(AveragePool2D{.padding = same}, {2, 3, 1});
    y = border.forward(x);
    CHECK(identical(y, Tensor<double>({1, 1, 2, 1}, {3, 4.5})));
    CHECK(identical(border.backward(x, y, Tensor<double>({1, 1, 2, 1}, {4, 8})),
                    Tensor<double>({1, 2, 3, 1}, {1, 1, 4, 1, 1, 4})));
}

TEST_CASE("AveragePool2D: the gradient agrees with central differences") {
    CHECK(
        gradient_check(AveragePool2D{.pool_size = 3, .strides = 1, .padding = same}, {1, 4, 5, 1}));
    CHECK(gradient_check(AveragePool2D{.pool_size = 2, .strides = 3}, {2, 5, 6, 2}));
}

TEST_CASE("AveragePool2D hands a NaN on to its window, and to no other") {
    SingleLayer<float> layer(AveragePool2D{}, {4, 4, 9});
    auto x = random_normal<float>({2, 4, 4, 9}, 2);
    x(1, 2, 1, 7) = std::numeric_limits<float>::quiet_NaN();
    const auto y = layer.forward(x);
    for (Index i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (&y[i] == &y(1, 1, 0, 7)));
}
