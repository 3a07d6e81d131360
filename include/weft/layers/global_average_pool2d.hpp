/// \file
/// GlobalAveragePool2D: the mean of each channel of an image.
#pragma once

#include "weft/layers/detail/pool_layer.hpp"

namespace weft {

/// The mean of each channel over the whole image:  X (N, H, W, C) -> Y (N, C).
struct GlobalAveragePool2D {
    std::string name = {};  ///< instead of "global_average_pool2d", "global_average_pool2d_1", ...

    static constexpr std::string_view type = "GlobalAveragePool2D";
    friend bool operator==(const GlobalAveragePool2D&, const GlobalAveragePool2D&) = default;

    template <class Scalar, class Device>
    using Layer = detail::GlobalPool<detail::AveragePoolLayer<Scalar, Device>>;
};

}  // namespace weft
