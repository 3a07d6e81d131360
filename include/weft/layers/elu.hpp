/// \file
/// ELU: the exponential linear unit as a layer.
#pragma once

#include "weft/layers/detail/activation_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = x for x > 0, else alpha (exp(x) - 1);   dx = dy or dy (y + alpha).   Any shape.
/// Source: Clevert, Unterthiner and Hochreiter 2016, eq. 15 and 16.
struct ELU {
    double alpha = 1;       ///< above 0
    std::string name = {};  ///< instead of "elu", "elu_1", ...

    static constexpr std::string_view type = "ELU";
    friend bool operator==(const ELU&, const ELU&) = default;

    constexpr Activation as_activation() const { return elu(alpha); }

    template <class Scalar, class Device>
    using Layer = detail::ActivationLayer<Scalar, Device>;
};

WEFT_COLD inline void visit_fields(ELU& layer, LayerFields& field) { field("alpha", layer.alpha); }

}  // namespace weft
