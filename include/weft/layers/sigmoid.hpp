/// \file
/// Sigmoid: the logistic function as a layer.
#pragma once

#include "weft/layers/detail/activation_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = 1 / (1 + exp(-x)),   dx = dy y (1 - y).   Any shape.
struct Sigmoid {
    std::string name = {};  ///< instead of "sigmoid", "sigmoid_1", ...

    static constexpr std::string_view type = "Sigmoid";
    static constexpr std::string_view keras_name = "Activation";
    static constexpr std::string_view keras_activation = "sigmoid";
    friend bool operator==(const Sigmoid&, const Sigmoid&) = default;

    constexpr Activation as_activation() const { return Activation::sigmoid; }

    template <class Scalar, class Device>
    using Layer = detail::ActivationLayer<Scalar, Device>;
};

inline void visit_fields(Sigmoid&, LayerFields&) {}

}  // namespace weft
