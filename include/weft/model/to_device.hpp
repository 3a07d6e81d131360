/// \file
/// to: a copy of a model on another device.
#pragma once

#include "weft/layers/weft_layers.hpp"
#include "weft/model/model.hpp"

namespace weft {

namespace detail {

/// Adds a layer of type D to those of another device; whether it is of that type.
template <class D, class Scalar, class Device, class From>
WEFT_COLD bool add_declared(std::vector<LayerDeclaration<Scalar, Device>>& layers,
                            const LayerDeclaration<Scalar, From>& declaration) {
    const D* layer = declaration.template get_if<D>();
    if (layer != nullptr) layers.push_back(*layer);
    return layer != nullptr;
}

}  // namespace detail

/// A copy of a model on that device, with its parameters if it is built:
///
///   Model<float, Cuda> on_gpu = to<Cuda>(model);
///   Model<float> back = to<Cpu>(on_gpu);
///
/// Types of layers that are not weft's are named behind the device: to<Cuda, Swish>(model). Throws
/// ArgumentError for a layer of another type.
template <class Device, class... Own, class Scalar, class From>
WEFT_COLD Model<Scalar, Device> to(const Model<Scalar, From>& model,
                                   const Device& device = Device()) {
    const Graph<Scalar, From>& from = model.graph();
    Graph<Scalar, Device> graph{from.input, {}, from.nodes, from.inputs};
    for (const auto& declaration : from.layers) {
        const bool is_weft = detail::visit_weft_layers([&](const auto&... example) {
            return (detail::add_declared<std::remove_cvref_t<decltype(example)>>(graph.layers,
                                                                                 declaration) ||
                    ...);
        });
        if (!is_weft && !(detail::add_declared<Own>(graph.layers, declaration) || ...)) {
            throw ArgumentError(concat("to: ", declaration.name(), " is a ", declaration.type(),
                                       ", expected a layer of weft's or of a type named as in to<"
                                       "Device, ",
                                       declaration.type(), ">(model)"));
        }
    }
    Model<Scalar, Device> result(std::move(graph));
    result.set_device(device);
    if (!model.is_built()) return result;
    result.build(model.input_shape());
    copy_to_device<Scalar>(device, on_host<Scalar>(model.device(), model.arena()), result.arena());
    return result;
}

}  // namespace weft
