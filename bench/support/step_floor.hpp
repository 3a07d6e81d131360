/// \file
/// What a step of training has to compute and to move, whatever computes it.
#pragma once

#include "bench/support/model_work.hpp"

namespace weft::bench {

struct StepFloor {
    double flop = 0;   ///< multiplications and additions of the products
    double bytes = 0;  ///< of numbers in single precision
};

/// Of a step over a batch with Adam, if no two layers are fused and nothing stays in a cache:
///
/// - the output of a layer is written and read once forward, read once backward, and so its
///   gradient is written and read; an activation works in place;
/// - samples are read from the data set, written as a batch, and read forward and backward;
/// - parameters are read forward and backward, gradients written and read, and the update reads
///   and writes parameters and two moments: ten times all parameters.
///
/// Fusing saves some of the bytes, caches hold some.
inline StepFloor step_floor(const Model<float>& model, Index batch) {
    const auto workspace = model.make_workspace(1, PassKind::training);
    const Plan& plan = workspace.plan();
    double numbers = 0;  // of one sample
    for (std::size_t i = 0; i < plan.values().size(); ++i) {
        const PlanValue& value = plan.values()[i];
        const auto size = static_cast<double>(value.shape.size());
        if (plan.is_of_caller(i)) {
            if (value.memory == i) numbers += 4 * size;
        } else {
            if (value.memory == i) numbers += 3 * size;
            if (value.gradient == i && value.needs_gradient) numbers += 2 * size;
        }
    }
    const auto samples = static_cast<double>(batch);
    const auto parameters = static_cast<double>(model.parameter_count());
    return {.flop = flop_per_sample(model, true) * samples,
            .bytes = sizeof(float) * (numbers * samples + 10 * parameters)};
}

}  // namespace weft::bench
