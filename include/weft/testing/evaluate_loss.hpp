/// \file
/// A loss, evaluated without a model.
#pragma once

#include "weft/cpu.hpp"
#include "weft/losses/loss.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace weft {

/// What an evaluation of a loss leaves behind.
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

/// predictions are copied; what evaluate does not write stays NaN.
template <class Scalar>
LossResult<Scalar> evaluate_loss(const std::type_identity_t<LossDeclaration<Scalar, Cpu>>& loss,
                                 const Tensor<Scalar>& predictions, const Tensor<Scalar>& targets,
                                 bool fused = false, Cpu device = Cpu(1)) {
    LossResult<Scalar> result;
    result.predictions = predictions;
    result.losses =
        Tensor<Scalar>({predictions.shape()[0] * loss_rows(predictions.shape().sample())});
    result.gradient = Tensor<Scalar>(predictions.shape());
    std::ranges::fill(result.losses, std::numeric_limits<Scalar>::quiet_NaN());
    std::ranges::fill(result.gradient, std::numeric_limits<Scalar>::quiet_NaN());
    loss->evaluate(device, fused, result.predictions, targets,
                   Scalar(1) / static_cast<Scalar>(result.losses.size()), result.losses,
                   result.gradient);
    return result;
}

}  // namespace weft
