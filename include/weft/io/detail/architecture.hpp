/// \file
/// The architecture of a model as JSON, in the words of Keras.
#pragma once

#include "weft/io/detail/graph_text.hpp"
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

/// {"class_name": ..., "config": ...}
WEFT_COLD inline Json class_and_config(std::string_view class_name, Json config) {
    Json::Object object;
    object.push_back({"class_name", class_name});
    object.push_back({"config", std::move(config)});
    return object;
}

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

/// What keras.models.model_from_json takes for a Sequential of these layers behind an InputLayer,
/// or for a Functional model where the model is no chain.
template <class Scalar, class Device>
WEFT_COLD std::string architecture_text(const Model<Scalar, Device>& model, Json::Array layers) {
    Json::Array batch_shape, all;
    batch_shape.emplace_back();
    for (const Index extent : model.input_shape()) batch_shape.emplace_back(extent);
    Json::Object input, config, result;
    input.push_back({"batch_shape", std::move(batch_shape)});
    Json input_layer = class_and_config("InputLayer", std::move(input));
    const bool is_chain = model.graph().is_chain();
    if (is_chain) {
        all.push_back(std::move(input_layer));
        for (Json& layer : layers) all.push_back(std::move(layer));
        config.push_back({"name", "sequential"});
        config.push_back({"layers", std::move(all)});
    } else {
        const GraphWriter writer(model);
        config = writer.functional(std::move(input_layer), std::move(layers));
    }
    // Keras has no public name for Functional.
    result.push_back({"module", is_chain ? "keras" : "keras.src.models.functional"});
    result.push_back({"class_name", is_chain ? "Sequential" : "Functional"});
    result.push_back({"config", std::move(config)});
    return to_text(std::move(result), "save_model");
}

/// The layers of a Sequential's config, each applied to the one before.
WEFT_COLD inline GraphText read_sequential(const Json& config, const std::string& file) {
    const auto require = [&](bool holds, std::string_view complaint) {
        if (!holds) throw IoError(concat(file, ": ", complaint));
    };
    const Json* layers = config.find("layers");
    require(layers && layers->array() && !layers->array()->empty(),
            "its architecture is not that of a Sequential");
    // Names are told apart by comparing all, which for a hostile file of millions would never end.
    require(layers->array()->size() <= 10'000, "its architecture has more than 10000 layers");
    GraphText text{};
    std::size_t read = 0;
    for (const Json& layer : *layers->array()) {
        const Json* type = layer.find("class_name");
        const Json* fields = layer.find("config");
        require(type && type->text() && fields && layer.object()->size() == 2,
                concat("layer ", read,
                       " of its architecture has other fields than "
                       "class_name and config"));
        LayerText found{*type->text(), fields, concat(file, ": layer ", read, ", ", *type->text())};
        if (read++ == 0) {
            text.input = std::move(found);
            continue;
        }
        text.output = text.nodes.size();
        text.nodes.push_back({text.output, {text.output == 0 ? graph_input : text.output - 1}});
        text.layers.push_back(std::move(found));
    }
    return text;
}

/// The layers and nodes of an architecture. They point into it.
WEFT_COLD inline GraphText read_graph(const Json& architecture, const std::string& file) {
    const Json* class_name = architecture.find("class_name");
    const Json* config = architecture.find("config");
    const auto is = [&](std::string_view name) {
        return class_name && class_name->text() && *class_name->text() == name && config;
    };
    if (is("Sequential")) return read_sequential(*config, file);
    if (is("Functional")) return GraphReader(*config, file).read();
    throw IoError(concat(file, ": its architecture is not that of a Sequential or Functional"));
}

/// The shape of one sample that an InputLayer declares.
WEFT_COLD inline Shape read_input_layer(const LayerText& layer) {
    const Json* batch_shape = layer.config->find("batch_shape");
    const auto require = [&](bool holds) {
        if (!holds) throw IoError(concat(layer.where, ": is no InputLayer with a batch_shape"));
    };
    require(layer.class_name == "InputLayer" && batch_shape && batch_shape->array() &&
            layer.config->object()->size() == 1);
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
    return architecture_text(model, std::move(layers));
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

}  // namespace weft::detail
