/// \file
/// The architecture of a model as JSON, in the words of Keras.
#pragma once

#include "weft/io/detail/graph_text.hpp"
#include "weft/io/detail/json_fields.hpp"
#include "weft/io/layer_formats.hpp"
#include "weft/model/sequential.hpp"

namespace weft::detail {

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

/// A layer of weft's with these fields, as Keras has it.
template <class Scalar, class Device>
WEFT_COLD Json keras_layer(const LayerFormat<Scalar, Device>& format, JsonFields& field) {
    if (format.keras_name().empty()) return class_and_config(format.type(), field.result());
    std::string activation(format.keras_activation());
    if (!activation.empty()) field("activation", activation);
    return class_and_config(format.keras_name(), field.result());
}

/// The format of that type; null when there is none.
template <class Scalar, class Device>
WEFT_COLD const LayerFormat<Scalar, Device>* find_format(
    const std::vector<LayerFormat<Scalar, Device>>& formats, std::string_view type) {
    const auto found =
        std::ranges::find_if(formats, [&](const auto& format) { return format.type() == type; });
    return found == formats.end() ? nullptr : &*found;
}

/// The format of weft's with that name in Keras, or that type; null when there is none.
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

/// The text of a built model's architecture. `own` are formats of layers that are not weft's.
template <class Scalar, class Device>
WEFT_COLD std::string write_architecture(const Model<Scalar, Device>& model,
                                         const std::vector<LayerFormat<Scalar, Device>>& own) {
    const auto formats = weft_layer_formats<Scalar, Device>();
    Json::Array layers;
    for (const auto& declaration : model.declarations()) {
        JsonFields field;
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
    return architecture_text(model, std::move(layers));
}

/// The layers that these texts describe.
template <class Scalar, class Device>
WEFT_COLD std::vector<LayerDeclaration<Scalar, Device>> read_layers(
    std::span<const LayerText> texts, const std::vector<LayerFormat<Scalar, Device>>& own) {
    const auto formats = weft_layer_formats<Scalar, Device>();
    std::vector<LayerDeclaration<Scalar, Device>> layers;
    for (const LayerText& text : texts) {
        JsonFields field(*text.config, text.where);
        const auto* format = find_format(own, text.class_name);
        if (format == nullptr) format = find_keras_format(formats, text.class_name, field);
        field.require(format != nullptr,
                      concat("a type that is not known here; name it: load_model(path, {",
                             text.class_name, "{}})"));
        layers.push_back(format->read(field));
        field.require_all_known();
    }
    return layers;
}

}  // namespace weft::detail
