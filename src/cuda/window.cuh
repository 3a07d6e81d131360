/// \file
/// Windows over images, in 32 bits, and a thread for each pixel's channel.
#pragma once

#include "launch.cuh"
#include "weft/kernels/window.hpp"

#include <algorithm>

namespace weft::kernels::cuda {

/// A WindowAxis in 32 bits.
struct Axis {
    int input, window, stride, dilation, before, output;

    explicit Axis(const WindowAxis& axis)
        : input(narrow(axis.input)),
          window(narrow(axis.window)),
          stride(narrow(axis.stride)),
          dilation(narrow(axis.dilation)),
          before(narrow(axis.before)),
          output(narrow(axis.output)) {
        narrow(axis.output * axis.stride + axis.extent());  // no place of a tap is beyond
    }

    /// visit(tap, place) for the taps of output o that lie inside the image, in order.
    template <class Visit>
    __device__ void for_each_tap(int o, const Visit& visit) const {
        int place = o * stride - before;
        for (int tap = 0; tap < window; ++tap, place += dilation) {
            if (place >= 0 && place < input) visit(tap, place);
        }
    }

    /// How many these are.
    __device__ int taps_inside(int o) const {
        const int first = o * stride - before;
        if (first >= 0 && first + (window - 1) * dilation < input) return window;
        int count = 0;
        for_each_tap(o, [&](int, int) { ++count; });
        return count;
    }

    /// visit(o, tap) for the outputs with a tap at that place of the input, in order.
    template <class Visit>
    __device__ void for_each_output(int place, const Visit& visit) const {
        const int at = place + before, last_tap = (window - 1) * dilation;
        const int first = at < last_tap ? 0 : ceil_div(at - last_tap, stride);
        const int last = min(at / stride, output - 1);
        for (int o = first; o <= last; ++o) {
            const int distance = at - o * stride, tap = distance / dilation;
            if (tap * dilation == distance) visit(o, tap);
        }
    }
};

/// Window2D in 32 bits.
struct Window {
    Axis rows, columns;
    int channels;

    explicit Window(const Window2D& window)
        : rows(window.rows), columns(window.columns), channels(narrow(window.channels)) {}

    /// Where the channels of pixels lie in the input and in the output.
    __device__ int input(int image, int row, int column) const {
        return ((image * rows.input + row) * columns.input + column) * channels;
    }
    __device__ int output(int image, int row, int column) const {
        return ((image * rows.output + row) * columns.output + column) * channels;
    }
};

/// A block has a part of a row of an image, so there is one division for each of its threads.
template <class Operation>
__global__ void each_pixel(int rows, int columns, int channels, Operation operation) {
    const int line = static_cast<int>(blockIdx.x);
    const int step = static_cast<int>(gridDim.y * blockDim.x);
    for (int i = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x); i < columns * channels;
         i += step) {
        operation(line / rows, line % rows, i / channels, i % channels);
    }
}

/// operation(image, row, column, channel) for all of so many images, whose elements an int can count.
template <class Operation>
void for_each_pixel(const Cuda& device, Index images, int rows, int columns, int channels,
                    Operation operation) {
    narrow(images * rows * columns * channels);
    const int of_row = columns * channels, threads = std::clamp(ceil_div(of_row, 32) * 32, 32, 256);
    constexpr int most_of_grid = 65535;
    const int blocks = std::min(ceil_div(of_row, threads), most_of_grid);
    launch(device, each_pixel<Operation>,
           Grid{dim3(static_cast<unsigned>(images * rows), static_cast<unsigned>(blocks)),
                dim3(static_cast<unsigned>(threads))},
           rows, columns, channels, operation);
}

}  // namespace weft::kernels::cuda
