/// \file
/// Packets: Eigen's portable vector registers, and loops over them.
#pragma once

#include "weft/config.hpp"
#include "weft/core/shape.hpp"

#include <Eigen/Core>
#include <algorithm>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// The widest vector register of the instruction set for Scalar; a plain Scalar where there is
/// none.
template <class Scalar>
using Packet = typename Eigen::internal::packet_traits<Scalar>::type;

template <class Scalar>
inline constexpr Index packet_size = Eigen::internal::unpacket_traits<Packet<Scalar>>::size;

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

/// The first count < packet_size elements, the other lanes filled.
template <class Scalar>
WEFT_NOINLINE Packet<Scalar> load_partial(const Scalar* x, Index count, Scalar fill) {
    Scalar lanes[packet_size<Scalar>];
    for (Index i = 0; i < packet_size<Scalar>; ++i) lanes[i] = i < count ? x[i] : fill;
    return load(lanes);
}

/// Stores the first count < packet_size lanes.
template <class Scalar>
WEFT_NOINLINE void store_partial(Scalar* y, const Packet<Scalar>& packet, Index count) {
    Scalar lanes[packet_size<Scalar>];
    store(lanes, packet);
    std::copy_n(lanes, count, y);
}

/// Writes operation(inputs[i]...) to outputs, packet by packet, the tail in a padded packet. Every
/// element takes the same instructions wherever it lies, so its bits depend on its value alone.
template <class Scalar, class Operation, class... Inputs>
EIGEN_STRONG_INLINE void transform(Index count, Scalar* output, const Operation& operation,
                                   const Inputs*... inputs) {
    constexpr Index step = packet_size<Scalar>;
    Index i = 0;
    for (; i + step <= count; i += step) store(output + i, operation(load(inputs + i)...));
    if (i < count) {
        store_partial(output + i, operation(load_partial(inputs + i, count - i, Scalar(1))...),
                      count - i);
    }
}

/// The sum of x in a fixed order: lane by lane, then across lanes.
template <class Scalar>
WEFT_NOINLINE Scalar sum(const Scalar* x, Index count) {
    constexpr Index step = packet_size<Scalar>;
    auto total = broadcast(Scalar(0));
    Index i = 0;
    for (; i + step <= count; i += step) total = Eigen::internal::padd(total, load(x + i));
    if (i < count) {
        total = Eigen::internal::padd(total, load_partial(x + i, count - i, Scalar(0)));
    }
    return Eigen::internal::predux(total);
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
