/// \file
/// Finds where a NaN or an infinity arose.
#pragma once

#include "weft/model/sequential.hpp"

namespace weft::detail {

/// The name of the first parameter that is not finite, among trained or other ones; empty if all
/// are finite.
template <class Scalar, class Device>
WEFT_COLD std::string find_non_finite_parameter(Device& device, const Model<Scalar, Device>& model,
                                                bool trainable) {
    for (const ParameterInfo& parameter : model.parameters()) {
        if (parameter.slot.trainable != trainable) continue;
        if (!all_finite<Scalar>(device, model.view(parameter.slot))) return parameter.name;
    }
    return {};
}

/// The name, behind `of`, of the first input or target that is not finite; `one` if there is only
/// one. Empty if all are finite.
template <class Scalar, class Device>
WEFT_COLD std::string find_non_finite_part(Device& device,
                                           Span<const TensorView<const Scalar, Device>> parts,
                                           std::string_view one, std::string_view of,
                                           const std::vector<std::string>& names) {
    for (std::size_t k = 0; k < parts.size(); ++k) {
        if (all_finite<Scalar>(device, parts[k])) continue;
        return parts.size() == 1 ? std::string(one) : join({of, names[k]});
    }
    return {};
}

/// The place of the first number that is not finite in a training forward over xs with finite
/// targets: a parameter, the layer whose output it is in, or "loss".
template <class Scalar, class Device>
WEFT_COLD std::string find_non_finite(Model<Scalar, Device>& model,
                                      Workspace<Scalar, Device>& workspace,
                                      Span<const TensorView<const Scalar, Device>> xs,
                                      const PassOptions& options) {
    std::string parameter = find_non_finite_parameter(workspace.device(), model, true);
    if (!parameter.empty()) return parameter;
    // Not parameters that are not trained: the failed pass itself updated them.
    const std::size_t layer = model.forward_to_non_finite(workspace, xs, options);
    return layer < model.layer_count() ? model.layer_name(layer) : "loss";
}

/// The gradient that is not finite: "the gradient of dense/kernel". Of several, the last layer's,
/// the first in backward.
template <class Scalar, class Device>
std::string find_non_finite_gradient(Device& device, const Model<Scalar, Device>& model,
                                     TensorView<const Scalar, Device> gradients) {
    std::string where = "a gradient";
    for (const ParameterInfo& parameter : model.parameters()) {
        const ParameterSlot& slot = parameter.slot;
        if (!slot.trainable) continue;
        if (!all_finite<Scalar>(device, {gradients.data() + slot.offset, slot.shape})) {
            where = join({"the gradient of ", parameter.name});
        }
    }
    return where;
}

}  // namespace weft::detail
