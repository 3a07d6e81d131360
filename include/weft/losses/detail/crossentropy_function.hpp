/// \file
/// CrossentropyFunction: the common part of the cross-entropies.
#pragma once

#include "weft/losses/loss.hpp"

namespace weft::detail {

/// A cross-entropy of logits, or of probabilities that an activation makes of logits.
template <class Scalar, class Device>
class CrossentropyFunction : public Loss<Scalar, Device> {
public:
    using typename Loss<Scalar, Device>::View;
    using typename Loss<Scalar, Device>::ConstView;
    using Losses = kernels::ScoredLosses<Scalar, Device>;

    bool fuses(Activation last) const override { return !from_logits_ && last == activation_; }

    void evaluate(Device& device, bool fused, View predictions, ConstView targets, Scalar scale,
                  View losses, View gradient) const override {
        score(device, fused, predictions, targets, scale, losses, gradient);
    }

    WEFT_NOINLINE void score(Device& device, bool fused, View predictions, ConstView targets,
                             Scalar scale, const Losses& losses, View gradient) const override {
        if (fused || from_logits_) {
            of_logits(device, predictions, targets, scale, losses, fused ? predictions : gradient,
                      gradient);
        } else {
            of_probabilities(device, predictions, targets, scale, losses, gradient);
        }
        finish_score<Scalar>(device, losses);
    }

protected:
    CrossentropyFunction(Activation activation, bool from_logits)
        : activation_(activation), from_logits_(from_logits) {}

    bool from_logits() const { return from_logits_; }

private:
    /// Writes the losses of rows of logits, their probabilities, and scale times the gradient of
    /// the logits. The probabilities may share the memory of the logits or of the gradient.
    virtual void of_logits(Device& device, ConstView logits, ConstView targets, Scalar scale,
                           const Losses& losses, View probabilities, View gradient) const = 0;

    /// Writes the losses of rows of probabilities, and scale times their gradient.
    virtual void of_probabilities(Device& device, ConstView probabilities, ConstView targets,
                                  Scalar scale, const Losses& losses, View gradient) const = 0;

    Activation activation_;
    bool from_logits_;
};

}  // namespace weft::detail
