/// \file
/// Activation functions, as values.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft {

/// An activation function  y = act(x), elementwise, except softmax, which is over the last axis.
/// Plain data: leaky_relu and elu have a parameter, which a call changes:
///
///   Dense{.units = 64, .activation = leaky_relu(0.1)}
struct Activation {
    enum class Kind : std::uint8_t {
        linear,      ///< x
        relu,        ///< max(x, 0); NaN stays NaN
        sigmoid,     ///< 1 / (1 + exp(-x))
        tanh,        ///< (exp(x) - exp(-x)) / (exp(x) + exp(-x))
        softmax,     ///< exp(x_c) / sum_k exp(x_k)
        leaky_relu,  ///< x for x > 0, else negative_slope x, 0.2 x without a number, as in Keras
        elu,         ///< x for x > 0, else alpha (exp(x) - 1), alpha 1 without a number
        gelu,        ///< x Phi(x), Phi the normal distribution function
        silu,        ///< x / (1 + exp(-x)), also known as swish
    };

    Kind kind;
    double parameter;  ///< negative_slope of leaky_relu, alpha of elu; else 0

    constexpr Activation(Kind function = Kind::linear, double number = 0)
        : kind(function), parameter(number) {}

    /// leaky_relu(0.1), elu(0.5). Layers refuse a parameter out of range.
    constexpr Activation operator()(double number) const { return {kind, number}; }

    friend constexpr bool operator==(const Activation&, const Activation&) = default;

    static const Activation linear, relu, sigmoid, tanh, softmax, leaky_relu, elu, gelu, silu;
};

inline constexpr Activation Activation::linear{Kind::linear};
inline constexpr Activation Activation::relu{Kind::relu};
inline constexpr Activation Activation::sigmoid{Kind::sigmoid};
inline constexpr Activation Activation::tanh{Kind::tanh};
inline constexpr Activation Activation::softmax{Kind::softmax};
inline constexpr Activation Activation::leaky_relu{Kind::leaky_relu, 0.2};
inline constexpr Activation Activation::elu{Kind::elu, 1};
inline constexpr Activation Activation::gelu{Kind::gelu};
inline constexpr Activation Activation::silu{Kind::silu};

/// The activation's name, as it is spelled in code: "relu". Without its parameter.
constexpr std::string_view to_string(Activation activation) {
    constexpr std::string_view names[] = {"linear",     "relu", "sigmoid", "tanh", "softmax",
                                          "leaky_relu", "elu",  "gelu",    "silu"};
    return names[static_cast<int>(activation.kind)];
}

/// Whether the derivative needs the input x; for the others the output y is enough.
constexpr bool needs_input(Activation activation) {
    return activation.kind == Activation::Kind::gelu || activation.kind == Activation::Kind::silu;
}

inline constexpr Activation linear = Activation::linear;
inline constexpr Activation relu = Activation::relu;
inline constexpr Activation sigmoid = Activation::sigmoid;
inline constexpr Activation tanh = Activation::tanh;
inline constexpr Activation softmax = Activation::softmax;
inline constexpr Activation leaky_relu = Activation::leaky_relu;
inline constexpr Activation elu = Activation::elu;
inline constexpr Activation gelu = Activation::gelu;
inline constexpr Activation silu = Activation::silu;

}  // namespace weft
