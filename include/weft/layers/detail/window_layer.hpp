/// \file
/// Windows over images for convolution and pooling, checked when a layer is built.
#pragma once

#include "weft/kernels/window.hpp"
#include "weft/layers/extent2d.hpp"
#include "weft/layers/layer.hpp"

namespace weft::detail {

/// Throws ArgumentError unless both numbers are at least `least`, and small enough that
/// computations with extents of an image do not overflow an Index.
WEFT_COLD inline void require_extent(const LayerBuilder& builder, std::string_view option,
                                     const Extent2D& extent, Index least = 1) {
    builder.require(extent.smallest() >= least, option, extent, join({"at least ", least}));
    constexpr Index most = (std::numeric_limits<std::int32_t>::max)();
    builder.require(extent.largest() <= most, option, extent, join({"at most ", most}));
}

/// The windows over the builder's images (height, width, channels). Throws ArgumentError for a
/// size, stride or dilation out of range, ShapeError for other inputs than images and for windows
/// that do not fit.
WEFT_COLD inline kernels::Window2D window_2d(const LayerBuilder& builder,
                                             std::string_view size_option, const Extent2D& size,
                                             const Extent2D& strides, const Extent2D& dilation,
                                             Padding padding) {
    require_extent(builder, size_option, size);
    require_extent(builder, "strides", strides);
    require_extent(builder, "dilation_rate", dilation);
    const Shape& input = builder.input_shape();
    builder.require_input(input.rank() == 3 && input.size() > 0, "(None, height, width, channels)");
    const kernels::Window2D window{
        kernels::window_axis(input[0], size.rows, strides.rows, dilation.rows, padding),
        kernels::window_axis(input[1], size.columns, strides.columns, dilation.columns, padding),
        input[2]};
    builder.require_input(window.rows.output >= 1 && window.columns.output >= 1,
                          join({"height and width of at least ", window.rows.extent(), " and ",
                                window.columns.extent(), " for ", size_option, " ", size}));
    return window;
}

}  // namespace weft::detail
