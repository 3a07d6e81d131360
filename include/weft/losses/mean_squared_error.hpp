/// \file
/// MeanSquaredError: regression.
#pragma once

#include "weft/losses/loss.hpp"

namespace weft {

/// l = mean_c (p_c - t_c)^2, for predictions and targets (N, ..., C);  dl/dp = 2/C (p - t).
struct MeanSquaredError {
    static constexpr std::string_view type = "MeanSquaredError";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class MeanSquaredError::Function final : public Loss<Scalar, Device> {
public:
    using typename Loss<Scalar, Device>::View;
    using typename Loss<Scalar, Device>::ConstView;

    WEFT_COLD explicit Function(const MeanSquaredError&) {}

    WEFT_NOINLINE void evaluate(Device& device, bool, View predictions, ConstView targets,
                                Scalar scale, View losses, View gradient) const override {
        mean_squared_error<Scalar>(device, predictions, targets, scale, losses, gradient);
    }

    WEFT_NOINLINE void score(Device& device, bool, View predictions, ConstView targets,
                             Scalar scale, const kernels::ScoredLosses<Scalar, Device>& losses,
                             View gradient) const override {
        mean_squared_error<Scalar>(device, predictions, targets, scale, losses, gradient);
        finish_score<Scalar>(device, losses);
    }
};

}  // namespace weft
