/// \file
/// Targets of losses as they are, or with label smoothing.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/packet.hpp"
#include "weft/kernels/loss.hpp"

#include <array>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// The packet of targets from element i on, its lanes from size on 0.
template <class Scalar, class Size>
EIGEN_ALWAYS_INLINE auto load_targets(const TensorView<const Scalar>& targets, Index i, Size size) {
    return load_up_to(targets.data() + i, size);
}

template <class Scalar, class Size>
EIGEN_ALWAYS_INLINE auto load_targets(const SmoothedTargets<Scalar>& targets, Index i, Size size) {
    static constexpr auto ones = [] {
        std::array<Scalar, std::size_t{packet_size<Scalar>}> lanes{};
        for (Scalar& lane : lanes) lane = 1;
        return lanes;
    }();
    const auto spread = pmul(broadcast(targets.spread()), load_up_to(ones.data(), size));
    return pmadd(load_up_to(targets.data() + i, size), broadcast(targets.kept()), spread);
}

}  // namespace detail

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
