/// \file
/// Graphs as Keras's JSON of a Sequential or Functional model has them. What is only declared here is
/// in src/io/graph_text.cpp.
#pragma once

#include "weft/io/detail/json.hpp"
#include "weft/model/graph_order.hpp"
#include "weft/model/model.hpp"

namespace weft::detail {

/// A layer as the text has it.
struct LayerText {
    std::string class_name;
    const Json* config;
    std::string where;  ///< begins errors
};

/// The layers of an architecture behind its input, and what each is applied to. They point into
/// the JSON.
struct GraphText {
    LayerText input;
    std::vector<LayerText> layers;
    std::vector<LooseNode> nodes;
    std::size_t output = 0;  ///< node
};

/// [name, application, 0]: what a layer computes where it is applied for that time, from 0.
Json::Array value_reference(std::string_view layer, Index application);

/// {"class_name": ..., "config": ...}
Json class_and_config(std::string_view class_name, Json config);

/// The layers and nodes of an architecture. They point into it.
GraphText read_graph(const Json& architecture, const std::string& file);

/// The shape of one sample that an InputLayer declares.
Shape read_input_layer(const LayerText& layer);

/// Graphs in the words of Keras. `layers` are {"class_name": ..., "config": ...} in their order.
template <class Scalar, class Device>
class GraphWriter {
public:
    WEFT_COLD explicit GraphWriter(const Model<Scalar, Device>& model) : model_(model) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < model.layer_count(); ++i) names.push_back(model.layer_name(i));
        input_ = free_name("input_layer", names);
    }

    WEFT_COLD Json::Object functional(Json input, Json::Array layers) const {
        const auto& graph = model_.graph();
        std::vector<Json::Array> applied(layers.size());
        std::vector<Index> applications;
        for (const GraphNode& node : graph.nodes) {
            applications.push_back(static_cast<Index>(applied[node.layer].size()));
            Json::Array tensors, arguments;
            for (const std::size_t value : graph.inputs_of(node)) {
                tensors.push_back(tensor(value, applications));
            }
            if (model_.layer(node.layer).is_merge()) {
                arguments.emplace_back(std::move(tensors));
            } else {
                arguments = std::move(tensors);
            }
            Json::Object call;
            call.push_back({"args", std::move(arguments)});
            call.push_back({"kwargs", Json::Object()});
            applied[node.layer].emplace_back(std::move(call));
        }
        Json::Array all;
        all.push_back(named(std::move(input), input_, {}));
        for (std::size_t i = 0; i < layers.size(); ++i) {
            all.push_back(named(std::move(layers[i]), model_.layer_name(i), std::move(applied[i])));
        }
        Json::Object config;
        config.push_back({"name", "functional"});
        config.push_back({"layers", std::move(all)});
        config.push_back({"input_layers", value_reference(input_, 0)});
        config.push_back({"output_layers", reference(graph.nodes.size(), applications)});
        return config;
    }

private:
    static Json named(Json layer, std::string_view name, Json::Array inbound_nodes) {
        Json::Object result;
        result.push_back({"module", "keras.layers"});
        for (Json::Member& member : *layer.object()) result.push_back(std::move(member));
        result.push_back({"name", name});
        result.push_back({"inbound_nodes", std::move(inbound_nodes)});
        return result;
    }

    Json::Array reference(std::size_t value, const std::vector<Index>& applications) const {
        if (value == 0) return value_reference(input_, 0);
        return value_reference(model_.layer_name(model_.graph().nodes[value - 1].layer),
                               applications[value - 1]);
    }

    Json tensor(std::size_t value, const std::vector<Index>& applications) const {
        const Shape& sample =
            value == 0 ? model_.input_shape()
                       : model_.layer(model_.graph().nodes[value - 1].layer).output_shape();
        Json::Array shape;
        shape.emplace_back();
        for (const Index extent : sample) shape.emplace_back(extent);
        Json::Object config, result;
        config.push_back({"shape", std::move(shape)});
        config.push_back({"dtype", sizeof(Scalar) == 4 ? "float32" : "float64"});
        config.push_back({"keras_history", reference(value, applications)});
        result.push_back({"class_name", "__keras_tensor__"});
        result.push_back({"config", std::move(config)});
        return result;
    }

    const Model<Scalar, Device>& model_;
    std::string input_;
};

}  // namespace weft::detail
