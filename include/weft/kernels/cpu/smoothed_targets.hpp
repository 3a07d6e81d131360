/// \file
/// Targets of losses as they are, or with label smoothing.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/packet.hpp"

#include <array>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// Targets with label smoothing s:  t_i (1 - s) + s / classes. With s = 0 these are the targets.
template <class Scalar>
class SmoothedTargets {
public:
    template <class Device>
    SmoothedTargets(TensorView<const Scalar, Device> targets, double smoothing, Index classes)
        : targets_(targets.data()),
          kept_(static_cast<Scalar>(1 - smoothing)),
          spread_(static_cast<Scalar>(smoothing / static_cast<double>(classes))) {}

    Scalar operator[](Index i) const { return targets_[i] * kept_ + spread_; }

    /// The packet from element i on, its lanes from size on 0.
    template <class Size>
    EIGEN_ALWAYS_INLINE auto load(Index i, Size size) const {
        using namespace detail;
        static constexpr auto ones = [] {
            std::array<Scalar, std::size_t{packet_size<Scalar>}> lanes{};
            for (Scalar& lane : lanes) lane = 1;
            return lanes;
        }();
        const auto spread =
            Eigen::internal::pmul(broadcast(spread_), load_up_to(ones.data(), size));
        return Eigen::internal::pmadd(load_up_to(targets_ + i, size), broadcast(kept_), spread);
    }

private:
    const Scalar* targets_;
    Scalar kept_, spread_;
};

namespace detail {

/// The packet of targets from element i on, its lanes from size on 0.
template <class Scalar, class Size>
EIGEN_ALWAYS_INLINE auto load_targets(const TensorView<const Scalar>& targets, Index i, Size size) {
    return load_up_to(targets.data() + i, size);
}

template <class Scalar, class Size>
EIGEN_ALWAYS_INLINE auto load_targets(const SmoothedTargets<Scalar>& targets, Index i, Size size) {
    return targets.load(i, size);
}

}  // namespace detail

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
