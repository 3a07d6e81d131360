/// \file
/// Loops of pools over their windows, and the storage of max pooling's taps.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/kernels/cpu/window_taps.hpp"

#include <cstdint>
#include <cstring>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// The taps of a window of 2 x 2 that lies inside the image, as InsideTaps: without loops.
struct FourTaps {
    template <class Tap>
    EIGEN_ALWAYS_INLINE void for_each(const Tap& tap) const {
        tap(0, first);
        tap(1, first + channels);
        tap(2, first + row_size);
        tap(3, first + row_size + channels);
    }

    Index first, row_size, channels;
};

/// x / taps.count(): of four by a product, which has the same bits.
template <class Scalar, class Taps>
EIGEN_ALWAYS_INLINE Packet<Scalar> share(const Packet<Scalar>& x, const Taps& taps) {
    if constexpr (std::is_same_v<Taps, FourTaps>) {
        return pmul(x, broadcast(Scalar(0.25)));
    } else {
        return pdiv(x, broadcast(static_cast<Scalar>(taps.count())));
    }
}

/// Calls position(image, taps, offset) for the output positions of a row of an image: taps are those of
/// its window inside the image, FourTaps or InsideTaps, offset is where its channels lie in the output.
template <class Position>
EIGEN_ALWAYS_INLINE void for_each_in_row(const Window2D& window, Index image, Index row,
                                         const Position& position) {
    const bool are_four = window.rows.window == 2 && window.columns.window == 2 &&
                          window.rows.dilation == 1 && window.columns.dilation == 1;
    Index offset = (image * window.rows.output + row) * window.columns.output * window.channels;
    const InsideTaps::Axis rows(window.rows, row);
    for (Index column = 0; column < window.columns.output; ++column, offset += window.channels) {
        const InsideTaps taps(window, rows, column);
        if constexpr (std::is_invocable_v<const Position&, Index, FourTaps, Index>) {
            if (are_four && taps.count() == 4) {
                position(image, FourTaps{TapGrid(taps).first, taps.row_size, taps.column_size},
                         offset);
                continue;
            }
        }
        position(image, taps, offset);
    }
}

/// The same for all images, images in parallel. Zeroes the images at `cleared` first, each just before
/// its positions, unless that is null.
template <class Scalar, class Position>
void for_each_position(Cpu& cpu, const Window2D& window, Index images, Scalar* cleared,
                       const Position& position) {
    parallel_for(cpu, images, [&](Index image, int) {
        if (cleared != nullptr) {
            std::fill_n(cleared + image * window.input_size(), window.input_size(), Scalar(0));
        }
        for (Index row = 0; row < window.rows.output; ++row) {
            for_each_in_row(window, image, row, position);
        }
    });
}

/// Takes a value, and its number, for the largest so far if it is larger, or not a number.
template <class Scalar>
EIGEN_ALWAYS_INLINE void take_larger(const Packet<Scalar>& value, const Packet<Scalar>& number,
                                     Packet<Scalar>& largest, Packet<Scalar>& from) {
    const auto keeps = pandnot(pcmp_eq(value, value), pcmp_lt(largest, value));
    largest = pselect(keeps, largest, value);
    from = pselect(keeps, from, number);
}

/// Calls body(p) for each packet of a block, without a loop: packets in a register each, not in memory.
template <Index packets, class Body>
EIGEN_ALWAYS_INLINE void unrolled(const Body& body) {
    if constexpr (packets == 1) {
        body(0);
    } else {
        static_assert(packets == 4);
        body(0);
        body(1);
        body(2);
        body(3);
    }
}

/// Calls body(c, packets, size) for blocks of channels from c on: of four packets, which lie in the
/// same lines of memory or the next, then of one, then of the size < packet_size that is left.
template <class Scalar, class Body>
EIGEN_ALWAYS_INLINE void for_each_block(Index channels, const Body& body) {
    constexpr std::integral_constant<Index, packet_size<Scalar>> whole;
    Index c = 0;
    for (; c + 4 * whole <= channels; c += 4 * whole) {
        body(c, std::integral_constant<Index, 4>{}, whole);
    }
    for_each_packet<Scalar>(channels - c, [&](Index more, auto size) WEFT_INLINE_LAMBDA {
        body(c + more, std::integral_constant<Index, 1>{}, size);
    });
}

// The numbers of the taps that a block of channels came from, in packets of Scalar, to and from
// memory that holds one Tap for each channel.

/// Whether the numbers of four packets fill that memory as one packet: as the digits, to base 64, of
/// one number, for which a float has its 24 bits. Of windows of fewer than 64 taps: one number more is
/// for what was dropped.
template <class Scalar, class Tap, Index packets>
inline constexpr bool are_digits = packets == 4 && sizeof(Scalar) == 4 * sizeof(Tap);
inline constexpr Index tap_base = 64;

/// The loops in two steps, through 32-bit integers, are ones that compilers turn into vector
/// instructions.
template <class Scalar, class Packets, class Size, class Tap>
EIGEN_ALWAYS_INLINE void store_taps(const Window2D& window, const Packet<Scalar>* numbers,
                                    Packets packets, Size size, Tap* taps) {
    constexpr Index step = packet_size<Scalar>;
    if constexpr (are_digits<Scalar, Tap, packets>) {
        if (window.taps() < tap_base) {
            const auto base = broadcast(static_cast<Scalar>(tap_base));
            auto digits = numbers[3];
            for (Index p = 2; p >= 0; --p) {
                digits = pmadd(digits, base, numbers[p]);
            }
            std::memcpy(taps, &digits, sizeof digits);
            return;
        }
    }
    unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
        Scalar values[std::size_t{step}];
        std::int32_t integers[std::size_t{step}];
        store(values, numbers[p]);
        for (Index i = 0; i < step; ++i) integers[i] = static_cast<std::int32_t>(values[i]);
        for (Index i = 0; i < size; ++i) taps[p * step + i] = static_cast<Tap>(integers[i]);
    });
}

template <class Scalar, class Packets, class Size, class Tap>
EIGEN_ALWAYS_INLINE void load_taps(const Window2D& window, const Tap* taps, Packets packets,
                                   Size size, Packet<Scalar>* numbers) {
    constexpr Index step = packet_size<Scalar>;
    if constexpr (are_digits<Scalar, Tap, packets>) {
        if (window.taps() < tap_base) {
            const auto base = broadcast(static_cast<Scalar>(tap_base));
            const auto part = broadcast(1 / static_cast<Scalar>(tap_base));
            std::memcpy(numbers, taps, sizeof *numbers);
            for (Index p = 0; p < 3; ++p) {
                numbers[p + 1] = pfloor(pmul(numbers[p], part));
                numbers[p] = psub(numbers[p], pmul(numbers[p + 1], base));
            }
            return;
        }
    }
    unrolled<packets>([&](Index p) WEFT_INLINE_LAMBDA {
        Scalar values[std::size_t{step}];
        std::int32_t integers[std::size_t{step}] = {};
        for (Index i = 0; i < size; ++i) integers[i] = taps[p * step + i];
        for (Index i = 0; i < step; ++i) values[i] = static_cast<Scalar>(integers[i]);
        numbers[p] = load(values);
    });
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
