/// \file
/// Graphs as Keras's JSON of a Functional or Sequential model.
#pragma once

#include "weft/io/detail/graph_text.hpp"
#include "weft/model/graph_outline.hpp"
#include "weft/model/model.hpp"

namespace weft::detail {

/// A model's graph in Keras's form: a chain is a Sequential with an InputLayer, another graph a
/// Functional. Models inside it likewise. `layers`: {"class_name": ..., "config": ...} in order.
template <class Scalar, class Device>
class GraphWriter {
public:
    GraphWriter(const Model<Scalar, Device>& model, Json::Array layers)
        : model_(model), layers_(std::move(layers)) {}

    /// {"module": ..., "class_name": ..., "config": ...}
    WEFT_COLD Json::Object model() {
        return model(model_.graph(), model_.name(), 0, model_.input_shapes());
    }

private:
    using Graph = weft::Graph<Scalar, Device>;

    WEFT_COLD Json::Object model(const Graph& graph, std::string_view name, std::size_t first_layer,
                                 const std::vector<Shape>& inputs) {
        const bool is_chain = graph.is_chain();
        Json::Object config, result;
        config.push_back({"name", name});
        if (is_chain) {
            Json::Array all;
            const auto& names = parts_of(graph).input_names;
            all.push_back(input_layer(inputs.front(), names.empty() ? "" : names.front()));
            for (std::size_t i = 0; i < graph.layers.size(); ++i) {
                all.push_back(std::move(layers_[first_layer + i]));
            }
            config.push_back({"layers", std::move(all)});
        } else {
            functional(config, graph, first_layer, inputs);
        }
        // Keras has no public name for Functional.
        result.push_back({"module", is_chain ? "keras" : "keras.src.models.functional"});
        result.push_back({"class_name", is_chain ? "Sequential" : "Functional"});
        result.push_back({"config", std::move(config)});
        return result;
    }

    WEFT_COLD void functional(Json::Object& config, const Graph& graph, std::size_t first_layer,
                              const std::vector<Shape>& inputs) {
        const GraphOutline outline = detail::outline(graph);
        const auto shape = [&](std::size_t value) {
            return graph.is_input(value)
                       ? inputs[value]
                       : model_.layer(first_layer + graph.nodes[graph.node_of(value)].layer)
                             .output_shape();
        };
        Json::Array all, input_layers, output_layers;
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            all.push_back(named("keras.layers",
                                input_layer(inputs[k], parts_of(graph).input_names.at(k)),
                                outline.inputs[k], {}));
            input_layers.emplace_back(reference(outline.values[k]));
        }
        for (const OutlineItem& item : outline.items) {
            Json::Array calls;
            for (const auto& application : item.applications) {
                calls.push_back(call(item, application, outline, shape, first_layer));
            }
            if (!item.is_model) {
                all.push_back(named("keras.layers", std::move(layers_[first_layer + item.layer]),
                                    item.name, std::move(calls)));
                continue;
            }
            std::vector<Shape> read;
            for (const std::size_t value : item.applications.front()) read.push_back(shape(value));
            const Graph& of_item = *parts_of(graph).models[item.model].graph;
            for (const std::size_t output : of_item.outputs) {
                if (!of_item.is_input(output)) continue;
                throw ArgumentError(
                    concat("save_model: ", item.name,
                           ", a model used as a layer, has an input as an output, which files "
                           "cannot express"));
            }
            Json::Object inner = model(of_item, item.name, first_layer + item.layer, read);
            const std::string module = *inner.front().value.text();
            inner.erase(inner.begin());
            all.push_back(named(module, std::move(inner), item.name, std::move(calls)));
        }
        for (const std::size_t value : graph.outputs) {
            output_layers.emplace_back(output_reference(graph, outline, outline.values[value]));
        }
        config.push_back({"layers", std::move(all)});
        config.push_back({"input_layers", one_or_all(std::move(input_layers))});
        config.push_back({"output_layers", one_or_all(std::move(output_layers))});
    }

    template <class ShapeOf>
    Json call(const OutlineItem& item, const std::vector<std::size_t>& read,
              const GraphOutline& outline, const ShapeOf& shape, std::size_t first_layer) const {
        Json::Array tensors, arguments;
        for (const std::size_t value : read) {
            tensors.push_back(tensor(outline.values[value], shape(value)));
        }
        const bool is_list =
            item.is_model ? read.size() > 1 : model_.layer(first_layer + item.layer).is_merge();
        if (is_list) {
            arguments.emplace_back(std::move(tensors));
        } else {
            arguments = std::move(tensors);
        }
        Json::Object result;
        result.push_back({"args", std::move(arguments)});
        result.push_back({"kwargs", Json::Object()});
        return result;
    }

    static Json named(std::string_view module, Json layer, std::string_view name,
                      Json::Array inbound_nodes) {
        Json::Object result;
        result.push_back({"module", module});
        for (Json::Member& member : *layer.object()) result.push_back(std::move(member));
        result.push_back({"name", name});
        result.push_back({"inbound_nodes", std::move(inbound_nodes)});
        return result;
    }

    static Json::Array shape_of(const Shape& sample) {
        Json::Array shape;
        shape.emplace_back();
        for (const Index extent : sample) shape.emplace_back(extent);
        return shape;
    }

    /// An InputLayer, with the user's name if there is one.
    static Json input_layer(const Shape& sample, std::string_view name) {
        Json::Object input;
        input.push_back({"batch_shape", shape_of(sample)});
        if (!name.empty()) input.push_back({"name", name});
        return class_and_config("InputLayer", std::move(input));
    }

    /// [name, application, output]
    static Json::Array reference(const OutlineValue& value) {
        Json::Array result;
        result.emplace_back(value.name);
        result.emplace_back(value.application);
        result.emplace_back(value.output);
        return result;
    }

    /// The reference of an output. There, unlike elsewhere, Keras counts the construction of a
    /// Functional as its first application.
    static Json::Array output_reference(const Graph& graph, const GraphOutline& outline,
                                        OutlineValue value) {
        for (const OutlineItem& item : outline.items) {
            if (item.name != value.name || !item.is_model) continue;
            if (!parts_of(graph).models[item.model].graph->is_chain()) ++value.application;
        }
        return reference(value);
    }

    /// Keras writes a single reference without a list around it.
    static Json one_or_all(Json::Array references) {
        if (references.size() == 1) return std::move(references.front());
        return references;
    }

    static Json tensor(const OutlineValue& value, const Shape& sample) {
        Json::Object config, result;
        config.push_back({"shape", shape_of(sample)});
        config.push_back({"dtype", sizeof(Scalar) == 4 ? "float32" : "float64"});
        config.push_back({"keras_history", reference(value)});
        result.push_back({"class_name", "__keras_tensor__"});
        result.push_back({"config", std::move(config)});
        return result;
    }

    const Model<Scalar, Device>& model_;
    Json::Array layers_;
};

}  // namespace weft::detail
