/// \file
/// GELU: the Gaussian error linear unit as a layer.
#pragma once

#include "weft/layers/detail/activation_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = x Phi(x), Phi the normal distribution function, exact;   dx = dy (Phi(x) + x phi(x)).
/// Any shape. Source: Hendrycks and Gimpel 2016.
struct GELU {
    std::string name = {};  ///< instead of "gelu", "gelu_1", ...

    static constexpr std::string_view type = "GELU";
    static constexpr std::string_view keras_name = "Activation";
    static constexpr std::string_view keras_activation = "gelu";
    friend bool operator==(const GELU&, const GELU&) = default;

    constexpr Activation as_activation() const { return Activation::gelu; }

    template <class Scalar, class Device>
    using Layer = detail::ActivationLayer<Scalar, Device>;
};

inline void visit_fields(GELU&, LayerFields&) {}

}  // namespace weft
