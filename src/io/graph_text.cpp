// Reads graphs from Keras's JSON: a compiled part of weft::io, like io.cpp.
#include "weft/io/detail/graph_text.hpp"

#include <map>
#include <numeric>

namespace weft::detail {

namespace {

GraphText read_model(std::string_view class_name, const Json& config, const std::string& where);

/// Reads the layers and nodes of a Functional model's config.
class GraphReader {
public:
    GraphReader(const Json& config, const std::string& file) : config_(config), file_(file) {}

    GraphText read() {
        const Json* layers = config_.find("layers");
        require(layers && layers->array() && !layers->array()->empty(), "has no layers");
        // Most models have some hundred. A graph takes longer to process than its text.
        require(layers->array()->size() <= 10'000, "has more than 10000 layers");
        for (const Json& layer : *layers->array()) read_layer(layer);
        require(!text_.inputs.empty(), "has no InputLayer, expected one");
        read_inputs();
        for (std::size_t i = 0; i < applied_.size(); ++i) read_nodes(i);
        text_.outputs = values("output_layers", true);
        // Checking that names differ takes quadratic time.
        require(text_.inputs.size() <= 1000, "has more than 1000 inputs");
        require(text_.outputs.size() <= 1000, "has more than 1000 outputs");
        const auto computes = [](const LooseValue& value) { return !value.is_input(); };
        require(std::ranges::any_of(text_.outputs, computes), "has its input as its output");
        return std::move(text_);
    }

private:
    struct Layer {
        std::size_t first_node, nodes;  ///< of an input: its number
        bool is_input, is_functional;
        std::size_t outputs;
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
        LayerText text{*type->text(), fields, where, *name->text()};
        std::size_t outputs = 1;
        if (text.class_name == "Functional" || text.class_name == "Sequential") {
            text.model = std::make_shared<const GraphText>(
                read_model(text.class_name, *fields, concat(where, ", ", text.class_name)));
            outputs = text.model->outputs.size();
            for (const LooseValue& output : text.model->outputs) {
                require(!output.is_input(), where,
                        "has an input as an output, which a model used as a layer may not have");
            }
        }
        const std::size_t first = is_input ? text_.inputs.size() : nodes_;
        const bool is_new =
            names_
                .insert({*name->text(),
                         {first, nodes, is_input, text.class_name == "Functional", outputs}})
                .second;
        require(is_new, where, "has the name of another layer");
        if (is_input) {
            require(nodes == 0, where, "is an input and has inbound nodes");
            text_.inputs.push_back(std::move(text));
        } else {
            require(nodes > 0, where, "is applied to nothing");
            text.where += concat(", ", text.class_name);
            text_.layers.push_back(std::move(text));
            applied_.push_back(inbound->array());
        }
        nodes_ += nodes;
    }

    /// Puts the inputs into the model's order.
    void read_inputs() {
        place_.resize(text_.inputs.size());
        std::iota(place_.begin(), place_.end(), std::size_t{0});
        const std::vector<LooseValue> order = values("input_layers");
        std::vector<LayerText> inputs;
        std::vector<bool> is_known(place_.size());
        for (const LooseValue& input : order) {
            require(input.is_input(),
                    "has a layer's output as its input, expected that of its InputLayer");
            require(!is_known[input.input()], "has an input twice");
            is_known[input.input()] = true;
            place_[input.input()] = inputs.size();
            inputs.push_back(text_.inputs[input.input()]);
        }
        require(inputs.size() == text_.inputs.size(),
                "has an InputLayer that is not among its input_layers");
        text_.inputs = std::move(inputs);
    }

    void read_nodes(std::size_t layer) {
        const std::string& where = text_.layers[layer].where;
        const GraphText* const model = text_.layers[layer].model.get();
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
            if (model != nullptr) {
                require(loose.inputs.size() == model->inputs.size(), where,
                        concat("is applied to ", loose.inputs.size(), " values, expected ",
                               model->inputs.size()));
                count(model->connections);
            }
            text_.nodes.push_back(std::move(loose));
        }
    }

    /// Connections take longer to process than their text; those of a model, at each application.
    void count(std::size_t connections) {
        text_.connections += connections;
        require(text_.connections <= most_connections, "has more than 100000 connections");
    }

    LooseValue tensor(const Json& json, const std::string& where) {
        const Json *type = json.find("class_name"), *config = json.find("config");
        const Json* history = config ? config->find("keras_history") : nullptr;
        require(type && type->text() && *type->text() == "__keras_tensor__" && history, where,
                "is applied to something that is not a __keras_tensor__ with a keras_history");
        count(1);
        return value(*history, where);
    }

