/// \file
/// The activation functions by name.
#pragma once

#include <string_view>

namespace weft {

/// An activation function  y = act(x), elementwise but for softmax, which runs over the last axis.
enum class Activation {
    linear,   ///< x
    relu,     ///< max(x, 0); NaN stays NaN
    sigmoid,  ///< 1 / (1 + exp(-x))
    tanh,     ///< (exp(x) - exp(-x)) / (exp(x) + exp(-x))
    softmax,  ///< exp(x_c) / sum_k exp(x_k)
};

inline constexpr Activation linear = Activation::linear;
inline constexpr Activation relu = Activation::relu;
inline constexpr Activation sigmoid = Activation::sigmoid;
inline constexpr Activation tanh = Activation::tanh;
inline constexpr Activation softmax = Activation::softmax;

/// The activation's name, as it is spelled in code: "relu".
constexpr std::string_view to_string(Activation activation) {
    constexpr std::string_view names[] = {"linear", "relu", "sigmoid", "tanh", "softmax"};
    return names[static_cast<int>(activation)];
}

}  // namespace weft
