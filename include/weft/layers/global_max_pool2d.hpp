/// \file
/// GlobalMaxPool2D: the largest of each channel of an image.
#pragma once

#include "weft/layers/detail/pool_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// The largest of each channel over the whole image:  X (N, H, W, C) -> Y (N, C).
struct GlobalMaxPool2D {
    std::string name = {};  ///< instead of "global_max_pool2d", "global_max_pool2d_1", ...

    static constexpr std::string_view type = "GlobalMaxPool2D";
    static constexpr std::string_view keras_name = "GlobalMaxPooling2D";
    friend bool operator==(const GlobalMaxPool2D&, const GlobalMaxPool2D&) = default;

    template <class Scalar, class Device>
    using Layer = detail::GlobalPool<detail::MaxPoolLayer<Scalar, Device>>;
};

inline void visit_fields(GlobalMaxPool2D&, LayerFields&) {}

}  // namespace weft
