/// \file
/// Pooling on the CPU, forward and backward.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/pool_windows.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Whether windows are disjoint.
inline bool are_apart(const Window2D& window) {
    const auto apart = [](const WindowAxis& axis) { return axis.stride >= axis.extent(); };
    return apart(window.rows) && apart(window.columns);
}

/// Whether disjoint windows cover all elements.
inline bool cover(const Window2D& window) {
    const auto covers = [](const WindowAxis& axis) {
        return axis.stride == axis.window && axis.output * axis.stride - axis.before >= axis.input;
    };
    return covers(window.rows) && covers(window.columns);
}

/// The windows that hold an element of the axis, at most.
inline Index holders(const WindowAxis& axis) {
    return (std::min)({axis.output, axis.window, (axis.extent() + axis.stride - 1) / axis.stride});
}

/// for_each_gradient of elements that many windows hold. Windows are taken in blocks, of which an
/// element gets at most sum_block numbers. They add to an image of their own, which is then added to
/// that of dx. Of n windows an element gets those of at most 2 + n / 85 blocks.
template <class Scalar, class Spread>
WEFT_NOINLINE void add_in_blocks(Cpu& cpu, const Window2D& window, TensorView<Scalar> dx,
                                 const Spread& spread) {
    constexpr Index most = weft::detail::sum_block;
    const WindowAxis &rows = window.rows, &columns = window.columns;
    const Index held = (std::min)(holders(columns), most), block_rows = most / held;
    const Index block_columns = holders(columns) > most ? most : columns.output;
    const Index row_size = columns.input * window.channels, images = dx.shape()[0];
    const auto scratch = cpu.scratch<Scalar>(cpu.threads() * window.input_size());
    parallel_for(cpu, images, [&](Index image, int worker) {
        Scalar* const sums = dx.data() + image * window.input_size();
        Scalar* const part = scratch.data() + worker * window.input_size();
        std::fill_n(sums, window.input_size(), Scalar(0));
        for (Index top = 0; top < rows.output; top += block_rows) {
            const Index bottom = (std::min)(rows.output, top + block_rows);
            const Index first = std::clamp(top * rows.stride - rows.before, Index{0}, rows.input);
            const Index behind = (bottom - 1) * rows.stride - rows.before + rows.extent();
            const Index begin = first * row_size;
            const Index end = std::clamp(behind, first, rows.input) * row_size;
            for (Index left = 0; left < columns.output; left += block_columns) {
                const Index right = (std::min)(columns.output, left + block_columns);
                std::fill(part + begin, part + end, Scalar(0));
                for (Index row = top; row < bottom; ++row) {
                    const InsideTaps::Axis of_row(rows, row);
                    Index offset = (image * rows.output + row) * columns.output + left;
                    for (Index column = left; column < right; ++column, ++offset) {
                        spread(part, InsideTaps(window, of_row, column), offset * window.channels,
                               /*adds=*/true);
                    }
                }
                for (Index i = begin; i < end; ++i) sums[i] += part[i];
            }
        }
    });
}

/// Calls spread(pixels, taps, offset, adds) for each window of dx, as for_each_position: pixels are
/// its image, and adds is whether windows overlap, so that they add to what is there. What no window
/// writes, or what is added to, is 0 first.
template <class Scalar, class Spread>
EIGEN_ALWAYS_INLINE void for_each_gradient(Cpu& cpu, const Window2D& window, TensorView<Scalar> dx,
                                           const Spread& spread) {
    const bool adds = !are_apart(window);
    if (adds && holders(window.rows) * holders(window.columns) > weft::detail::sum_block) {
        return add_in_blocks<Scalar>(cpu, window, dx, spread);
    }
    Scalar* const cleared = adds || !cover(window) ? dx.data() : nullptr;
    for_each_position<Scalar>(
        cpu, window, dx.shape()[0], cleared,
        [&](Index image, const auto& inside, Index offset) WEFT_INLINE_LAMBDA {
            spread(dx.data() + image * window.input_size(), inside, offset, adds);
        });
}

/// average_pool_forward of windows of many taps.
template <class Scalar>
WEFT_NOINLINE void average_many(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                                TensorView<Scalar> y) {
    for_each_position<Scalar>(
        cpu, window, x.shape()[0], nullptr,
        [&](Index image, const InsideTaps& inside, Index offset) WEFT_INLINE_LAMBDA {
            const TapGrid grid(inside);
            const Scalar* const first = x.data() + image * window.input_size() + grid.first;
            for_each_block<Scalar>(window.channels, [&](Index c, auto packets, auto size) {
                Packet<Scalar> sums[std::size_t{packets}];
                sum_grid<packets>(inside.rows.count(), inside.columns.count(), grid, first + c,
                                  size, sums);
                for (Index p = 0; p < packets; ++p) {
                    store_up_to(y.data() + offset + c + p * packet_size<Scalar>,
                                share<Scalar>(sums[p], inside), size);
                }
            });
        });
}

}  // namespace detail

