/// \file
/// evaluate_loss: a loss, evaluated without a model.
#pragma once

#include "weft/cpu.hpp"
#include "weft/losses/loss.hpp"
#include "weft/testing/single_layer.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace weft {

/// The results of evaluate_loss.
template <class Scalar>
struct LossResult {
    Tensor<Scalar> losses;       ///< one per row
    Tensor<Scalar> gradient;     ///< of their mean
    Tensor<Scalar> predictions;  ///< as evaluate left them

    double mean() const {
        double sum = 0;
        for (const Scalar loss : losses) sum += static_cast<double>(loss);
        return sum / static_cast<double>(losses.size());
    }
};

/// Evaluates a loss on any device. Tensors are the host's; predictions are copied. Elements that
/// Loss::evaluate does not write stay NaN.
template <class Scalar, class Device = Cpu>
LossResult<Scalar> evaluate_loss(const std::type_identity_t<LossDeclaration<Scalar, Device>>& loss,
                                 const Tensor<Scalar>& predictions, const Tensor<Scalar>& targets,
                                 bool fused = false, Device device = testing_device<Device>()) {
    const Shape rows{predictions.shape()[0] * loss_rows(predictions.shape().sample())};
    auto predictions_there = on_device<Scalar>(device, predictions);
    auto losses = on_device<Scalar>(device, not_written<Scalar>(rows));
    auto gradient = on_device<Scalar>(device, not_written<Scalar>(predictions.shape()));
    loss->evaluate(device, fused, predictions_there, on_device<Scalar>(device, targets),
                   Scalar(1) / static_cast<Scalar>(losses.size()), losses, gradient);
    const auto here = [&](const Tensor<Scalar, Device>& x) {
        return Tensor<Scalar>(on_host<Scalar>(device, x));
    };
    return {here(losses), here(gradient), here(predictions_there)};
}

}  // namespace weft
