// Graphs in Keras's JSON, read: a compiled part of weft::io, as io.cpp is.
#include "weft/io/detail/graph_text.hpp"

#include <map>
#include <span>

namespace weft::detail {

namespace {

/// The layers of a Sequential's config, each applied to the one before.
GraphText read_sequential(const Json& config, const std::string& file) {
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

/// Reads the layers and nodes of a Functional model's config.
class GraphReader {
public:
    GraphReader(const Json& config, const std::string& file) : config_(config), file_(file) {}

    GraphText read() {
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

    void read_layer(const Json& layer) {
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
        const bool is_new = names_.insert({*name->text(), {nodes_, nodes, is_input}}).second;
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

    void read_nodes(std::size_t layer) {
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
                "is applied to something that is not a __keras_tensor__ with a keras_history");
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
        require(
            application >= 0 && static_cast<std::uint64_t>(application) < applications, where,
            concat("reads application ", application, " of ", name, ", which has ", applications));
        return is_input ? graph_input : first_node + static_cast<std::size_t>(application);
    }

    /// The node that a reference names, or a list of one reference.
    std::size_t only(std::string_view field) const {
        const std::string where = concat(file_, ": ", field, " of its architecture");
        const Json* list = config_.find(field);
        require(list && list->array(), where, "is not a list");
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

}  // namespace

Json::Array value_reference(std::string_view layer, Index application) {
    Json::Array reference;
    reference.emplace_back(layer);
    reference.emplace_back(application);
    reference.emplace_back(0);
    return reference;
}

Json class_and_config(std::string_view class_name, Json config) {
    Json::Object object;
    object.push_back({"class_name", class_name});
    object.push_back({"config", std::move(config)});
    return object;
}

GraphText read_graph(const Json& architecture, const std::string& file) {
    const Json* class_name = architecture.find("class_name");
    const Json* config = architecture.find("config");
    const auto is = [&](std::string_view name) {
        return class_name && class_name->text() && *class_name->text() == name && config;
    };
    if (is("Sequential")) return read_sequential(*config, file);
    if (is("Functional")) return GraphReader(*config, file).read();
    throw IoError(concat(file, ": its architecture is not that of a Sequential or Functional"));
}

Shape read_input_layer(const LayerText& layer) {
    const Json* batch_shape = layer.config->find("batch_shape");
    const auto require = [&](bool holds) {
        if (!holds) throw IoError(concat(layer.where, ": is not an InputLayer with a batch_shape"));
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

}  // namespace weft::detail
