#include "weft/layers/sigmoid.hpp"

#include "tests/support/activation_layer_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("Sigmoid is 1 / (1 + exp(-x)) with gradient y (1 - y)") {
    SingleLayer<double> layer(Sigmoid{}, {3});
    const Tensor<double> x({1, 3}, {0, std::log(3.0), -std::log(4.0)});
    const auto y = layer.forward(x);
    CHECK(largest_gap(y, Tensor<double>({1, 3}, {0.5, 0.75, 0.2})) < 1e-15);
    const auto dx = layer.backward(x, y, {{1, 3}, {1, 16, -100}});
    CHECK(largest_gap(dx, Tensor<double>({1, 3}, {0.25, 3, -16})) < 1e-15);
}

TEST_CASE("Sigmoid holds what every activation layer has to") {
    check_activation_layer(Sigmoid{}, Activation::sigmoid);
}

TEST_CASE("Sigmoid stays within [0, 1] and reaches both ends at infinity") {
    SingleLayer<float> layer(Sigmoid{}, {6});
    CHECK(all_in(layer.forward(extreme_inputs<float>()), 0, 1));
    const float infinity = std::numeric_limits<float>::infinity();
    const auto y = layer.forward({{1, 6}, {infinity, -infinity, 1000, -1000, 50, -50}});
    for (const Index i : {0, 2, 4}) CHECK(y[i] == 1);
    for (const Index i : {1, 3, 5}) CHECK(y[i] < 1e-20f);
}
