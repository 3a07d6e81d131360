/// \file
/// What several tests compare with Keras.
#pragma once

#include "tests/support/compare.hpp"
#include "tests/support/reference_checks.hpp"
#include "weft/weft.hpp"

namespace weft {

/// Adds the gaps of all gradients, those of trainable parameters side by side, to Keras's list.
inline void add_gradients(Verdict& verdict, const Model<double>& model,
                          const Tensor<double>& gradients, const nlohmann::json& expected) {
    std::size_t i = 0;
    for (const ParameterInfo& parameter : model.parameters()) {
        if (!parameter.slot.trainable) continue;
        const TensorView<const double> ours(gradients.data() + parameter.slot.offset,
                                            parameter.slot.shape);
        verdict.add(concat("the gradient of ", parameter.name),
                    largest_gap(ours, reference_tensor(expected.at(i++))), same_in_double.gap);
    }
    if (i != expected.size()) verdict.add("gradients", {"there are more of Keras's"});
}

/// Adds the gaps of all parameters to Keras's list.
inline void add_weights(Verdict& verdict, const Model<double>& model,
                        const nlohmann::json& expected, double bound) {
    std::size_t p = 0;
    for (const ParameterInfo& parameter : model.parameters()) {
        verdict.add(parameter.name,
                    largest_gap(model.view(parameter.slot), reference_tensor(expected.at(p++))),
                    bound);
    }
}

}  // namespace weft
