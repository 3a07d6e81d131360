/// \file
/// What convolution and pooling have in common: windows over images, checked when they are built.
#pragma once

#include "weft/kernels/window.hpp"
#include "weft/layers/extent2d.hpp"
#include "weft/layers/layer.hpp"

namespace weft::detail {

/// The windows over the builder's images (height, width, channels). Throws ArgumentError for a
/// size, stride or dilation below 1, ShapeError for other inputs than images and for windows that
/// do not fit.
inline kernels::Window2D window_2d(const LayerBuilder& builder, std::string_view size_option,
                                   const Extent2D& size, const Extent2D& strides,
                                   const Extent2D& dilation, Padding padding) {
    builder.require(size.smallest() >= 1, size_option, size, "at least 1");
    builder.require(strides.smallest() >= 1, "strides", strides, "at least 1");
    builder.require(dilation.smallest() >= 1, "dilation_rate", dilation, "at least 1");
    const Shape& input = builder.input_shape();
    builder.require_input(input.rank() == 3 && input.size() > 0, "(None, height, width, channels)");
    const kernels::Window2D window{
        kernels::window_axis(input[0], size.rows, strides.rows, dilation.rows, padding),
        kernels::window_axis(input[1], size.columns, strides.columns, dilation.columns, padding),
        input[2]};
    builder.require_input(window.rows.output >= 1 && window.columns.output >= 1,
                          concat("height and width of at least ", window.rows.extent(), " and ",
                                 window.columns.extent(), " for ", size_option, " ", size));
    return window;
}

}  // namespace weft::detail
