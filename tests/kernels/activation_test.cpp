#include "weft/kernels/activation.hpp"

#include <doctest/doctest.h>

TEST_CASE("each activation is named as it is spelled in code") {
    static_assert(weft::to_string(weft::linear) == "linear");
    static_assert(weft::to_string(weft::relu) == "relu");
    static_assert(weft::to_string(weft::sigmoid) == "sigmoid");
    static_assert(weft::to_string(weft::tanh) == "tanh");
    static_assert(weft::to_string(weft::softmax) == "softmax");
    static_assert(weft::to_string(weft::leaky_relu) == "leaky_relu");
    static_assert(weft::to_string(weft::elu) == "elu");
    static_assert(weft::to_string(weft::gelu) == "gelu");
    static_assert(weft::to_string(weft::silu) == "silu");
    CHECK(weft::to_string(weft::Activation::softmax) == "softmax");
}

TEST_CASE("the activations that are not monotonic need their input for the derivative") {
    CHECK(weft::needs_input(weft::gelu));
    CHECK(weft::needs_input(weft::silu));
    for (const auto activation : {weft::linear, weft::relu, weft::sigmoid, weft::tanh,
                                  weft::softmax, weft::leaky_relu, weft::elu}) {
        CHECK_FALSE(weft::needs_input(activation));
    }
}
