#include "weft/layers/softmax.hpp"

#include "tests/support/activation_layer_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("Softmax is exp(x) over its sum, with gradient y (dy - sum y dy)") {
    SingleLayer<double> layer(Softmax{}, {3});
    const Tensor<double> x({2, 3}, {0, std::log(2.0), std::log(5.0), 7, 7, 7});
    const auto y = layer.forward(x);
    CHECK(largest_gap(y, Tensor<double>({2, 3}, {0.125, 0.25, 0.625, 1. / 3, 1. / 3, 1. / 3})) <
          1e-15);
    const auto dx = layer.backward(x, y, {{2, 3}, {64, 0, 0, 9, 0, 18}});
    CHECK(largest_gap(dx, Tensor<double>({2, 3}, {7, -2, -5, 0, -3, 3})) < 1e-14);
}

TEST_CASE("Softmax holds what every activation layer has to") {
    check_activation_layer(Softmax{}, Activation::softmax);
}

TEST_CASE("Softmax gives probabilities over the last axis that a shift leaves alone") {
    SingleLayer<float> layer(Softmax{}, {3, 37});
    auto x = random_normal<float>({5, 3, 37}, 2, 3);
    const auto y = layer.forward(x);
    CHECK(all_in(y, 0, 1));
    for (Index row = 0; row < 15; ++row) {
        double sum = 0;
        for (Index c = 0; c < 37; ++c) sum += double(y[row * 37 + c]);
        CHECK(relative_gap(sum, 1) < 37 * 1.2e-7);
    }
    for (float& value : x) value += 64;  // rounds x by 2^-18, hence y by as much
    CHECK(largest_gap(layer.forward(x), y) < 0x1p-16);
}

TEST_CASE("Softmax gives a class without a chance nothing") {
    SingleLayer<float> layer(Softmax{}, {4});
    const float infinity = std::numeric_limits<float>::infinity();
    const auto y = layer.forward({{1, 4}, {1, -infinity, 1, -3e38f}});
    CHECK(largest_gap(y, Tensor<float>({1, 4}, {0.5, 0, 0.5, 0})) < 1e-7);
    for (const float value : layer.forward({{1, 4}, {1000, 1000, 1000, 1000}})) {
        CHECK(value == 0.25f);
    }
}

TEST_CASE("Softmax of one class is 1, and refuses samples without a class axis") {
    SingleLayer<double> layer(Softmax{}, {1});
    CHECK(identical(layer.forward({{2, 1}, {-700, 3}}), Tensor<double>({2, 1}, {1, 1})));
    CHECK_THROWS_WITH_AS(SingleLayer<double>(Softmax{}, Shape{}),
                         "softmax: input has shape (None,), expected (None, ..., classes)",
                         ShapeError);
}
