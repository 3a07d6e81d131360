/// \file
/// Graphs as Keras's JSON of a Functional model has them.
#pragma once

#include "weft/io/detail/json.hpp"
#include "weft/model/graph_order.hpp"
#include "weft/model/model.hpp"

#include <map>

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
WEFT_COLD inline Json::Array value_reference(std::string_view layer, Index application) {
    Json::Array reference;
    reference.emplace_back(layer);
    reference.emplace_back(application);
    reference.emplace_back(0);
    return reference;
}

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
            all.push_back(
                named(std::move(layers[i]), model_.layer_name(i), std::move(applied[i])));
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
        const Shape& sample = value == 0 ? model_.input_shape()
                                         : model_.layer(model_.graph().nodes[value - 1].layer)
                                               .output_shape();
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

/// Reads the layers and nodes of a Functional model's config.
class GraphReader {
public:
    GraphReader(const Json& config, const std::string& file) : config_(config), file_(file) {}

    WEFT_COLD GraphText read() {
        const Json* layers = config_.find("layers");
        require(layers && layers->array() && !layers->array()->empty(), "has no layers");
        // Most models have some hundred. What is done with a graph takes longer than its text does.
        require(layers->array()->size() <= 10'000, "has more than 10000 layers");
        for (const Json& layer : *layers->array()) read_layer(layer);
        require(text_.input.config != nullptr, "has no InputLayer, expected one");
        for (std::size_t i = 0; i < applied_.size(); ++i) read_nodes(i);
        require(only("input_layers") == graph_input,
                "has an output of a layer for its input, expected that of its InputLayer");
        text_.output = only("output_layers");
        require(text_.output != graph_input, "has its input for its output");
        return std::move(text_);
    }

private:
    struct Layer {
        std::size_t first_node, nodes;  ///< none of the input
        bool is_input;
    };

    static constexpr std::size_t most_connections = 100'000;

    void require(bool holds, std::string_view complaint) const {
        if (!holds) throw IoError(concat(file_, ": its architecture ", complaint));
    }
    static void require(bool holds, const std::string& where, std::string_view complaint) {
        if (!holds) throw IoError(concat(where, ": ", complaint));
    }

    WEFT_COLD void read_layer(const Json& layer) {
        const Json *type = layer.find("class_name"), *fields = layer.find("config"),
                   *name = layer.find("name"), *inbound = layer.find("inbound_nodes"),
                   *module = layer.find("module");
        const std::string at = concat(file_, ": layer ", names_.size());
        require(type && type->text() && fields && fields->object() && name && name->text() &&
                    inbound && inbound->array() &&
                    layer.object()->size() == (module == nullptr ? 4u : 5u),
                at, "has other fields than module, class_name, config, name and inbound_nodes");
        const std::string where = concat(at, ", ", *name->text());
        const bool is_input = *type->text() == "InputLayer";
        const std::size_t nodes = inbound->array()->size();
        const bool is_new =
            names_.insert({*name->text(), {nodes_, nodes, is_input}}).second;
        require(is_new, where, "has the name of another layer");
        if (is_input) {
            require(text_.input.config == nullptr, where, "is a second input, expected one");
            require(nodes == 0, where, "an input is applied to something");
            text_.input = {*type->text(), fields, where};
        } else {
            require(nodes > 0, where, "is applied to nothing");
            text_.layers.push_back({*type->text(), fields, concat(where, ", ", *type->text())});
            applied_.push_back(inbound->array());
        }
        nodes_ += nodes;
    }

    WEFT_COLD void read_nodes(std::size_t layer) {
        const std::string& where = text_.layers[layer].where;
        for (const Json& node : *applied_[layer]) {
            const Json *args = node.find("args"), *kwargs = node.find("kwargs");
            require(args && args->array() && args->array()->size() == 1 && kwargs &&
                        kwargs->object() && kwargs->object()->empty(),
                    where, "is applied to other arguments than one value or one list of values");
            LooseNode loose{layer};
            const Json& read = args->array()->front();
            if (read.array() == nullptr) {
                loose.inputs.push_back(tensor(read, where));
            } else {
                for (const Json& one : *read.array()) loose.inputs.push_back(tensor(one, where));
            }
            require(!loose.inputs.empty(), where, "is applied to an empty list");
            text_.nodes.push_back(std::move(loose));
        }
    }

    std::size_t tensor(const Json& json, const std::string& where) {
        const Json *type = json.find("class_name"), *config = json.find("config");
        const Json* history = config ? config->find("keras_history") : nullptr;
        require(type && type->text() && *type->text() == "__keras_tensor__" && history, where,
                "is applied to something that is no __keras_tensor__ with a keras_history");
        require(++connections_ <= most_connections, "has more than 100000 connections");
        return value(*history, where);
    }

    /// The node that [name, application, 0] names.
    std::size_t value(const Json& json, const std::string& where) const {
        const Json::Array* parts = json.array();
        require(parts && parts->size() == 3 && (*parts)[0].text() && (*parts)[1].integer() &&
                    (*parts)[2].integer() && *(*parts)[2].integer() == 0,
                where, "has a reference that is not [name of a layer, application, 0]");
        const std::string& name = *(*parts)[0].text();
        const auto found = names_.find(name);
        require(found != names_.end(), where,
                concat("reads ", name, ", which is the name of no layer"));
        const std::int64_t application = *(*parts)[1].integer();
        const auto& [first_node, nodes, is_input] = found->second;
        const std::size_t applications = is_input ? 1 : nodes;
        require(application >= 0 && static_cast<std::uint64_t>(application) < applications, where,
                concat("reads application ", application, " of ", name, ", which has ",
                       applications));
        return is_input ? graph_input : first_node + static_cast<std::size_t>(application);
    }

    /// The node that a reference names, or a list of one reference.
    std::size_t only(std::string_view field) const {
        const std::string where = concat(file_, ": ", field, " of its architecture");
        const Json* list = config_.find(field);
        require(list && list->array(), where, "is no list");
        if (!list->array()->empty() && list->array()->front().text()) return value(*list, where);
        require(list->array()->size() == 1, where,
                concat("has ", list->array()->size(), " entries, expected 1"));
        return value(list->array()->front(), where);
    }

    const Json& config_;
    std::string file_;
    GraphText text_{};
    std::map<std::string, Layer> names_;
    std::vector<const Json::Array*> applied_;  ///< to what, of each layer but the input
    std::size_t nodes_ = 0, connections_ = 0;
};

}  // namespace weft::detail
