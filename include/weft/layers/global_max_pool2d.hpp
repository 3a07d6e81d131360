/// \file
/// GlobalMaxPool2D: the largest of each channel of an image.
#pragma once

#include "weft/layers/detail/pool_layer.hpp"

namespace weft {

/// The largest of each channel over the whole image:  X (N, H, W, C) -> Y (N, C).
struct GlobalMaxPool2D {
    std::string name = {};  ///< instead of "global_max_pool2d", "global_max_pool2d_1", ...

    static constexpr std::string_view type = "GlobalMaxPool2D";
    friend bool operator==(const GlobalMaxPool2D&, const GlobalMaxPool2D&) = default;

    template <class Scalar, class Device>
    using Layer = detail::GlobalPool<detail::MaxPoolLayer<Scalar, Device>>;
};

}  // namespace weft
