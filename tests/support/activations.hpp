/// \file
/// All activations, and by their names in the reference cases.
#pragma once

#include "weft/kernels/activation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

namespace weft {

inline constexpr std::array all_activations{
    Activation::linear, Activation::relu,    Activation::sigmoid,
    Activation::tanh,   Activation::softmax, Activation::leaky_relu,
    Activation::elu,    Activation::gelu,    Activation::silu};

inline Activation activation_named(const std::string& name) {
    const auto activation =
        std::ranges::find(all_activations, name, [](Activation a) { return to_string(a); });
    REQUIRE(activation != all_activations.end());
    return *activation;
}

}  // namespace weft
