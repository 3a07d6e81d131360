/// \file
/// Pooling on the CPU, forward and backward.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/window_taps.hpp"

#include <cstdint>
#include <limits>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Calls position(image, inside, offset) for the output positions of all images, images in
/// parallel; inside are the taps of its window, offset is where its channels lie in the output.
template <class Position>
void for_each_position(Cpu& cpu, const Window2D& window, Index images, const Position& position) {
    parallel_for(cpu, images, [&](Index image, int) {
        Index offset = image * window.positions() * window.channels;
        for (Index row = 0; row < window.rows.output; ++row) {
            const InsideTaps::Axis rows(window.rows, row);
            for (Index column = 0; column < window.columns.output; ++column) {
                position(image, InsideTaps(window, rows, column), offset);
                offset += window.channels;
            }
        }
    });
}

/// Numbers of taps, in packets of Scalar, to and from memory. The loops in two steps, through
/// 32-bit integers, are ones that compilers turn into vector instructions.
template <class Scalar, class Size, class Tap>
EIGEN_ALWAYS_INLINE void store_taps(const Packet<Scalar>& numbers, Size size, Tap* taps) {
    constexpr Index step = packet_size<Scalar>;
    Scalar values[std::size_t{step}];
    std::int32_t integers[std::size_t{step}];
    store(values, numbers);
    for (Index i = 0; i < step; ++i) integers[i] = static_cast<std::int32_t>(values[i]);
    for (Index i = 0; i < size; ++i) taps[i] = static_cast<Tap>(integers[i]);
}

template <class Scalar, class Size, class Tap>
EIGEN_ALWAYS_INLINE Packet<Scalar> load_taps(const Tap* taps, Size size) {
    constexpr Index step = packet_size<Scalar>;
    Scalar values[std::size_t{step}];
    std::int32_t integers[std::size_t{step}] = {};
    for (Index i = 0; i < size; ++i) integers[i] = taps[i];
    for (Index i = 0; i < step; ++i) values[i] = static_cast<Scalar>(integers[i]);
    return load(values);
}

/// Whether no element is in two windows.
inline bool are_apart(const Window2D& window) {
    const auto apart = [](const WindowAxis& axis) { return axis.stride >= axis.extent(); };
    return apart(window.rows) && apart(window.columns);
}

/// Whether windows that are apart leave no element out.
inline bool cover(const Window2D& window) {
    const auto covers = [](const WindowAxis& axis) {
        return axis.stride == axis.window && axis.output * axis.stride - axis.before >= axis.input;
    };
    return covers(window.rows) && covers(window.columns);
}

/// average_pool_forward of windows of many taps.
template <class Scalar>
WEFT_NOINLINE void average_many(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                                TensorView<Scalar> y) {
    for_each_position(
        cpu, window, x.shape()[0],
        [&](Index image, const detail::InsideTaps& inside, Index offset) WEFT_INLINE_LAMBDA {
            const TapGrid grid(inside);
            const Scalar* const first = x.data() + image * window.input_size() + grid.first;
            const auto count = broadcast(static_cast<Scalar>(inside.count()));
            const auto average = [&]<Index packets>(std::integral_constant<Index, packets>, Index c,
                                                    auto size) {
                Packet<Scalar> sums[std::size_t{packets}];
                sum_grid<packets>(inside.rows.count(), inside.columns.count(), grid, first + c,
                                  size, sums);
                for (Index p = 0; p < packets; ++p) {
                    store_up_to(y.data() + offset + c + p * packet_size<Scalar>,
                                Eigen::internal::pdiv(sums[p], count), size);
                }
            };
            // Several packets at once: they lie in the same lines of memory, or the next.
            constexpr std::integral_constant<Index, packet_size<Scalar>> whole;
            Index c = 0;
            const auto many = [&](auto packets) {
                for (; c + packets * whole <= window.channels; c += packets * whole) {
                    average(packets, c, whole);
                }
            };
            many(std::integral_constant<Index, 4>{});
            many(std::integral_constant<Index, 2>{});
            for_each_packet<Scalar>(window.channels - c, [&](Index more, auto size) {
                average(std::integral_constant<Index, 1>{}, c + more, size);
            });
        });
}

template <class Scalar>
WEFT_NOINLINE void fill_images(Cpu& cpu, const Window2D& window, TensorView<Scalar> x) {
    parallel_ranges(cpu, x.size(), window.input_size(), [&](Index begin, Index end) {
        std::fill(x.data() + begin, x.data() + end, Scalar(0));
    });
}

}  // namespace detail

