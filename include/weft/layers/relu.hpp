/// \file
/// ReLU: the rectifier as a layer.
#pragma once

#include "weft/layers/detail/activation_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = max(x, 0),   dx = dy [x > 0].   Any shape.
struct ReLU {
    std::string name = {};  ///< instead of "re_lu", "re_lu_1", ...

    static constexpr std::string_view type = "ReLU";
    friend bool operator==(const ReLU&, const ReLU&) = default;

    constexpr Activation as_activation() const { return Activation::relu; }

    template <class Scalar, class Device>
    using Layer = detail::ActivationLayer<Scalar, Device>;
};

inline void visit_fields(ReLU&, LayerFields&) {}

}  // namespace weft
