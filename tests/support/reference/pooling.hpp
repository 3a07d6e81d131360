/// \file
/// Pooling by its formulas, forward and backward.
#pragma once

#include "tests/support/reference/device.hpp"
#include "weft/kernels/window.hpp"

namespace weft::kernels {

/// Calls visit(x, tap) for the taps inside the image of the window that output y of a pool has, in
/// order: the place of the tap's element in the input, and its number among all taps.
///
///   Y (N, OH, OW, C)   X (N, H, W, C)
template <class Visit>
void for_each_tap(const Window2D& window, Index y, const Visit& visit) {
    const WindowAxis &rows = window.rows, &columns = window.columns;
    const Index position = y / window.channels, n = position / window.positions();
    const Index o = position / columns.output % rows.output, p = position % columns.output;
    for (Index tap = 0; tap < window.taps(); ++tap) {
        const Index i = tap / columns.window, j = tap % columns.window;
        const Index row = o * rows.stride + i * rows.dilation - rows.before;
        const Index column = p * columns.stride + j * columns.dilation - columns.before;
        if (row < 0 || row >= rows.input || column < 0 || column >= columns.input) continue;
        const Index pixel = (n * rows.input + row) * columns.input + column;
        visit(pixel * window.channels + y % window.channels, tap);
    }
}

/// The number of those taps.
inline Index taps_inside(const Window2D& window, Index y) {
    Index count = 0;
    for_each_tap(window, y, [&](Index, Index) { ++count; });
    return count;
}

/// y = the largest of each window, the first of equals, but a NaN where there is one, the last.
/// taps, unless null, receives the number of the tap that it came from.
template <class Scalar, class Tap>
void max_pool_forward(Reference&, const Window2D& window, TensorView<const Scalar, Reference> x,
                      TensorView<Scalar, Reference> y, Tap* taps) {
    for (Index i = 0; i < y.size(); ++i) {
        Index best = -1, best_tap = 0;
        for_each_tap(window, i, [&](Index at, Index tap) {
            if (best >= 0 && !(x[at] > x[best]) && x[at] == x[at]) return;
            best = at;
            best_tap = tap;
        });
        y[i] = x[best];
        if (taps != nullptr) taps[i] = static_cast<Tap>(best_tap);
    }
}

/// dx = dy added up at the elements that max_pool_forward took, 0 elsewhere. With a y, only where y
/// is above 0.
template <class Scalar, class Tap>
void max_pool_backward(Reference& device, const Window2D& window,
                       TensorView<const Scalar, Reference> y,
                       TensorView<const Scalar, Reference> dy, const Tap* taps,
                       TensorView<Scalar, Reference> dx) {
    Sums<Scalar> sums(device, dx.size());
    for (Index i = 0; i < dy.size(); ++i) {
        if (y && !(y[i] > 0)) continue;
        for_each_tap(window, i, [&](Index at, Index tap) {
            if (tap == taps[i]) sums[at] += wide(dy[i]);
        });
    }
    sums.round_to(dx.data());
}

/// y = the mean of each window, over the taps inside the image.
template <class Scalar>
void average_pool_forward(Reference&, const Window2D& window, TensorView<const Scalar, Reference> x,
                          TensorView<Scalar, Reference> y) {
    for (Index i = 0; i < y.size(); ++i) {
        Wide<Scalar> sum = 0;
        for_each_tap(window, i, [&](Index at, Index) { sum += wide(x[at]); });
        y[i] = static_cast<Scalar>(sum / static_cast<Wide<Scalar>>(taps_inside(window, i)));
    }
}

/// dx = each dy, divided by the number of taps inside the image, added up at every one of them.
template <class Scalar>
void average_pool_backward(Reference& device, const Window2D& window,
                           TensorView<const Scalar, Reference> dy,
                           TensorView<Scalar, Reference> dx) {
    Sums<Scalar> sums(device, dx.size());
    for (Index i = 0; i < dy.size(); ++i) {
        const auto share = wide(dy[i]) / static_cast<Wide<Scalar>>(taps_inside(window, i));
        for_each_tap(window, i, [&](Index at, Index) { sums[at] += share; });
    }
    sums.round_to(dx.data());
}

}  // namespace weft::kernels
