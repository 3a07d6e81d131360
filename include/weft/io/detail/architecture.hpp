/// \file
/// The architecture of a model as JSON, in the words of Keras.
#pragma once

#include "weft/io/detail/graph_text.hpp"
#include "weft/io/detail/graph_writer.hpp"
#include "weft/io/layer_formats.hpp"
#include "weft/model/sequential.hpp"

namespace weft::detail {

/// A type whose name in Keras is another; those that are one of Keras's activations are an
/// Activation there.
struct KerasName {
    std::string_view type, class_name, activation = {};
};

inline constexpr KerasName keras_names[] = {
    {"MaxPool2D", "MaxPooling2D"},
    {"AveragePool2D", "AveragePooling2D"},
    {"GlobalMaxPool2D", "GlobalMaxPooling2D"},
    {"GlobalAveragePool2D", "GlobalAveragePooling2D"},
    {"BatchNorm", "BatchNormalization"},
    {"GELU", "Activation", "gelu"},
    {"SiLU", "Activation", "silu"},
    {"Sigmoid", "Activation", "sigmoid"},
    {"Tanh", "Activation", "tanh"},
};

/// The layer of weft's type with these fields.
WEFT_COLD inline Json keras_layer(std::string_view type, LayerFields& field) {
    const auto* name = std::ranges::find(keras_names, type, &KerasName::type);
    if (name == std::end(keras_names)) return class_and_config(type, field.result());
    std::string activation(name->activation);
    if (!activation.empty()) field("activation", activation);
    return class_and_config(name->class_name, field.result());
}

/// weft's name for the type of a layer.
WEFT_COLD inline std::string weft_type(const std::string& class_name, LayerFields& field) {
    for (const KerasName& name : keras_names) {
        if (name.class_name != class_name) continue;
        if (name.activation.empty()) return std::string(name.type);
        std::string activation;
        field("activation", activation);
        if (name.activation == activation) return std::string(name.type);
    }
    return class_name;
}

/// The layers and nodes of an architecture. They point into it.
WEFT_COLD inline GraphText read_graph(const Json& architecture, const std::string& file) {
    const Json* class_name = architecture.find("class_name");
    const Json* config = architecture.find("config");
    const auto is = [&](std::string_view name) {
        return class_name && class_name->text() && *class_name->text() == name && config;
    };
    if (is("Sequential") || is("Functional")) return read_model(*class_name->text(), *config, file);
    throw IoError(concat(file, ": its architecture is not that of a Sequential or Functional"));
}

/// The shape of one sample that an InputLayer declares.
WEFT_COLD inline Shape read_input_layer(const LayerText& layer) {
    const Json* batch_shape = layer.config->find("batch_shape");
    const auto require = [&](bool holds) {
        if (!holds) throw IoError(concat(layer.where, ": is no InputLayer with a batch_shape"));
    };
    require(layer.class_name == "InputLayer" && batch_shape && batch_shape->array() &&
            layer.config->object()->size() == (layer.config->find("name") ? 2u : 1u));
    const Json::Array& extents = *batch_shape->array();
    require(!extents.empty() && extents.size() <= Shape::max_rank + 1 && extents.front().is_null());
    std::vector<Index> shape;
    for (std::size_t axis = 1; axis < extents.size(); ++axis) {
        require(extents[axis].integer() != nullptr);
        shape.push_back(static_cast<Index>(*extents[axis].integer()));
    }
    try {
        return Shape(std::span<const Index>(shape));
    } catch (const ShapeError& error) {
        throw IoError(concat(layer.where, ": ", error.what()));
    }
}

/// The format of that type, a user's own before weft's; null when there is none.
template <class Scalar, class Device>
WEFT_COLD const LayerFormat<Scalar, Device>* find_format(
    const std::vector<LayerFormat<Scalar, Device>>& formats, std::string_view type) {
    const auto found =
        std::ranges::find_if(formats, [&](const auto& format) { return format.type() == type; });
    return found == formats.end() ? nullptr : &*found;
}

/// The text of a built model's architecture. `own` are formats of layers that are not weft's.
template <class Scalar, class Device>
WEFT_COLD std::string write_architecture(const Model<Scalar, Device>& model,
                                         const std::vector<LayerFormat<Scalar, Device>>& own) {
    const auto formats = weft_layer_formats<Scalar, Device>();
    Json::Array layers;
    for (const auto& declaration : model.declarations()) {
        LayerFields field;
        const auto writes = [&](const auto& format) { return format.write(declaration, field); };
        if (declaration.is_renamed()) field.rename(declaration.name());
        if (std::ranges::any_of(own, writes)) {
            layers.push_back(class_and_config(declaration.type(), field.result()));
        } else if (std::ranges::any_of(formats, writes)) {
            layers.push_back(keras_layer(declaration.type(), field));
        } else {
            throw ArgumentError(concat("save_model: layers of type ", declaration.type(),
                                       " are none of weft's; name the type: save_model(model, "
                                       "path, {",
                                       declaration.type(), "{}})"));
        }
    }
    return to_text(GraphWriter(model, std::move(layers)).model(), "save_model");
}

/// The layers that these texts describe.
template <class Scalar, class Device>
WEFT_COLD std::vector<LayerDeclaration<Scalar, Device>> read_layers(
    std::span<const LayerText> texts, const std::vector<LayerFormat<Scalar, Device>>& own) {
    const auto formats = weft_layer_formats<Scalar, Device>();
    std::vector<LayerDeclaration<Scalar, Device>> layers;
    for (const LayerText& text : texts) {
        LayerFields field(*text.config, text.where);
        const auto* format = find_format(own, text.class_name);
        if (format == nullptr) format = find_format(formats, weft_type(text.class_name, field));
        field.require(format != nullptr,
                      concat("a type that is not known here; name it: load_model(path, {",
                             text.class_name, "{}})"));
        layers.push_back(format->read(field));
        field.require_all_known();
    }
    return layers;
}

/// The graph that a text describes, and the shapes of its inputs.
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
        const bool is_chain = layer.class_name == "Sequential";
        const std::string name = own_name(layer.name, is_chain ? "sequential" : "functional");
        layers.emplace_back(GraphModel<Scalar, Device>{
            name.empty() ? (is_chain ? "sequential" : "functional") : name, !name.empty(), 0,
            std::make_shared<const Graph<Scalar, Device>>(
                graph_of(*layer.model, own, layer.where))});
    }
    std::vector<GraphInput> inputs;
    std::vector<std::string> names;
    for (const LayerText& input : text.inputs) {
        inputs.push_back({read_input_layer(input)});
        names.push_back(own_name(input.name, "input_layer"));
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
