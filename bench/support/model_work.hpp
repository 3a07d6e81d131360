/// \file
/// What passes through a whole model cost, for counters; and data to train it on.
#pragma once

#include "bench/support/measure.hpp"
#include "bench/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/model/sequential.hpp"

#include <vector>

namespace weft::bench {

/// The multiplications and additions of the products of a sample's forward pass; in training also
/// those of both gradients, without the gradient of the data. What else layers do is left out.
inline double flop_per_sample(const Model<float>& model, bool training) {
    double flop = 0;
    bool is_first = true;
    for (std::size_t i = 0; i < model.layer_count(); ++i) {
        for (const ParameterInfo& parameter : model.parameters()) {
            if (parameter.name != model.layer_name(i) + "/kernel") continue;
            const Shape& kernel = parameter.slot.shape;
            const Index products =
                model.layer(i).output_shape().size() * (kernel.size() / kernel.last());
            flop += 2.0 * static_cast<double>(products) * (training ? (is_first ? 2 : 3) : 1);
            is_first = false;
        }
    }
    return flop;
}

/// Counters of a model: parameters, and workspace_mib, the bytes that the plan of a pass over a
/// batch takes.
inline void count_memory(benchmark::State& state, const Model<float>& model, Index batch,
                         PassKind kind) {
    const auto bytes = model.make_workspace(batch, kind).size_bytes();
    state.counters["workspace_mib"] = static_cast<double>(bytes) / (1 << 20);
    state.counters["parameters"] = static_cast<double>(model.parameter_count());
}

/// Random samples of ten classes.
struct Samples {
    Samples(const Shape& sample, Index count)
        : x(random_tensor(sample.batch(count))), labels(static_cast<std::size_t>(count)) {
        for (std::size_t i = 0; i < labels.size(); ++i) {
            labels[i] = static_cast<std::uint8_t>(i * 7 % 10);
        }
    }

    Tensor<float> x;
    std::vector<std::uint8_t> labels;
};

}  // namespace weft::bench