/// y = the largest of each window, channel by channel; NaN where there is one. taps, unless null,
/// receives for max_pool_backward which tap it came from, the first of equals. Tap is a type that
/// holds all numbers of taps.
///
///   x (N, H, W, C)   y, taps (N, OH, OW, C)
template <class Scalar, class Tap>
void max_pool_forward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                      TensorView<Scalar> y, Tap* taps) {
    constexpr Index step = detail::packet_size<Scalar>;
    detail::for_each_position<Scalar>(
        cpu, window, x.shape()[0], nullptr,
        [&](Index image, const auto& inside, Index offset) WEFT_INLINE_LAMBDA {
            const Scalar* const pixels = x.data() + image * window.input_size();
            detail::for_each_block<Scalar>(window.channels, [&](Index c, auto packets,
                                                                auto size) WEFT_INLINE_LAMBDA {
                detail::Packet<Scalar> best[std::size_t{packets}], from[std::size_t{packets}];
                bool is_first = true;
                inside.for_each([&](Index tap, Index pixel) WEFT_INLINE_LAMBDA {
                    const auto number = detail::broadcast(static_cast<Scalar>(tap));
                    detail::unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                        const auto value = detail::load_up_to(pixels + pixel + c + p * step, size);
                        if (is_first) {
                            best[p] = value;
                            from[p] = number;
                            return;
                        }
                        detail::take_larger<Scalar>(value, number, best[p], from[p]);
                    });
                    is_first = false;
                });
                detail::unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                    detail::store_up_to(y.data() + offset + c + p * step, best[p], size);
                });
                if (taps == nullptr) return;
                detail::store_taps<Scalar>(window, from, packets, size, taps + offset + c);
            });
        });
}

/// dx = dy added up at the elements that max_pool_forward took, 0 elsewhere. With a y, only where y
/// is above 0: then dx is the gradient in front of a relu whose output was pooled. An element adds
/// the gradients of the n windows that hold it, up to 256 one after another, more in blocks: off by
/// at most (min(n, 256) + 2 + n / 85) u sum |dy|, u = eps / 2.
template <class Scalar, class Tap>
void max_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> y,
                       TensorView<const Scalar> dy, const Tap* taps, TensorView<Scalar> dx) {
    constexpr Index step = detail::packet_size<Scalar>;
    const auto zero = detail::broadcast(Scalar(0));
    detail::for_each_gradient<Scalar>(
        cpu, window, dx,
        [&](Scalar* pixels, const auto& inside, Index offset, bool adds) WEFT_INLINE_LAMBDA {
            detail::for_each_block<Scalar>(window.channels, [&](Index c, auto packets,
                                                                auto size) WEFT_INLINE_LAMBDA {
                detail::Packet<Scalar> from[std::size_t{packets}], gradient[std::size_t{packets}];
                detail::load_taps<Scalar>(window, taps + offset + c, packets, size, from);
                detail::unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                    const Index i = offset + c + p * step;
                    gradient[p] = detail::load_up_to(dy.data() + i, size);
                    if (!y) return;
                    const auto output = detail::load_up_to(y.data() + i, size);
                    gradient[p] = pselect(pcmp_lt(zero, output), gradient[p], zero);
                });
                inside.for_each([&](Index tap, Index pixel) WEFT_INLINE_LAMBDA {
                    const auto number = detail::broadcast(static_cast<Scalar>(tap));
                    detail::unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                        Scalar* const target = pixels + pixel + c + p * step;
                        auto sum = pselect(pcmp_eq(from[p], number), gradient[p], zero);
                        if (adds) sum = padd(detail::load_up_to<Scalar>(target, size), sum);
                        detail::store_up_to(target, sum, size);
                    });
                });
            });
        });
}

/// y = the mean of each window, channel by channel, over the taps inside the image, their sum with
/// the bound of sum_grid.
///
///   x (N, H, W, C)   y (N, OH, OW, C)
template <class Scalar>
void average_pool_forward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                          TensorView<Scalar> y) {
    if (window.taps() > weft::detail::sum_block) return detail::average_many(cpu, window, x, y);
    constexpr Index step = detail::packet_size<Scalar>;
    detail::for_each_position<Scalar>(
        cpu, window, x.shape()[0], nullptr,
        [&](Index image, const auto& inside, Index offset) WEFT_INLINE_LAMBDA {
            const Scalar* const pixels = x.data() + image * window.input_size();
            detail::for_each_block<Scalar>(window.channels, [&](Index c, auto packets,
                                                                auto size) WEFT_INLINE_LAMBDA {
                detail::Packet<Scalar> sums[std::size_t{packets}];
                for (auto& sum : sums) sum = detail::broadcast(Scalar(0));
                inside.for_each([&](Index, Index pixel) WEFT_INLINE_LAMBDA {
                    detail::unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                        const auto value = detail::load_up_to(pixels + pixel + c + p * step, size);
                        sums[p] = padd(sums[p], value);
                    });
                });
                detail::unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                    detail::store_up_to(y.data() + offset + c + p * step,
                                        detail::share<Scalar>(sums[p], inside), size);
                });
            });
        });
}

/// dx = each dy, divided by the number of taps inside the image, at every one of them. Where
/// windows overlap, sums have the bound of max_pool_backward, and one rounding more.
template <class Scalar>
void average_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> dy,
                           TensorView<Scalar> dx) {
    constexpr Index step = detail::packet_size<Scalar>;
    const auto zero = detail::broadcast(Scalar(0));
    detail::for_each_gradient<Scalar>(
        cpu, window, dx,
        [&](Scalar* pixels, const auto& inside, Index offset, bool adds) WEFT_INLINE_LAMBDA {
            const Scalar* const gradient = dy.data() + offset;
            detail::for_each_block<Scalar>(
                window.channels, [&](Index c, auto packets, auto size) WEFT_INLINE_LAMBDA {
                    detail::Packet<Scalar> shares[std::size_t{packets}];
                    detail::unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                        shares[p] = detail::share<Scalar>(
                            detail::load_up_to(gradient + c + p * step, size), inside);
                    });
                    inside.for_each([&](Index, Index pixel) WEFT_INLINE_LAMBDA {
                        detail::unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                            Scalar* const target = pixels + pixel + c + p * step;
                            const auto sum = adds ? detail::load_up_to<Scalar>(target, size) : zero;
                            detail::store_up_to(target, padd(sum, shares[p]), size);
                        });
                    });
                });
        });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
