#include "weft/kernels/activation.hpp"

#include <doctest/doctest.h>

TEST_CASE("each activation is named as it is spelled in code") {
    static_assert(weft::to_string(weft::linear) == "linear");
    static_assert(weft::to_string(weft::relu) == "relu");
    static_assert(weft::to_string(weft::sigmoid) == "sigmoid");
    static_assert(weft::to_string(weft::tanh) == "tanh");
    static_assert(weft::to_string(weft::softmax) == "softmax");
    CHECK(weft::to_string(weft::Activation::softmax) == "softmax");
}
