/// \file
/// A graph as its author wrote it: with models as layers, and names for inputs and outputs.
#pragma once

#include "weft/core/contains.hpp"
#include "weft/model/graph_parts.hpp"

namespace weft::detail {

/// A layer or a model of a graph, and the values it is applied to.
struct OutlineItem {
    std::string name = {};  ///< within the graph: "dense", "encoder"
    std::size_t layer = 0;  ///< of a model: its first
    std::size_t layers = 1;
    bool is_model = false;
    std::size_t model = 0;
    std::vector<std::vector<std::size_t>> applications = {};  ///< values
};

/// The source of a value in Keras's form: [name, application, output].
struct OutlineValue {
    std::string name = {};
    Index application = 0, output = 0;
};

struct GraphOutline {
    std::vector<std::string> inputs;
    std::vector<OutlineItem> items;
    std::vector<OutlineValue> values;  ///< values inside models have no name
    std::vector<std::string> outputs;
};

/// Inputs without a name are input_layer, input_layer_1, ...; an output has the name of the layer
/// or model that computes it, with a number if another has that, too. Throws ArgumentError for two
/// layers, models or inputs of one name, and for a name with a /.
template <class Scalar, class Device>
WEFT_COLD GraphOutline outline(const Graph<Scalar, Device>& graph) {
    GraphOutline result;
    std::vector<std::string> taken;
    std::vector<std::size_t> item_of(graph.layers.size());
    const auto& [input_names, models, calls] = parts_of(graph);
    for (std::size_t layer = 0, model = 0; layer < graph.layers.size();) {
        const auto& declaration = graph.layers[layer];
        OutlineItem item{.layer = layer};
        if (model < models.size() && models[model].first_layer == layer) {
            const auto& inner = models[model];
            item.name = unique_name(inner.name, inner.named, taken);
            item.layers = inner.graph->layers.size();
            item.is_model = true;
            item.model = model++;
        } else {
            item.name = unique_name(declaration.name(), declaration.named(), taken);
        }
        taken.push_back(item.name);
        for (std::size_t i = 0; i < item.layers; ++i) item_of[layer++] = result.items.size();
        result.items.push_back(std::move(item));
    }
    for (std::size_t k = 0; k < graph.inputs.size(); ++k) {
        const std::string given = k < input_names.size() ? input_names[k] : "";
        require_no_slash(given);
        if (contains(result.inputs, given)) {
            throw ArgumentError(join({"model: two inputs are named ", given}));
        }
        if (!given.empty() && contains(taken, given)) {
            throw ArgumentError(join({"model: an input has the name of a layer, ", given}));
        }
        const std::string name = given.empty() ? unique_name("input_layer", false, taken) : given;
        result.inputs.push_back(taken.emplace_back(name));
    }

    result.values.resize(graph.value_of(graph.nodes.size()));
    for (std::size_t k = 0; k < graph.inputs.size(); ++k) result.values[k].name = result.inputs[k];
    auto call = calls.begin();
    for (std::size_t node = 0; node < graph.nodes.size();) {
        const GraphNode& first = graph.nodes[node];
        OutlineItem& item = result.items[item_of[first.layer]];
        const auto application = std::ssize(item.applications);
        if (!item.is_model) {
            const auto read = graph.inputs_of(first);
            item.applications.emplace_back(read.begin(), read.end());
            result.values[graph.value_of(node++)] = {item.name, application, 0};
            continue;
        }
        item.applications.push_back(call->inputs);
        for (std::size_t k = 0; k < call->outputs.size(); ++k) {
            OutlineValue& value = result.values[call->outputs[k]];
            // An output of the model may be its input, or another output.
            if (value.name.empty()) value = {item.name, application, static_cast<Index>(k)};
        }
        node += models[item.model].graph->nodes.size();
        ++call;
    }
    for (const std::size_t value : graph.outputs) {
        result.outputs.push_back(unique_name(result.values[value].name, false, result.outputs));
    }
    return result;
}

}  // namespace weft::detail
