/// \file
/// to: a copy of a model on another device.
#pragma once

#include "weft/layers/add.hpp"
#include "weft/layers/average_pool2d.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/concatenate.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/layers/elu.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/gelu.hpp"
#include "weft/layers/global_average_pool2d.hpp"
#include "weft/layers/global_max_pool2d.hpp"
#include "weft/layers/leaky_relu.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/layers/multiply.hpp"
#include "weft/layers/relu.hpp"
#include "weft/layers/rescaling.hpp"
#include "weft/layers/reshape.hpp"
#include "weft/layers/sigmoid.hpp"
#include "weft/layers/silu.hpp"
#include "weft/layers/softmax.hpp"
#include "weft/layers/tanh.hpp"
#include "weft/layers/zero_padding2d.hpp"
#include "weft/model/detail/own_form.hpp"
#include "weft/model/model.hpp"

namespace weft {

namespace detail {

template <class... Layers>
struct LayerTypes {};

/// All of weft's.
using WeftLayers =
    LayerTypes<Dense, Conv2D, MaxPool2D, AveragePool2D, GlobalMaxPool2D, GlobalAveragePool2D,
               BatchNorm, Dropout, Flatten, Reshape, Rescaling, ZeroPadding2D, ReLU, LeakyReLU, ELU,
               GELU, SiLU, Sigmoid, Tanh, Softmax, Add, Multiply, Concatenate>;

/// Adds a layer of one of these types to those of another device; whether it is of one of them.
template <class Scalar, class Device, class From, class... Layers>
WEFT_COLD bool add_declared(std::vector<LayerDeclaration<Scalar, Device>>& layers,
                            const LayerDeclaration<Scalar, From>& declaration,
                            LayerTypes<Layers...>) {
    [[maybe_unused]] const auto add = [&](const auto* layer) {
        if (layer != nullptr) layers.push_back(*layer);
        return layer != nullptr;
    };
    return (add(declaration.template get_if<Layers>()) || ...);
}

/// The graph with its layers declared for another device.
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
        if (!add_declared(graph.layers, declaration, WeftLayers()) &&
            !add_declared(graph.layers, declaration, LayerTypes<Own...>())) {
            throw ArgumentError(concat("to: ", declaration.name(), " is a ", declaration.type(),
                                       ", expected a layer of weft's or of a type named as in to<"
                                       "Device, ",
                                       declaration.type(), ">(model)"));
        }
        if (declaration.is_renamed()) graph.layers.back().set_name(declaration.name());
    }
    return graph;
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
    Model<Scalar, Device> result(detail::graph_on<Device, Own...>(model.graph()));
    result.set_device(device);
    if (!model.is_built()) return result;
    result.build(model.input_shapes());
    copy_to_device<Scalar>(device, on_host<Scalar>(model.device(), model.arena()), result.arena());
    return result;
}

}  // namespace weft
