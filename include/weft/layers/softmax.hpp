/// \file
/// Softmax: probabilities from logits.
#pragma once

#include "weft/layers/detail/activation_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// Over the last axis:  y_c = exp(x_c) / sum_k exp(x_k),   dx_c = y_c (dy_c - sum_k y_k dy_k).
/// Computed from x - max x: large inputs do not overflow.
struct Softmax {
    std::string name = {};  ///< instead of "softmax", "softmax_1", ...

    static constexpr std::string_view type = "Softmax";
    friend bool operator==(const Softmax&, const Softmax&) = default;

    constexpr Activation as_activation() const { return Activation::softmax; }

    template <class Scalar, class Device>
    using Layer = detail::ActivationLayer<Scalar, Device>;
};

inline void visit_fields(Softmax&, LayerFields&) {}

}  // namespace weft