    /// The value that [name, application, output] names. Among the outputs of a graph, Keras counts
    /// the applications of a Functional from 1.
    LooseValue value(const Json& json, const std::string& where, bool is_output = false) const {
        const Json::Array* parts = json.array();
        require(parts && parts->size() == 3 && (*parts)[0].text() && (*parts)[1].integer() &&
                    (*parts)[2].integer(),
                where, "has a reference that is not [name of a layer, application, output]");
        const std::string& name = *(*parts)[0].text();
        const auto found = names_.find(name);
        require(found != names_.end(), where,
                concat("reads ", name, ", which is not the name of a layer"));
        const auto& [first, nodes, is_input, is_functional, outputs] = found->second;
        const std::int64_t counted = *(*parts)[1].integer();
        const std::int64_t begin = is_output && is_functional ? 1 : 0;
        const std::int64_t output = *(*parts)[2].integer();
        const std::size_t applications = is_input ? 1 : nodes;
        require(counted >= begin && static_cast<std::uint64_t>(counted - begin) < applications,
                where,
                concat("reads application ", counted, " of ", name, ", which has ", applications,
                       begin == 0 ? "" : ", counted from 1"));
        require(output >= 0 && static_cast<std::uint64_t>(output) < outputs, where,
                concat("reads output ", output, " of ", name, ", which has ", outputs));
        if (is_input) return {graph_input - place_[first]};
        return {first + static_cast<std::size_t>(counted - begin),
                static_cast<std::size_t>(output)};
    }

    /// The values of a reference, or of a list of references.
    std::vector<LooseValue> values(std::string_view field, bool are_outputs = false) const {
        const std::string where = concat(file_, ": ", field, " of its architecture");
        const Json* list = config_.find(field);
        require(list && list->array() && !list->array()->empty(), where, "is not a list");
        if (list->array()->front().text()) return {value(*list, where, are_outputs)};
        std::vector<LooseValue> result;
        for (const Json& reference : *list->array())
            result.push_back(value(reference, where, are_outputs));
        return result;
    }

    const Json& config_;
    std::string file_;
    GraphText text_{};
    std::map<std::string, Layer> names_;
    std::vector<const Json::Array*> applied_;  ///< the inbound nodes of each layer but inputs
    std::vector<std::size_t> place_;           ///< of each InputLayer, its place among the inputs
    std::size_t nodes_ = 0;
};

/// The layers of a Sequential's config, each applied to the one before.
GraphText read_sequential(const Json& config, const std::string& file) {
    const auto require = [&](bool holds, std::string_view complaint) {
        if (!holds) throw IoError(concat(file, ": ", complaint));
    };
    const Json* layers = config.find("layers");
    require(layers && layers->array() && !layers->array()->empty(),
            "its architecture is not that of a Sequential");
    // Checking that names differ takes quadratic time, too long for millions of layers in a hostile
    // file.
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
            text.inputs.push_back(std::move(found));
            continue;
        }
        const std::size_t i = text.nodes.size();
        text.nodes.push_back({i, {{i == 0 ? graph_input : i - 1}}});
        text.layers.push_back(std::move(found));
        ++text.connections;
    }
    require(!text.nodes.empty(), "its architecture has no layers behind its input");
    text.outputs.push_back({text.nodes.size() - 1});
    return text;
}

/// The layers and nodes of a model's config.
GraphText read_model(std::string_view class_name, const Json& config, const std::string& where) {
    GraphText text = class_name == "Sequential" ? read_sequential(config, where)
                                                : GraphReader(config, where).read();
    const Json* name = config.find("name");
    const std::string_view usual = class_name == "Sequential" ? "sequential" : "functional";
    if (name != nullptr && name->text()) text.name = own_name(*name->text(), usual);
    return text;
}

}  // namespace

GraphText read_graph(const Json& architecture, const std::string& file) {
    const Json* class_name = architecture.find("class_name");
    const Json* config = architecture.find("config");
    const auto is = [&](std::string_view name) {
        return class_name && class_name->text() && *class_name->text() == name && config;
    };
    if (is("Sequential") || is("Functional")) {
        GraphText text = read_model(*class_name->text(), *config, file);
        // Keras counts the names only of models in a model.
        const Json* name = config->find("name");
        const bool is_usual = name == nullptr || !name->text() || *name->text() == "sequential" ||
                              *name->text() == "functional";
        if (!is_usual) text.name = *name->text();
        return text;
    }
    throw IoError(concat(file, ": its architecture is not that of a Sequential or Functional"));
}

}  // namespace weft::detail
