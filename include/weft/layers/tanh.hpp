/// \file
/// Tanh: the hyperbolic tangent as a layer.
#pragma once

#include "weft/layers/detail/activation_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = tanh x,   dx = dy (1 - y^2).   Any shape.
struct Tanh {
    std::string name = {};  ///< instead of "tanh", "tanh_1", ...

    static constexpr std::string_view type = "Tanh";
    static constexpr std::string_view keras_name = "Activation";
    static constexpr std::string_view keras_activation = "tanh";
    friend bool operator==(const Tanh&, const Tanh&) = default;

    constexpr Activation as_activation() const { return Activation::tanh; }

    template <class Scalar, class Device>
    using Layer = detail::ActivationLayer<Scalar, Device>;
};

inline void visit_fields(Tanh&, LayerFields&) {}

}  // namespace weft
