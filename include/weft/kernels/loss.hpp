/// \file
/// Arguments of loss kernels, the same on every device.
#pragma once

#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

/// Keeps probabilities away from 0 and 1 before a logarithm, as Keras does.
inline constexpr double probability_epsilon = 1e-7;

/// Targets with label smoothing s:  t_i (1 - s) + s / classes. With s = 0 these are the targets.
template <class Scalar>
class SmoothedTargets {
public:
    template <class Device>
    SmoothedTargets(TensorView<const Scalar, Device> targets, double smoothing, Index classes)
        : targets_(targets.data()),
          kept_(static_cast<Scalar>(1 - smoothing)),
          spread_(static_cast<Scalar>(smoothing / static_cast<double>(classes))) {}

    constexpr Scalar operator[](Index i) const { return targets_[i] * kept_ + spread_; }

    const Scalar* data() const { return targets_; }
    Scalar kept() const { return kept_; }      ///< 1 - s
    Scalar spread() const { return spread_; }  ///< s / classes

private:
    const Scalar* targets_;
    Scalar kept_, spread_;
};

}  // namespace weft::kernels
