/// \file
/// Pooling on the CPU, forward and backward.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/window.hpp"

#include <cstdint>
#include <limits>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Calls tap(number, pixel) for each tap of the window at output (row, column) that lies inside the
/// image: its number among all taps and the offset of its channels in the image.
template <class Tap>
void for_each_tap(const Window2D& window, Index row, Index column, const Tap& tap) {
    for (Index i = 0; i < window.rows.window; ++i) {
        const Index r = row * window.rows.stride + i * window.rows.dilation - window.rows.before;
        if (r < 0 || r >= window.rows.input) continue;
        for (Index j = 0; j < window.columns.window; ++j) {
            const Index c = column * window.columns.stride + j * window.columns.dilation -
                            window.columns.before;
            if (c < 0 || c >= window.columns.input) continue;
            tap(i * window.columns.window + j, (r * window.columns.input + c) * window.channels);
        }
    }
}

/// Calls position(image, row, column, offset) for the output positions of all images, images in
/// parallel; offset is where the position's channels lie in the output.
template <class Position>
void for_each_position(Cpu& cpu, const Window2D& window, Index images, const Position& position) {
    parallel_for(cpu, images, [&](Index image, int) {
        Index offset = image * window.positions() * window.channels;
        for (Index row = 0; row < window.rows.output; ++row) {
            for (Index column = 0; column < window.columns.output; ++column) {
                position(image, row, column, offset);
                offset += window.channels;
            }
        }
    });
}

/// How many taps of the window at output (row, column) lie inside the image.
inline Index count_taps(const Window2D& window, Index row, Index column) {
    Index count = 0;
    for_each_tap(window, row, column, [&](Index, Index) { ++count; });
    return count;
}

}  // namespace detail

/// y = the largest of each window, channel by channel; NaN where there is one. taps, unless null,
/// receives the number of the tap that it came from, the first of equals.
///
///   x (N, H, W, C)   y, taps (N, OH, OW, C)
template <class Scalar>
void max_pool_forward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                      TensorView<Scalar> y, std::int32_t* taps) {
    const Index channels = window.channels;
    detail::for_each_position(
        cpu, window, x.shape()[0], [&](Index image, Index row, Index column, Index offset) {
            const Scalar* const pixels = x.data() + image * window.input_size();
            Scalar* const best = y.data() + offset;
            std::fill_n(best, channels, -std::numeric_limits<Scalar>::infinity());
            std::int32_t* const best_tap = taps == nullptr ? nullptr : taps + offset;
            bool is_first = true;
            detail::for_each_tap(window, row, column, [&](Index tap, Index pixel) {
                const Scalar* const value = pixels + pixel;
                if (best_tap == nullptr) {
                    for (Index c = 0; c < channels; ++c) {
                        const bool larger = value[c] > best[c] || value[c] != value[c];
                        best[c] = larger ? value[c] : best[c];
                    }
                    return;
                }
                const auto number = static_cast<std::int32_t>(tap);
                if (is_first) std::fill_n(best_tap, channels, number);
                is_first = false;
                for (Index c = 0; c < channels; ++c) {
                    const bool larger = value[c] > best[c] || value[c] != value[c];
                    best[c] = larger ? value[c] : best[c];
                    best_tap[c] = larger ? number : best_tap[c];
                }
            });
        });
}

/// dx = dy added up at the elements that max_pool_forward took, 0 elsewhere.
template <class Scalar>
void max_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> dy,
                       const std::int32_t* taps, TensorView<Scalar> dx) {
    const Index images = dy.shape()[0];
    const Index channels = window.channels;
    parallel_ranges(cpu, dx.size(), window.input_size(), [&](Index begin, Index end) {
        std::fill(dx.data() + begin, dx.data() + end, Scalar(0));
    });
    detail::for_each_position(
        cpu, window, images, [&](Index image, Index row, Index column, Index offset) {
            Scalar* const pixels = dx.data() + image * window.input_size();
            const Scalar* const gradient = dy.data() + offset;
            const std::int32_t* const from = taps + offset;
            detail::for_each_tap(window, row, column, [&](Index tap, Index pixel) {
                Scalar* const target = pixels + pixel;
                const auto number = static_cast<std::int32_t>(tap);
                for (Index c = 0; c < channels; ++c) {
                    target[c] += from[c] == number ? gradient[c] : Scalar(0);
                }
            });
        });
}

/// y = the mean of each window, channel by channel, over the taps inside the image.
///
///   x (N, H, W, C)   y (N, OH, OW, C)
template <class Scalar>
void average_pool_forward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                          TensorView<Scalar> y) {
    const Index channels = window.channels;
    detail::for_each_position(
        cpu, window, x.shape()[0], [&](Index image, Index row, Index column, Index offset) {
            const Scalar* const pixels = x.data() + image * window.input_size();
            Scalar* const mean = y.data() + offset;
            std::fill_n(mean, window.channels, Scalar(0));
            detail::for_each_tap(window, row, column, [&](Index, Index pixel) {
                for (Index c = 0; c < channels; ++c) mean[c] += pixels[pixel + c];
            });
            const auto count = static_cast<Scalar>(detail::count_taps(window, row, column));
            for (Index c = 0; c < channels; ++c) mean[c] /= count;
        });
}

/// dx = each dy, divided by the number of taps inside the image, at every one of them.
template <class Scalar>
void average_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> dy,
                           TensorView<Scalar> dx) {
    const Index channels = window.channels;
    parallel_ranges(cpu, dx.size(), window.input_size(), [&](Index begin, Index end) {
        std::fill(dx.data() + begin, dx.data() + end, Scalar(0));
    });
    detail::for_each_position(
        cpu, window, dy.shape()[0], [&](Index image, Index row, Index column, Index offset) {
            Scalar* const pixels = dx.data() + image * window.input_size();
            const Scalar* const gradient = dy.data() + offset;
            const auto count = static_cast<Scalar>(detail::count_taps(window, row, column));
            detail::for_each_tap(window, row, column, [&](Index, Index pixel) {
                for (Index c = 0; c < channels; ++c) pixels[pixel + c] += gradient[c] / count;
            });
        });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
