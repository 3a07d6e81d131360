/// \file
/// MaxPool2D: the largest of each window of an image.
#pragma once

#include "weft/layers/detail/pool_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// The largest of each window, channel by channel:  X (N, H, W, C) -> Y (N, OH, OW, C).
/// Backward adds dy to the largest element of its window; of equal ones, to the first.
/// The number of outputs is that of Conv2D.
struct MaxPool2D {
    Extent2D pool_size = 2;        ///< at least 1
    Extent2D strides = pool_size;  ///< at least 1
    Padding padding = valid;       ///< valid: whole windows alone
    std::string name = {};         ///< instead of "max_pool2d", "max_pool2d_1", ...

    static constexpr std::string_view type = "MaxPool2D";
    static constexpr std::string_view keras_name = "MaxPooling2D";
    friend bool operator==(const MaxPool2D&, const MaxPool2D&) = default;

    template <class Scalar, class Device>
    using Layer = detail::WindowPool<detail::MaxPoolLayer<Scalar, Device>>;
};

WEFT_COLD inline void visit_fields(MaxPool2D& layer, LayerFields& field) {
    field("pool_size", layer.pool_size);
    field("strides", layer.strides);
    field("padding", layer.padding);
}

}  // namespace weft
