/// \file
/// Packets: Eigen's portable vector registers, and loops over them.
#pragma once

#include "weft/config.hpp"
#include "weft/core/shape.hpp"
#include "weft/core/summation.hpp"

#include <Eigen/Core>
#include <algorithm>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

// Arithmetic of packets, by Eigen's names. No other header says Eigen::internal.
using Eigen::internal::padd, Eigen::internal::psub, Eigen::internal::pmul, Eigen::internal::pdiv,
    Eigen::internal::pmadd, Eigen::internal::pnegate, Eigen::internal::pfloor,
    Eigen::internal::pmax, Eigen::internal::pand, Eigen::internal::pandnot,
    Eigen::internal::pcmp_eq, Eigen::internal::pcmp_lt, Eigen::internal::pselect,
    Eigen::internal::pfirst;

namespace detail {

/// The number of blocks of a size that cover `count` elements, and the elements of all of them.
constexpr Index blocks_of(Index size, Index block) { return (size + block - 1) / block; }
constexpr Index round_up(Index size, Index block) { return blocks_of(size, block) * block; }

/// The widest vector register of the instruction set for Scalar; a plain Scalar where there is
/// none.
template <class Scalar>
using Packet = typename Eigen::internal::packet_traits<Scalar>::type;

template <class Scalar>
inline constexpr Index packet_size = Eigen::internal::unpacket_traits<Packet<Scalar>>::size;

/// Whether tanh() below takes packets.
template <class Scalar>
inline constexpr bool has_packet_tanh = Eigen::internal::packet_traits<Scalar>::HasTanh;

template <class Scalar>
EIGEN_STRONG_INLINE Packet<Scalar> load(const Scalar* x) {
    return Eigen::internal::ploadu<Packet<Scalar>>(x);
}

template <class Scalar>
EIGEN_STRONG_INLINE Packet<Scalar> broadcast(Scalar x) {
    return Eigen::internal::pset1<Packet<Scalar>>(x);
}

template <class Scalar>
EIGEN_STRONG_INLINE void store(Scalar* y, const Packet<Scalar>& packet) {
    Eigen::internal::pstoreu(y, packet);
}

/// As many packets as each has lanes: a square that Eigen transposes.
template <class Scalar>
using PacketSquare =
    Eigen::internal::PacketBlock<Packet<Scalar>, static_cast<int>(packet_size<Scalar>)>;

/// A mask of the first count lanes, for the masked loads and stores that Eigen has for some
/// packets.
template <class Traits>
EIGEN_STRONG_INLINE auto first_lanes(Index count) {
    return static_cast<typename Traits::mask_t>((1u << count) - 1);
}

/// load_partial and store_partial where there are no masks, by way of memory.
template <class Scalar>
WEFT_NOINLINE Packet<Scalar> load_lanes(const Scalar* x, Index count) {
    Scalar lanes[packet_size<Scalar>] = {};
    std::copy_n(x, count, lanes);
    return load(lanes);
}
template <class Scalar>
WEFT_NOINLINE void store_lanes(Scalar* y, Packet<Scalar> packet, Index count) {
    Scalar lanes[packet_size<Scalar>];
    store(lanes, packet);
    std::copy_n(lanes, count, y);
}

/// The first count <= packet_size elements, the other lanes zero.
template <class Scalar>
EIGEN_STRONG_INLINE Packet<Scalar> load_partial(const Scalar* x, Index count) {
    using Traits = Eigen::internal::unpacket_traits<Packet<Scalar>>;
    if constexpr (Traits::masked_load_available) {
        return Eigen::internal::ploadu<Packet<Scalar>>(x, first_lanes<Traits>(count));
    } else {
        return load_lanes(x, count);
    }
}

/// Stores the first count <= packet_size lanes.
template <class Scalar>
EIGEN_STRONG_INLINE void store_partial(Scalar* y, const Packet<Scalar>& packet, Index count) {
    using Traits = Eigen::internal::unpacket_traits<Packet<Scalar>>;
    if constexpr (Traits::masked_store_available) {
        Eigen::internal::pstoreu(y, packet, first_lanes<Traits>(count));
    } else {
        store_lanes<Scalar>(y, packet, count);
    }
}

/// The first min(count, packet_size) elements, the other lanes zero; none for a count below 1.
template <class Scalar>
EIGEN_ALWAYS_INLINE Packet<Scalar> load_up_to(const Scalar* x, Index count) {
    return count >= packet_size<Scalar> ? load(x) : load_partial(x, (std::max<Index>)(count, 0));
}

/// Stores the first min(count, packet_size) lanes.
template <class Scalar>
EIGEN_ALWAYS_INLINE void store_up_to(Scalar* y, const Packet<Scalar>& packet, Index count) {
    if (count >= packet_size<Scalar>) return store(y, packet);
    store_partial(y, packet, count);
}

// Eigen's functions of many instructions. Flattened: compiled by themselves they would get the
// warnings that WEFT_PACKETS_BEGIN is for.

template <class Scalar>
WEFT_FLATTEN EIGEN_STRONG_INLINE Packet<Scalar> exp(const Packet<Scalar>& x) {
    return Eigen::internal::pexp(x);
}

template <class Scalar>
WEFT_FLATTEN EIGEN_STRONG_INLINE Packet<Scalar> tanh(const Packet<Scalar>& x) {
    return Eigen::internal::ptanh(x);
}

/// Correctly rounded. On x86, Eigen's own in float, and with AVX-512 in double, starts from the
/// processor's approximation of 1 / sqrt(x), whose bits differ from maker to maker.
template <class Scalar>
WEFT_FLATTEN EIGEN_STRONG_INLINE Packet<Scalar> square_root(const Packet<Scalar>& x) {
    constexpr bool is_float = std::is_same_v<Scalar, float>;  // clang would convert double to it
    if constexpr (is_float && requires { _mm512_sqrt_ps(x); }) {
        return _mm512_sqrt_ps(x);
    } else if constexpr (is_float && requires { _mm256_sqrt_ps(x); }) {
        return _mm256_sqrt_ps(x);
    } else if constexpr (is_float && requires { _mm_sqrt_ps(x); }) {
        return _mm_sqrt_ps(x);
    } else if constexpr (!is_float && requires { _mm512_sqrt_pd(x); }) {
        return _mm512_sqrt_pd(x);
    } else {
        return Eigen::internal::psqrt(x);
    }
}

/// The sum of the lanes.
template <class Scalar>
WEFT_FLATTEN EIGEN_STRONG_INLINE Scalar sum_lanes(const Packet<Scalar>& x) {
    return Eigen::internal::predux(x);
}

/// The largest lane.
template <class Scalar>
WEFT_FLATTEN EIGEN_STRONG_INLINE Scalar largest_lane(const Packet<Scalar>& x) {
    return Eigen::internal::predux_max(x);
}

/// The transpose, in place.
template <class Scalar>
WEFT_FLATTEN EIGEN_STRONG_INLINE void transpose(PacketSquare<Scalar>& square) {
    Eigen::internal::ptranspose(square);
}

/// max(x, 0) that keeps NaN, so that a NaN is found in the layer where it arose.
template <class Scalar>
EIGEN_STRONG_INLINE Packet<Scalar> relu(const Packet<Scalar>& x) {
    const auto zero = broadcast(Scalar(0));
    return pselect(pcmp_lt(x, zero), zero, x);
}

/// Calls body(i, size) for packets from element i on that cover [0, count); size is a constant
/// packet_size, but for the last packet what is left.
template <class Scalar, class Body>
EIGEN_ALWAYS_INLINE void for_each_packet(Index count, const Body& body) {
    constexpr Index step = packet_size<Scalar>;
    Index i = 0;
    for (; i + step <= count; i += step) body(i, std::integral_constant<Index, step>{});
    if (i < count) body(i, count - i);
}

/// Writes operation(inputs[i]...) to outputs, packet by packet, the tail in a padded packet. Every
/// element takes the same instructions wherever it lies, so its bits depend on its value alone.
template <class Scalar, class Operation, class... Inputs>
EIGEN_STRONG_INLINE void transform(Index count, Scalar* output, const Operation& operation,
                                   const Inputs*... inputs) {
    Index i = 0;
    for (; i + packet_size<Scalar> <= count; i += packet_size<Scalar>) {
        store(output + i, operation(load(inputs + i)...));
    }
    if (i == count) return;
    store_partial(output + i, operation(load_partial(inputs + i, count - i)...), count - i);
}

/// The same for operations of many instructions, which are compiled once, for the tail too.
/// Of exp as fast within 1.5 % and of sigmoid within 1 % (Zen 4, SSE2 and AVX-512); tanh was 8 %
/// slower with SSE2.
template <class Scalar, class Operation, class... Inputs>
EIGEN_STRONG_INLINE void transform_costly(Index count, Scalar* output, const Operation& operation,
                                          const Inputs*... inputs) {
    for (Index i = 0; i < count; i += packet_size<Scalar>) {
        const Index size = count - i;
        store_up_to(output + i, operation(load_up_to(inputs + i, size)...), size);
    }
}

/// The packets term(i, size) added up, i from begin on, as for_each_packet: one after another.
template <class Scalar, class Term>
EIGEN_ALWAYS_INLINE Packet<Scalar> add_packets(Index begin, Index end, const Term& term) {
    auto total = broadcast(Scalar(0));
    for_each_packet<Scalar>(end - begin, [&](Index i, auto size) WEFT_INLINE_LAMBDA {
        total = padd(total, term(begin + i, size));
    });
    return total;
}

/// sum_packets of more than one block.
template <class Scalar, class Term>
WEFT_NOINLINE Scalar sum_blocks_of_packets(Index begin, Index end, const Term& term) {
    const auto of_block = [&](Index first, Index last, Scalar& sum) {
        sum = sum_lanes<Scalar>(add_packets<Scalar>(begin + first, begin + last, term));
    };
    return weft::detail::sum_in_pairs<Scalar>(
        end - begin, weft::detail::CallReference<Index, Index, Scalar&>(of_block), std::plus<>(),
        weft::detail::sum_block * packet_size<Scalar>);
}

/// The sum of the packets term(i, size), i in [begin, end), whose lanes from size on are 0, in a
/// fixed order: of blocks lane by lane, then across lanes; the blocks in pairs. Off by at most
/// (sum_block + log2(end - begin)) u sum |x| over the lanes x, u = eps / 2.
template <class Scalar, class Term>
EIGEN_ALWAYS_INLINE Scalar sum_packets(Index begin, Index end, const Term& term) {
    if (end - begin > weft::detail::sum_block * packet_size<Scalar>) {
        return sum_blocks_of_packets<Scalar>(begin, end, term);
    }
    return sum_lanes<Scalar>(add_packets<Scalar>(begin, end, term));
}

/// The sum of x, as sum_packets.
template <class Scalar>
WEFT_NOINLINE Scalar sum(const Scalar* x, Index count) {
    return sum_packets<Scalar>(
        0, count, [=](Index i, auto size) WEFT_INLINE_LAMBDA { return load_up_to(x + i, size); });
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
