/// \file
/// Max pooling on the CPU that takes along a batch norm before it and dropout behind it.
#pragma once

#include "weft/kernels/cpu/batch_norm.hpp"
#include "weft/kernels/cpu/dropout.hpp"
#include "weft/kernels/cpu/pooling.hpp"
#include "weft/kernels/normalizing.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// sum dy and sum dy (x - mean) over the rows [begin, end) of a batch norm, pixels of images, row by
/// row. Each is in one window of the pooling behind. sums: (2, C).
template <class Scalar>
WEFT_NOINLINE void sum_taken(const Window2D& window, Index begin, Index end, const Scalar* x,
                             const Scalar* dy, const std::uint8_t* taps, const Scalar* mean,
                             Scalar scale, Scalar* sums) {
    constexpr Index step = packet_size<Scalar>;
    const WindowAxis &rows = window.rows, &columns = window.columns;
    const auto each = [&](Index c, auto packets, auto size) WEFT_INLINE_LAMBDA {
        Packet<Scalar> sum[std::size_t{packets}], product[std::size_t{packets}];
        for (Index p = 0; p < packets; ++p) sum[p] = product[p] = broadcast(Scalar(0));
        // Row by row of an image, or the part of it within these rows.
        for (Index pixel = begin; pixel < end;) {
            const Index row = pixel / columns.input, column = pixel % columns.input;
            const Index stop = (std::min)(end, pixel - column + columns.input);
            const Index in_rows = row % rows.input + rows.before;
            const Index in_columns = column + columns.before;
            Index o = (row / rows.input * rows.output + in_rows / rows.window) * columns.output;
            o = (o + in_columns / columns.window) * window.channels + c;
            for (Index j = in_columns % columns.window; pixel < stop; j = 0, o += window.channels) {
                Packet<Scalar> from[std::size_t{packets}], gradient[std::size_t{packets}];
                load_taps<Scalar>(window, taps + o, packets, size, from);
                unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                    gradient[p] = pmul(load_up_to(dy + o + p * step, size), broadcast(scale));
                });
                for (; j < columns.window && pixel < stop; ++j, ++pixel) {
                    const Index tap = in_rows % rows.window * columns.window + j;
                    const auto number = broadcast(static_cast<Scalar>(tap));
                    const Scalar* const from_x = x + pixel * window.channels + c;
                    unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                        const auto g = pand(pcmp_eq(from[p], number), gradient[p]);
                        const auto value = load_up_to(from_x + p * step, size);
                        const auto center = load_up_to(mean + c + p * step, size);
                        sum[p] = padd(sum[p], g);
                        product[p] = pmadd(g, psub(value, center), product[p]);
                    });
                }
            }
        }
        unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
            store_up_to(sums + c + p * step, sum[p], size);
            store_up_to(sums + window.channels + c + p * step, product[p], size);
        });
    };
    for_each_block<Scalar>(window.channels, each);
}

}  // namespace detail

/// y = max_pool_forward of the batch norm of x, with dropout if there is any. It leaves the moments of x
/// as batch_norm_forward, unless they are there; and as the tap of an output that was dropped
/// window.taps(), so of these there are fewer than 256. No number is chosen by x, but by its batch norm:
/// y and taps are those of the parts also where rounding makes different x equal. A device that
/// chooses by x, as it may, keeps in `chosen` what it chose.
template <class Scalar>
void max_pool_forward_normalizing(Cpu& cpu, const Window2D& window, const Normalizing<Scalar>& norm,
                                  const Dropping& dropping, TensorView<const Scalar> x,
                                  TensorView<Scalar> y, std::uint8_t* taps, Scalar* /*chosen*/) {
    using namespace detail;
    constexpr Index step = packet_size<Scalar>;
    const Index channels = window.channels, row_size = window.columns.output * channels;
    const Scalar* mean = norm.mean;
    if (norm.given_mean != nullptr) {
        mean = norm.given_mean;
        for (Index c = 0; c < channels; ++c) {
            norm.inverse_deviation[c] = 1 / std::sqrt(norm.given_variance[c] + norm.epsilon);
        }
    } else if (!norm.has_moments) {
        normalize<Scalar>(cpu, norm, x, {nullptr, x.shape()});  // a new shape might throw
    }
    // What elements of a row of the output are multiplied by, for each thread.
    const Draws<Scalar> draws(dropping);
    const auto scratch = cpu.scratch<Scalar>(cpu.threads() * row_size);
    Scalar* const factors = scratch.data();
    const auto zero = broadcast(Scalar(0)), dropped = broadcast(Scalar(window.taps()));
    parallel_for(cpu, x.shape()[0] * window.rows.output, [&](Index task, int worker) {
        Scalar* const own = factors + worker * row_size;
        if (dropping) draws.factors(task * row_size, (task + 1) * row_size, own);
        const Index image = task / window.rows.output;
        const Scalar* const pixels = x.data() + image * window.input_size();
        const auto pool = [&](Index, const auto& inside, Index offset) WEFT_INLINE_LAMBDA {
            const auto each = [&](Index c, auto packets, auto size) WEFT_INLINE_LAMBDA {
                Packet<Scalar> best[std::size_t{packets}], from[std::size_t{packets}];
                bool is_first = true;
                inside.for_each([&](Index tap, Index pixel) WEFT_INLINE_LAMBDA {
                    const auto number = broadcast(static_cast<Scalar>(tap));
                    unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                        const Index i = c + p * step;
                        const PacketNorm<Scalar> of(norm, mean, norm.inverse_deviation, i, size);
                        const auto value = of(load_up_to(pixels + pixel + i, size));
                        if (is_first) {
                            best[p] = value;
                            from[p] = number;
                            return;
                        }
                        take_larger<Scalar>(value, number, best[p], from[p]);
                    });
                    is_first = false;
                });
                unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                    const Index i = offset + c + p * step;
                    if (dropping) {
                        const auto factor = load_up_to(own + i - task * row_size, size);
                        const auto drops = pcmp_eq(factor, zero);
                        best[p] = pselect(drops, zero, pmul(best[p], factor));
                        from[p] = pselect(drops, dropped, from[p]);
                    }
                    store_up_to(y.data() + i, best[p], size);
                });
                store_taps<Scalar>(window, from, packets, size, taps + offset + c);
            };
            for_each_block<Scalar>(channels, each);
        };
        for_each_in_row(window, image, task % window.rows.output, pool);
    });
}

