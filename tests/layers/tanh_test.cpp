#include "weft/layers/tanh.hpp"

#include "tests/support/activation_layer_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("Tanh is the hyperbolic tangent with gradient 1 - y^2") {
    SingleLayer<double> layer(Tanh{}, {3});
    const Tensor<double> x({1, 3}, {0, std::log(3.0) / 2, -std::log(9.0) / 2});
    const auto y = layer.forward(x);
    CHECK(largest_gap(y, Tensor<double>({1, 3}, {0, 0.5, -0.8})) < 1e-15);
    const auto dx = layer.backward(x, y, {{1, 3}, {5, 4, -100}});
    CHECK(largest_gap(dx, Tensor<double>({1, 3}, {5, 3, -36})) < 1e-14);
}

TEST_CASE("Tanh holds what every activation layer has to") {
    check_activation_layer(Tanh{}, Activation::tanh);
}

TEST_CASE("Tanh stays within [-1, 1] and reaches both ends") {
    SingleLayer<float> layer(Tanh{}, {6});
    CHECK(all_in(layer.forward(extreme_inputs<float>()), -1, 1));
    const float infinity = std::numeric_limits<float>::infinity();
    const auto y = layer.forward({{1, 6}, {infinity, -infinity, 1000, -1000, 20, -20}});
    // In float the rational approximation may end a unit in the last place short of 1.
    for (const Index i : {0, 2, 4}) CHECK(relative_gap(double(y[i]), 1) < 1.2e-7);
    for (const Index i : {1, 3, 5}) CHECK(relative_gap(double(y[i]), -1) < 1.2e-7);
}
