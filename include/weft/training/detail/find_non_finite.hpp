/// \file
/// Tracing a NaN or an infinity to where it arose.
#pragma once

#include "weft/model/sequential.hpp"

namespace weft::detail {

/// The name of the first parameter that is not finite, of those that are trained or of the others;
/// empty when all are.
template <class Scalar, class Device>
WEFT_COLD std::string find_non_finite_parameter(Device& device, const Model<Scalar, Device>& model,
                                                bool trainable) {
    for (const ParameterInfo& parameter : model.parameters()) {
        if (parameter.slot.trainable != trainable) continue;
        if (!all_finite<Scalar>(device, model.view(parameter.slot))) return parameter.name;
    }
    return {};
}

/// Where the first number that is not finite lies after a training forward over xs with targets y:
/// "targets", a parameter, the layer in whose output it appeared, or "loss".
template <class Scalar, class Device>
WEFT_COLD std::string find_non_finite(const Model<Scalar, Device>& model,
                                      Workspace<Scalar, Device>& workspace,
                                      std::span<const TensorView<const Scalar, Device>> xs,
                                      TensorView<const Scalar, Device> y) {
    const auto finite = [&](TensorView<const Scalar, Device> values) {
        return all_finite<Scalar>(workspace.device(), values);
    };
    if (!finite(y)) return "targets";
    std::string parameter = find_non_finite_parameter(workspace.device(), model, true);
    if (!parameter.empty()) return parameter;
    // Not the other parameters: the pass that went wrong updated them, and came to them later.
    const auto& nodes = model.graph().nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!finite(model.output(workspace, xs, i))) return model.layer_name(nodes[i].layer);
    }
    return "loss";
}

/// Which gradient is not finite: "the gradient of dense/kernel". The last layer's, which backward
/// comes to first.
template <class Scalar, class Device>
std::string find_non_finite_gradient(Device& device, const Model<Scalar, Device>& model,
                                     TensorView<const Scalar, Device> gradients) {
    std::string where = "a gradient";
    for (const ParameterInfo& parameter : model.parameters()) {
        const ParameterSlot& slot = parameter.slot;
        if (!slot.trainable) continue;
        if (!all_finite<Scalar>(device, {gradients.data() + slot.offset, slot.shape})) {
            where = concat("the gradient of ", parameter.name);
        }
    }
    return where;
}

}  // namespace weft::detail
