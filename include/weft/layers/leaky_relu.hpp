/// \file
/// LeakyReLU: the rectifier with a slope below zero, as a layer.
#pragma once

#include "weft/layers/detail/activation_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = x for x > 0, else negative_slope x;   dx = dy or negative_slope dy.   Any shape.
struct LeakyReLU {
    double negative_slope = 0.3;  ///< at least 0
    std::string name = {};        ///< instead of "leaky_re_lu", "leaky_re_lu_1", ...

    static constexpr std::string_view type = "LeakyReLU";
    friend bool operator==(const LeakyReLU&, const LeakyReLU&) = default;

    constexpr Activation as_activation() const { return leaky_relu(negative_slope); }

    template <class Scalar, class Device>
    using Layer = detail::ActivationLayer<Scalar, Device>;
};

WEFT_COLD inline void visit_fields(LeakyReLU& layer, LayerFields& field) {
    field("negative_slope", layer.negative_slope);
}

}  // namespace weft
