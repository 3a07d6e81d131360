/// \file
/// The architecture of a model as Keras's JSON.
#pragma once

#include "weft/io/detail/graph_text.hpp"
#include "weft/io/detail/graph_writer.hpp"
#include "weft/io/detail/json_fields.hpp"
#include "weft/io/layer_formats.hpp"
#include "weft/model/sequential.hpp"

namespace weft::detail {

/// A layer of weft with these fields, in Keras's form.
template <class Scalar, class Device>
WEFT_COLD Json keras_layer(const LayerFormat<Scalar, Device>& format, JsonFields& field) {
    if (format.keras_name().empty()) return class_and_config(format.type(), field.result());
    std::string activation(format.keras_activation());
    if (!activation.empty()) field("activation", activation);
    return class_and_config(format.keras_name(), field.result());
}

/// The format of the given type; null if there is none.
template <class Scalar, class Device>
WEFT_COLD const LayerFormat<Scalar, Device>* find_format(
    const std::vector<LayerFormat<Scalar, Device>>& formats, std::string_view type) {
    const auto found =
        std::ranges::find_if(formats, [&](const auto& format) { return format.type() == type; });
    return found == formats.end() ? nullptr : &*found;
}

/// weft's format with the given name in Keras, or type; null if there is none.
template <class Scalar, class Device>
WEFT_COLD const LayerFormat<Scalar, Device>* find_keras_format(
    const std::vector<LayerFormat<Scalar, Device>>& formats, std::string_view class_name,
    JsonFields& field) {
    for (const LayerFormat<Scalar, Device>& format : formats) {
        if (format.keras_name() != class_name) continue;
        if (format.keras_activation().empty()) return &format;
        std::string activation;
        field("activation", activation);
        if (format.keras_activation() == activation) return &format;
    }
    return find_format(formats, class_name);
}

/// The architecture of a built model as text. `own`: formats of layers that are not weft's.
template <class Scalar, class Device>
WEFT_COLD std::string write_architecture(const Model<Scalar, Device>& model,
                                         const std::vector<LayerFormat<Scalar, Device>>& own) {
    const auto formats = weft_layer_formats<Scalar, Device>();
    Json::Array layers;
    for (const auto& declaration : model.declarations()) {
        JsonFields field;
        if (declaration.is_renamed()) field.rename(declaration.name());
        const auto writes = [&](const auto& format) { return format.write(declaration, field); };
        if (std::ranges::any_of(own, writes)) {
            layers.push_back(class_and_config(declaration.type(), field.result()));
        } else if (const auto format = std::ranges::find_if(formats, writes);
                   format != formats.end()) {
            layers.push_back(keras_layer(*format, field));
        } else {
            throw ArgumentError(concat("save_model: layers of type ", declaration.type(),
                                       " are not weft's; name the type: save_model(model, "
                                       "path, {",
                                       declaration.type(), "{}})"));
        }
    }
    return to_text(GraphWriter(model, std::move(layers)).model(), "save_model");
}

/// The layers described by the texts.
template <class Scalar, class Device>
WEFT_COLD std::vector<LayerDeclaration<Scalar, Device>> read_layers(
    std::span<const LayerText> texts, const std::vector<LayerFormat<Scalar, Device>>& own) {
    const auto formats = weft_layer_formats<Scalar, Device>();
    std::vector<LayerDeclaration<Scalar, Device>> layers;
    for (const LayerText& text : texts) {
        JsonFields field(*text.config, text.where);
        const auto* format = find_format(own, text.class_name);
        if (format == nullptr) format = find_keras_format(formats, text.class_name, field);
        field.require(format != nullptr, concat("its type is unknown; name it: load_model(path, {",
                                                text.class_name, "{}})"));
        layers.push_back(format->read(field));
        field.require_all_known();
    }
    return layers;
}

/// The graph described by a text, and the shapes of its inputs.
template <class Scalar, class Device>
WEFT_COLD Graph<Scalar, Device> graph_of(const GraphText& text,
                                         const std::vector<LayerFormat<Scalar, Device>>& own,
                                         const std::string& file) {
    std::vector<LooseLayer<Scalar, Device>> layers;
    std::vector<LayerText> plain;
    for (const LayerText& layer : text.layers) {
        if (layer.model == nullptr) plain.push_back(layer);
    }
    const auto read = read_layers(std::span<const LayerText>(plain), own);
    auto next = read.begin();
    for (const LayerText& layer : text.layers) {
        if (layer.model == nullptr) {
            layers.emplace_back(*next++);
            continue;
        }
        const std::string_view usual =
            layer.class_name == "Sequential" ? "sequential" : "functional";
        layers.emplace_back(
            GraphModel<Scalar, Device>{layer.name, !own_name(layer.name, usual).empty(), 0,
                                       std::make_shared<const Graph<Scalar, Device>>(
                                           graph_of(*layer.model, own, layer.where))});
    }
    std::vector<GraphInput> inputs;
    std::vector<std::string> names;
    for (const LayerText& input : text.inputs) {
        inputs.push_back({read_input_layer(input)});
        names.push_back(own_input_name(input));
    }
    if (keras_order(text.nodes, text.outputs).size() != text.nodes.size()) {
        throw IoError(concat(file, ": its architecture has layers that do not lead to its output"));
    }
    auto graph = ordered_graph<Scalar, Device>(layers, text.nodes, std::move(inputs),
                                               std::move(names), text.outputs);
    graph.name = text.name;
    return graph;
}

}  // namespace weft::detail
