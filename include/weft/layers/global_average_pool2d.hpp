/// \file
/// GlobalAveragePool2D: the mean of each channel of an image.
#pragma once

#include "weft/layers/detail/pool_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// The mean of each channel over the whole image:  X (N, H, W, C) -> Y (N, C).
struct GlobalAveragePool2D {
    std::string name = {};  ///< instead of "global_average_pool2d", "global_average_pool2d_1", ...

    static constexpr std::string_view type = "GlobalAveragePool2D";
    static constexpr std::string_view keras_name = "GlobalAveragePooling2D";
    friend bool operator==(const GlobalAveragePool2D&, const GlobalAveragePool2D&) = default;

    template <class Scalar, class Device>
    using Layer = detail::GlobalPool<detail::AveragePoolLayer<Scalar, Device>>;
};

inline void visit_fields(GlobalAveragePool2D&, LayerFields&) {}

}  // namespace weft
