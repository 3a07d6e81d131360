/// \file
/// The activation functions by name.
#pragma once

#include <string_view>

namespace weft {

/// An activation function  y = act(x), elementwise but for softmax, which runs over the last axis.
enum class Activation {
    linear,      ///< x
    relu,        ///< max(x, 0); NaN stays NaN
    sigmoid,     ///< 1 / (1 + exp(-x))
    tanh,        ///< (exp(x) - exp(-x)) / (exp(x) + exp(-x))
    softmax,     ///< exp(x_c) / sum_k exp(x_k)
    leaky_relu,  ///< x for x > 0, else 0.2 x
    elu,         ///< x for x > 0, else exp(x) - 1
    gelu,        ///< x Phi(x), Phi the normal distribution function
    silu,        ///< x / (1 + exp(-x)), also known as swish
};

inline constexpr Activation linear = Activation::linear;
inline constexpr Activation relu = Activation::relu;
inline constexpr Activation sigmoid = Activation::sigmoid;
inline constexpr Activation tanh = Activation::tanh;
inline constexpr Activation softmax = Activation::softmax;
inline constexpr Activation leaky_relu = Activation::leaky_relu;
inline constexpr Activation elu = Activation::elu;
inline constexpr Activation gelu = Activation::gelu;
inline constexpr Activation silu = Activation::silu;

/// The activation's name, as it is spelled in code: "relu".
constexpr std::string_view to_string(Activation activation) {
    constexpr std::string_view names[] = {"linear",     "relu", "sigmoid", "tanh", "softmax",
                                          "leaky_relu", "elu",  "gelu",    "silu"};
    return names[static_cast<int>(activation)];
}

/// Whether the derivative is taken from the input x; for the others the output y is enough.
constexpr bool needs_input(Activation activation) {
    return activation == Activation::gelu || activation == Activation::silu;
}

}  // namespace weft
