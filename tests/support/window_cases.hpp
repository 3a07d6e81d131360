/// \file
/// Pools and convolutions that kernels of them are tested with.
#pragma once

#include "weft/kernels/convolution.hpp"

#include <string>

namespace weft {

/// Windows over images of some size, rows and columns never alike.
struct PoolCase {
    Index images, rows, columns, channels;
    Index window_rows, window_columns, stride_rows, stride_columns;
    Padding padding;
    Index dilation_rows = 1, dilation_columns = 1;

    kernels::Window2D window() const {
        return {kernels::window_axis(rows, window_rows, stride_rows, dilation_rows, padding),
                kernels::window_axis(columns, window_columns, stride_columns, dilation_columns,
                                     padding),
                channels};
    }
    Shape input() const { return {images, rows, columns, channels}; }
    Shape output() const {
        return {images, window().rows.output, window().columns.output, channels};
    }
    std::string text() const {
        return concat(input(), " by ", window_rows, "x", window_columns, " / ", stride_rows, "x",
                      stride_columns, " ", to_string(padding), " dilation ", dilation_rows, "x",
                      dilation_columns);
    }
};

/// A convolution, rows and columns never alike.
struct ConvolutionCase {
    Index images, rows, columns, channels;
    Index window_rows, window_columns, filters;
    Padding padding = valid;
    Index stride_rows = 1, stride_columns = 1, dilation_rows = 1, dilation_columns = 1;
    Index groups = 1;

    kernels::Convolution convolution() const {
        return {{kernels::window_axis(rows, window_rows, stride_rows, dilation_rows, padding),
                 kernels::window_axis(columns, window_columns, stride_columns, dilation_columns,
                                      padding),
                 channels},
                filters,
                groups};
    }
    Shape input() const { return {images, rows, columns, channels}; }
    Shape output() const {
        const auto window = convolution().window;
        return {images, window.rows.output, window.columns.output, filters};
    }
    Shape kernel() const { return {window_rows, window_columns, channels / groups, filters}; }
    std::string text() const {
        return concat(input(), " by ", kernel(), " ", to_string(padding), " strides ", stride_rows,
                      "x", stride_columns, " dilation ", dilation_rows, "x", dilation_columns,
                      " groups ", groups);
    }
};

}  // namespace weft
