/// \file
/// SiLU: the sigmoid linear unit as a layer.
#pragma once

#include "weft/layers/detail/activation_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = x s, s = 1 / (1 + exp(-x));   dx = dy s (1 + x (1 - s)).   Any shape. Also known as swish.
struct SiLU {
    std::string name = {};  ///< instead of "si_lu", "si_lu_1", ...

    static constexpr std::string_view type = "SiLU";
    static constexpr std::string_view keras_name = "Activation";
    static constexpr std::string_view keras_activation = "silu";
    friend bool operator==(const SiLU&, const SiLU&) = default;

    constexpr Activation as_activation() const { return Activation::silu; }

    template <class Scalar, class Device>
    using Layer = detail::ActivationLayer<Scalar, Device>;
};

inline void visit_fields(SiLU&, LayerFields&) {}

}  // namespace weft
