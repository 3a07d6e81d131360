#include "weft/layers/relu.hpp"

#include "tests/support/activation_layer_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("ReLU is max(x, 0) and lets the gradient through where x > 0") {
    SingleLayer<double> layer(ReLU{}, {5});
    const Tensor<double> x({2, 5}, {-1, 0, 2, -1e-300, 1e-300, 3, -4, 0.5, -0.5, 7});
    const auto y = layer.forward(x);
    CHECK(identical(y, Tensor<double>({2, 5}, {0, 0, 2, 0, 1e-300, 3, 0, 0.5, 0, 7})));
    const Tensor<double> dy({2, 5}, {1, 2, 3, 4, 5, -6, 7, 8, 9, -10});
    CHECK(identical(layer.backward(x, y, dy),
                    Tensor<double>({2, 5}, {0, 0, 3, 0, 5, -6, 0, 8, 0, -10})));
}

TEST_CASE("ReLU holds what every activation layer has to") {
    check_activation_layer(ReLU{}, Activation::relu);
}

TEST_CASE("ReLU is called as in Keras") {
    CHECK(LayerDeclaration<float, Cpu>(ReLU{}).name() == "re_lu");
    CHECK(LayerDeclaration<float, Cpu>(ReLU{}).type() == "ReLU");
}

TEST_CASE("ReLU keeps an infinity and takes a single number as a sample") {
    SingleLayer<float> layer(ReLU{}, Shape{});
    const float infinity = std::numeric_limits<float>::infinity();
    const auto y = layer.forward({{3}, {infinity, -infinity, 2}});
    CHECK(identical(y, Tensor<float>({3}, {infinity, 0, 2})));
}
