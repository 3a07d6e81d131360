/// \file
/// Pooling by its formulas, forward and backward.
#pragma once

#include "tests/support/reference/device.hpp"
#include "weft/kernels/window.hpp"

namespace weft::kernels {

/// A tap of a window that lies inside the image.
struct TapInside {
    Index x;       ///< the place of its element in the input
    Index number;  ///< among all taps of the window
};

/// Calls visit(y, taps) for each output of a pool, with its taps inside the image, in order.
///
///   Y (N, OH, OW, C)   X (N, H, W, C)
template <class Visit>
void for_each_window(const Window2D& window, Index images, const Visit& visit) {
    const WindowAxis &rows = window.rows, &columns = window.columns;
    std::vector<TapInside> taps;
    for (Index y = 0; y < images * window.positions() * window.channels; ++y) {
        const Index position = y / window.channels, n = position / window.positions();
        const Index o = position / columns.output % rows.output, p = position % columns.output;
        taps.clear();
        for (Index tap = 0; tap < window.taps(); ++tap) {
            const Index i = tap / columns.window, j = tap % columns.window;
            const Index row = o * rows.stride + i * rows.dilation - rows.before;
            const Index column = p * columns.stride + j * columns.dilation - columns.before;
            if (row < 0 || row >= rows.input || column < 0 || column >= columns.input) continue;
            const Index pixel = (n * rows.input + row) * columns.input + column;
            taps.push_back({pixel * window.channels + y % window.channels, tap});
        }
        visit(y, taps);
    }
}

/// y = the largest of each window, the first of equals, but a NaN where there is one, the last.
/// taps, unless null, receives the number of the tap that it came from.
template <class Scalar, class Tap>
void max_pool_forward(Reference&, const Window2D& window, TensorView<const Scalar, Reference> x,
                      TensorView<Scalar, Reference> y, Tap* taps) {
    for_each_window(window, x.shape()[0], [&](Index i, const std::vector<TapInside>& inside) {
        TapInside best = inside.front();
        for (const TapInside& tap : inside) {
            if (x[tap.x] > x[best.x] || x[tap.x] != x[tap.x]) best = tap;
        }
        y[i] = x[best.x];
        if (taps != nullptr) taps[i] = static_cast<Tap>(best.number);
    });
}

/// dx = dy added up at the elements that max_pool_forward took, 0 elsewhere. With a y, only where y
/// is above 0.
template <class Scalar, class Tap>
void max_pool_backward(Reference&, const Window2D& window, TensorView<const Scalar, Reference> y,
                       TensorView<const Scalar, Reference> dy, const Tap* taps,
                       TensorView<Scalar, Reference> dx) {
    auto sums = wide_zeros<Scalar>(dx.size());
    for_each_window(window, dy.shape()[0], [&](Index i, const std::vector<TapInside>& inside) {
        if (y && !(y[i] > 0)) return;
        for (const TapInside& tap : inside) {
            if (tap.number == taps[i]) sums[static_cast<std::size_t>(tap.x)] += wide(dy[i]);
        }
    });
    round_to(dx.data(), sums);
}

/// y = the mean of each window, over the taps inside the image.
template <class Scalar>
void average_pool_forward(Reference&, const Window2D& window, TensorView<const Scalar, Reference> x,
                          TensorView<Scalar, Reference> y) {
    for_each_window(window, x.shape()[0], [&](Index i, const std::vector<TapInside>& inside) {
        Wide<Scalar> sum = 0;
        for (const TapInside& tap : inside) sum += wide(x[tap.x]);
        y[i] = static_cast<Scalar>(sum / static_cast<Wide<Scalar>>(inside.size()));
    });
}

/// dx = each dy, divided by the number of taps inside the image, added up at every one of them.
template <class Scalar>
void average_pool_backward(Reference&, const Window2D& window,
                           TensorView<const Scalar, Reference> dy,
                           TensorView<Scalar, Reference> dx) {
    auto sums = wide_zeros<Scalar>(dx.size());
    for_each_window(window, dy.shape()[0], [&](Index i, const std::vector<TapInside>& inside) {
        const auto share = wide(dy[i]) / static_cast<Wide<Scalar>>(inside.size());
        for (const TapInside& tap : inside) sums[static_cast<std::size_t>(tap.x)] += share;
    });
    round_to(dx.data(), sums);
}

}  // namespace weft::kernels