/// Its gradient with respect to x, or with x_is_relu in front of the relu that x came out of, and those
/// of gamma and beta, with the sums of batch_norm_backward. dy may be written over.
template <class Scalar>
void max_pool_backward_normalizing(Cpu& cpu, const Window2D& window,
                                   const Normalizing<Scalar>& norm, const Dropping& dropping,
                                   bool x_is_relu, TensorView<const Scalar> x,
                                   TensorView<Scalar> dy, const std::uint8_t* taps,
                                   const Scalar* /*chosen*/, TensorView<Scalar> dx) {
    using namespace detail;
    constexpr Index step = packet_size<Scalar>, block_rows = rows_to_sum;
    const Index channels = window.channels, rows = x.size() / channels;
    const Scalar scale = Draws<Scalar>(dropping).scale;
    if (!are_apart(window) || !cover(window)) {
        if (dropping) scale_and_offset<Scalar>(cpu, dy, scale, Scalar(0), dy);
        max_pool_backward<Scalar>(cpu, window, TensorView<const Scalar>(nullptr, dy.shape()), dy,
                                  taps, dx);
        return batch_norm_backward<Scalar>(cpu, norm, x, dx, x_is_relu, dx);
    }
    const Index blocks = blocks_of(rows, block_rows);
    const auto scratch = cpu.scratch<Scalar>((2 * blocks + 3) * channels);
    Scalar* const sums = scratch.data();
    parallel_for(cpu, blocks, [&](Index block, int) {
        const Index begin = block * block_rows, end = (std::min)(rows, begin + block_rows);
        sum_taken<Scalar>(window, begin, end, x.data(), dy.data(), taps, norm.mean, scale,
                          sums + 2 * block * channels);
    });
    const NormSlope<Scalar> slope(norm, rows, channels, blocks, sums, x_is_relu);
    for_each_position<Scalar>(
        cpu, window, x.shape()[0], nullptr,
        [&](Index image, const auto& inside, Index offset) WEFT_INLINE_LAMBDA {
            const Scalar* const pixels = x.data() + image * window.input_size();
            Scalar* const gradients = dx.data() + image * window.input_size();
            const auto each = [&, own = slope](Index c, auto packets,
                                               auto size) WEFT_INLINE_LAMBDA {
                Packet<Scalar> from[std::size_t{packets}], gradient[std::size_t{packets}];
                load_taps<Scalar>(window, taps + offset + c, packets, size, from);
                const Scalar* const from_dy = dy.data() + offset + c;
                unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                    gradient[p] = pmul(load_up_to(from_dy + p * step, size), broadcast(scale));
                });
                inside.for_each([&](Index tap, Index pixel) WEFT_INLINE_LAMBDA {
                    const auto number = broadcast(static_cast<Scalar>(tap));
                    unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
                        const Index i = c + p * step;
                        const auto g = pand(pcmp_eq(from[p], number), gradient[p]);
                        const auto value = load_up_to(pixels + pixel + i, size);
                        store_up_to(gradients + pixel + i, own.at(i, size, value, g), size);
                    });
                });
            };
            for_each_block<Scalar>(channels, each);
        });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
