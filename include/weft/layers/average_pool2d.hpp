/// \file
/// AveragePool2D: the mean of each window of an image.
#pragma once

#include "weft/layers/detail/pool_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// The mean of each window, channel by channel:  X (N, H, W, C) -> Y (N, OH, OW, C).
/// Backward spreads dy evenly. With padding same, only elements inside the image count, as in
/// Keras. The number of outputs is that of Conv2D.
struct AveragePool2D {
    Extent2D pool_size = 2;        ///< at least 1
    Extent2D strides = pool_size;  ///< at least 1
    Padding padding = valid;       ///< valid: whole windows alone
    std::string name = {};         ///< instead of "average_pool2d", "average_pool2d_1", ...

    static constexpr std::string_view type = "AveragePool2D";
    static constexpr std::string_view keras_name = "AveragePooling2D";
    friend bool operator==(const AveragePool2D&, const AveragePool2D&) = default;

    template <class Scalar, class Device>
    using Layer = detail::WindowPool<detail::AveragePoolLayer<Scalar, Device>>;
};

WEFT_COLD inline void visit_fields(AveragePool2D& layer, LayerFields& field) {
    field("pool_size", layer.pool_size);
    field("strides", layer.strides);
    field("padding", layer.padding);
}

}  // namespace weft
