/// \file
/// Windows that slide over an axis of an image: the geometry of convolution and pooling.
#pragma once

#include "weft/core/shape.hpp"

#include <string_view>

namespace weft {

/// The treatment of the border of an image.
enum class Padding {
    valid,  ///< windows lie inside the image:  output = floor((input - extent) / stride) + 1
    same,   ///< as many zeros as make  output = ceil(input / stride); an odd one goes behind
};

inline constexpr Padding valid = Padding::valid;
inline constexpr Padding same = Padding::same;

constexpr std::string_view to_string(Padding padding) {
    return padding == Padding::valid ? "valid" : "same";
}

namespace kernels {

/// A window of `window` taps, `dilation` apart, that moves along an axis of `input` elements in
/// steps of `stride`. Tap k of output o lies at input element  o * stride + k * dilation - before,
/// which may be outside, where the image is 0.
struct WindowAxis {
    Index input = 1;
    Index window = 1;
    Index stride = 1;
    Index dilation = 1;
    Index before = 0;  ///< zeros in front of the axis
    Index output = 1;

    /// From the front of the first tap to the end of the last.
    constexpr Index extent() const { return (window - 1) * dilation + 1; }
};

/// The axis with its output and Keras's padding; output is 0 or less if the window does not fit.
constexpr WindowAxis window_axis(Index input, Index window, Index stride, Index dilation,
                                 Padding padding) {
    WindowAxis axis{input, window, stride, dilation, 0, 0};
    if (padding == Padding::same) {
        axis.output = (input + stride - 1) / stride;
        const Index zeros = (axis.output - 1) * stride + axis.extent() - input;
        axis.before = zeros > 0 ? zeros / 2 : 0;
    } else {
        axis.output = input < axis.extent() ? 0 : (input - axis.extent()) / stride + 1;
    }
    return axis;
}

/// Windows over an image of rows and columns with channels last.
struct Window2D {
    WindowAxis rows, columns;
    Index channels = 1;  ///< of the input

    constexpr Index input_size() const { return rows.input * columns.input * channels; }
    constexpr Index positions() const { return rows.output * columns.output; }
    constexpr Index taps() const { return rows.window * columns.window; }
};

}  // namespace kernels
}  // namespace weft