/// y = the largest of each window, channel by channel; NaN where there is one. taps, unless null,
/// receives the number of the tap that it came from, the first of equals. Tap is a type that holds
/// all numbers of taps.
///
///   x (N, H, W, C)   y, taps (N, OH, OW, C)
template <class Scalar, class Tap>
void max_pool_forward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                      TensorView<Scalar> y, Tap* taps) {
    using namespace Eigen::internal;
    detail::for_each_position(
        cpu, window, x.shape()[0],
        [&](Index image, const detail::InsideTaps& inside, Index offset) WEFT_INLINE_LAMBDA {
            const Scalar* const pixels = x.data() + image * window.input_size();
            detail::for_each_packet<Scalar>(
                window.channels, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                    auto best = detail::broadcast(-std::numeric_limits<Scalar>::infinity());
                    auto best_tap = detail::broadcast(Scalar(0));
                    bool is_first = true;
                    inside.for_each([&](Index tap, Index pixel) WEFT_INLINE_LAMBDA {
                        const auto value = detail::load_up_to(pixels + pixel + c, size);
                        const auto number = detail::broadcast(static_cast<Scalar>(tap));
                        const auto keeps = pandnot(pcmp_eq(value, value), pcmp_lt(best, value));
                        best = pselect(keeps, best, value);
                        best_tap = is_first ? number : pselect(keeps, best_tap, number);
                        is_first = false;
                    });
                    detail::store_up_to(y.data() + offset + c, best, size);
                    if (taps == nullptr) return;
                    detail::store_taps<Scalar>(best_tap, size, taps + offset + c);
                });
        });
}

/// dx = dy added up at the elements that max_pool_forward took, 0 elsewhere. With a y, only where y
/// is above 0: then dx is the gradient in front of a relu whose output was pooled. An element adds
/// the gradients of the windows that hold it one after another, one for each tap at most: off by at
/// most (taps - 1) u sum |dy|, u = eps / 2, which for windows of up to 16 x 16 taps is the bound of
/// other sums, and for 62 x 62, one apart, 2.3e-4 of sum |dy| in float.
template <class Scalar, class Tap>
void max_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> y,
                       TensorView<const Scalar> dy, const Tap* taps, TensorView<Scalar> dx) {
    using namespace Eigen::internal;
    const auto zero = detail::broadcast(Scalar(0));
    const bool adds = !detail::are_apart(window);
    if (adds || !detail::cover(window)) detail::fill_images(cpu, window, dx);
    detail::for_each_position(
        cpu, window, dy.shape()[0],
        [&](Index image, const detail::InsideTaps& inside, Index offset) WEFT_INLINE_LAMBDA {
            Scalar* const pixels = dx.data() + image * window.input_size();
            detail::for_each_packet<Scalar>(
                window.channels, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                    auto gradient = detail::load_up_to(dy.data() + offset + c, size);
                    if (y) {
                        const auto output = detail::load_up_to(y.data() + offset + c, size);
                        gradient = pselect(pcmp_lt(zero, output), gradient, zero);
                    }
                    const auto from = detail::load_taps<Scalar>(taps + offset + c, size);
                    inside.for_each([&](Index tap, Index pixel) WEFT_INLINE_LAMBDA {
                        Scalar* const target = pixels + pixel + c;
                        const auto number = detail::broadcast(static_cast<Scalar>(tap));
                        auto sum = pselect(pcmp_eq(from, number), gradient, zero);
                        if (adds) sum = padd(detail::load_up_to<Scalar>(target, size), sum);
                        detail::store_up_to(target, sum, size);
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
    using namespace Eigen::internal;
    if (window.taps() > weft::detail::sum_block) return detail::average_many(cpu, window, x, y);
    detail::for_each_position(
        cpu, window, x.shape()[0],
        [&](Index image, const detail::InsideTaps& inside, Index offset) WEFT_INLINE_LAMBDA {
            const Scalar* const pixels = x.data() + image * window.input_size();
            const auto count = detail::broadcast(static_cast<Scalar>(inside.count()));
            detail::for_each_packet<Scalar>(
                window.channels, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                    auto sum = detail::broadcast(Scalar(0));
                    inside.for_each([&](Index, Index pixel) WEFT_INLINE_LAMBDA {
                        sum = padd(sum, detail::load_up_to(pixels + pixel + c, size));
                    });
                    detail::store_up_to(y.data() + offset + c, pdiv(sum, count), size);
                });
        });
}

/// dx = each dy, divided by the number of taps inside the image, at every one of them. Where
/// windows overlap, sums have the bound of max_pool_backward, and one rounding more.
template <class Scalar>
void average_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> dy,
                           TensorView<Scalar> dx) {
    using namespace Eigen::internal;
    detail::fill_images(cpu, window, dx);
    detail::for_each_position(
        cpu, window, dy.shape()[0],
        [&](Index image, const detail::InsideTaps& inside, Index offset) WEFT_INLINE_LAMBDA {
            Scalar* const pixels = dx.data() + image * window.input_size();
            const Scalar* const gradient = dy.data() + offset;
            const auto count = detail::broadcast(static_cast<Scalar>(inside.count()));
            detail::for_each_packet<Scalar>(
                window.channels, [&](Index c, auto size) WEFT_INLINE_LAMBDA {
                    const auto share = pdiv(detail::load_up_to(gradient + c, size), count);
                    inside.for_each([&](Index, Index pixel) WEFT_INLINE_LAMBDA {
                        Scalar* const target = pixels + pixel + c;
                        const auto sum = padd(detail::load_up_to<Scalar>(target, size), share);
                        detail::store_up_to(target, sum, size);
                    });
                });
        });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
