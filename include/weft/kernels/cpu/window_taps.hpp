/// \file
/// The taps of a window that lie inside an image, and sums over them.
#pragma once

#include "weft/kernels/cpu/packet.hpp"
#include "weft/kernels/window.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// The taps of the window at an output position that lie inside the image.
struct InsideTaps {
    /// The taps along an axis: first, and one past the last, and the element that the first meets.
    struct Axis {
        EIGEN_ALWAYS_INLINE Axis(const WindowAxis& axis, Index out) : dilation(axis.dilation) {
            const Index start = out * axis.stride - axis.before;
            begin = 0, end = axis.window, element = start;
            if (start >= 0 && start + axis.extent() <= axis.input) return;
            // The number of taps that cover a number of elements.
            const auto taps = [&](Index elements) {
                if (elements <= 0) return Index{0};
                return dilation == 1 ? elements : (elements + dilation - 1) / dilation;
            };
            begin = (std::min)(taps(-start), axis.window);
            end = std::clamp(taps(axis.input - start), begin, axis.window);
            element = start + begin * dilation;
        }
        Index count() const { return end - begin; }

        Index dilation, begin, end, element;
    };

    EIGEN_ALWAYS_INLINE InsideTaps(const Window2D& window, const Axis& of_row, Index out_column)
        : rows(of_row),
          columns(window.columns, out_column),
          row_size(window.columns.input * window.channels),
          column_size(window.channels),
          row_taps(window.columns.window) {}

    Index count() const { return rows.count() * columns.count(); }

    /// Calls tap(number, pixel) for each: its number among all taps of the window and the offset of
    /// its channels in the image.
    template <class Tap>
    EIGEN_ALWAYS_INLINE void for_each(const Tap& tap) const {
        Index row = rows.element * row_size;
        for (Index i = rows.begin; i < rows.end; ++i, row += rows.dilation * row_size) {
            Index pixel = row + columns.element * column_size;
            for (Index j = columns.begin; j < columns.end; ++j) {
                tap(i * row_taps + j, pixel);
                pixel += columns.dilation * column_size;
            }
        }
    }

    Axis rows, columns;
    Index row_size, column_size, row_taps;
};

/// Where taps inside an image lie in its memory: the first, and the steps to the next.
struct TapGrid {
    explicit TapGrid(const InsideTaps& taps)
        : first(taps.rows.element * taps.row_size + taps.columns.element * taps.column_size),
          row_step(taps.rows.dilation * taps.row_size),
          column_step(taps.columns.dilation * taps.column_size) {}

    Index first, row_step, column_step;
};

/// sums = those over rows and columns of taps, of some packets of channels that lie at x for the
/// first tap: of up to sum_block taps in two chains, of more by halves. Off by at most
/// (sum_block + log2(taps)) u sum |x|, u = eps / 2.
template <Index packets, class Scalar, class Size>
WEFT_NOINLINE void sum_grid(Index rows, Index columns, const TapGrid& grid, const Scalar* x,
                            Size size, Packet<Scalar>* sums) {
    if (rows * columns > weft::detail::sum_block) {
        const bool by_rows = rows > 1;
        const Index half = (by_rows ? rows : columns) / 2;
        const Scalar* const second = x + half * (by_rows ? grid.row_step : grid.column_step);
        Packet<Scalar> more[std::size_t{packets}];
        sum_grid<packets>(by_rows ? half : 1, by_rows ? columns : half, grid, x, size, sums);
        sum_grid<packets>(by_rows ? rows - half : 1, by_rows ? columns : columns - half, grid,
                          second, size, more);
        for (Index p = 0; p < packets; ++p) sums[p] = padd(sums[p], more[p]);
        return;
    }
    // One chain would wait for each addition.
    Packet<Scalar> even[std::size_t{packets}], odd[std::size_t{packets}];
    for (Index p = 0; p < packets; ++p) even[p] = odd[p] = broadcast(Scalar(0));
    const auto add = [&](Packet<Scalar>* to, const Scalar* from) WEFT_INLINE_LAMBDA {
        for (Index p = 0; p < packets; ++p) {
            to[p] = padd(to[p], load_up_to(from + p * packet_size<Scalar>, size));
        }
    };
    const Index row_step = grid.row_step, step = grid.column_step;
    for (; rows > 0; --rows, x += row_step) {
        const Scalar* from = x;
        Index j = 0;
        for (; j + 2 <= columns; j += 2, from += 2 * step) {
            add(even, from);
            add(odd, from + step);
        }
        if (j < columns) add(even, from);
    }
    for (Index p = 0; p < packets; ++p) sums[p] = padd(even[p], odd[p]);
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
