/// \file
/// to: a copy of a model on another device.
#pragma once

#include "weft/layers/weft_layers.hpp"
#include "weft/model/detail/own_form.hpp"
#include "weft/model/model.hpp"

namespace weft {

namespace detail {

/// Adds the layer to those of another device if it has type D; returns whether it has.
template <class D, class Scalar, class Device, class From>
WEFT_COLD bool add_declared(std::vector<LayerDeclaration<Scalar, Device>>& layers,
                            const LayerDeclaration<Scalar, From>& declaration) {
    const D* layer = declaration.template get_if<D>();
    if (layer != nullptr) layers.push_back(*layer);
    return layer != nullptr;
}

/// The graph, with its layers declared for another device.
template <class Device, class... Own, class Scalar, class From>
WEFT_COLD Graph<Scalar, Device> graph_on(const Graph<Scalar, From>& from) {
    Graph<Scalar, Device> graph{from.name, from.inputs, {}, from.nodes, from.read, from.outputs};
    const auto& [input_names, models, calls] = parts_of(from);
    GraphParts<Scalar, Device> parts{.input_names = input_names, .calls = calls};
    for (const auto& model : models) {
        parts.models.push_back(
            {model.name, model.named, model.first_layer,
             std::make_shared<const Graph<Scalar, Device>>(graph_on<Device, Own...>(*model.graph)),
             model.values});
    }
    if (from.form) graph.form = std::make_shared<const OwnForm<Scalar, Device>>(std::move(parts));
    for (const auto& declaration : from.layers) {
        const bool is_weft = visit_weft_layers([&](const auto&... example) {
            return (
                add_declared<std::remove_cvref_t<decltype(example)>>(graph.layers, declaration) ||
                ...);
        });
        if (!is_weft && !(add_declared<Own>(graph.layers, declaration) || ...)) {
            throw ArgumentError(join({"to: ", declaration.name(), " is a ", declaration.type(),
                                      ", expected a layer of weft's or of a type named as in to<"
                                      "Device, ",
                                      declaration.type(), ">(model)"}));
        }
        if (declaration.is_renamed()) graph.layers.back().set_name(declaration.name());
    }
    return graph;
}

}  // namespace detail

/// A copy of a model on the given device, with its parameters if it is built:
///
///   Model<float, Cuda> on_gpu = to<Cuda>(model);
///   Model<float> back = to<Cpu>(on_gpu);
///
/// Name types of layers that are not weft's behind the device: to<Cuda, Swish>(model). Throws
/// ArgumentError for a layer of an unnamed type.
template <class Device, class... Own, class Scalar, class From>
WEFT_COLD Model<Scalar, Device> to(const Model<Scalar, From>& model,
                                   const Device& device = Device()) {
    auto graph = detail::graph_on<Device, Own...>(model.graph());
    if (!model.is_built()) return Model<Scalar, Device>(std::move(graph), device);
    Model<Scalar, Device> result(std::move(graph), device, model.input_shapes());
    copy_to_device<Scalar>(device, on_host<Scalar>(model.device(), model.arena()), result.arena());
    return result;
}

}  // namespace weft
