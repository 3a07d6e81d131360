/// \file
/// The order of a graph's nodes: Keras's order of layers.
#pragma once

#include "weft/model/detail/own_form.hpp"

#include <algorithm>
#include <optional>

namespace weft {

/// Inputs of a graph are numbered downwards from this, where other values have a node.
inline constexpr std::size_t graph_input = static_cast<std::size_t>(-1);

/// A value: computed by a node, or an input of the graph.
struct LooseValue {
    std::size_t node = graph_input;  ///< or graph_input - k: input k
    std::size_t output = 0;          ///< if the node applies a model

    bool is_input() const { return node > graph_input / 2; }
    std::size_t input() const { return graph_input - node; }
};

/// A node of a graph that is not ordered yet.
struct LooseNode {
    std::size_t layer = 0;
    std::vector<LooseValue> inputs = {};
};

/// The layer or the model that a node applies.
template <class Scalar, class Device>
struct LooseLayer {
    LooseLayer(LayerDeclaration<Scalar, Device> of) : layer(std::move(of)) {}
    LooseLayer(GraphModel<Scalar, Device> of) : model(std::move(of)) {}

    std::optional<LayerDeclaration<Scalar, Device>> layer = {};
    GraphModel<Scalar, Device> model = {};
};

namespace detail {

/// Walks the nodes back from the outputs, and measures their distances.
class LooseGraph {
public:
    static constexpr Index not_met = -1;

    WEFT_COLD explicit LooseGraph(Span<const LooseNode> nodes)
        : nodes_(nodes),
          node_rank_(nodes.size(), not_met),
          distance_(nodes.size()),
          is_finished_(nodes.size()),
          inputs_seen_(nodes.size()) {
        std::size_t layers = 0;
        for (const LooseNode& node : nodes) layers = (std::max)(layers, node.layer + 1);
        layer_rank_.assign(layers, not_met);
        layer_distance_.resize(layers);
    }

    /// Depth first, without recursion, since a hostile file may have a long chain.
    WEFT_COLD void walk_back(std::size_t output) {
        if (node_rank_[output] != not_met) return;
        std::vector<std::size_t> open;
        const auto meet = [&](std::size_t node) {
            node_rank_[node] = nodes_met_++;
            Index& rank = layer_rank_[nodes_[node].layer];
            if (rank == not_met) rank = layers_met_++;
            open.push_back(node);
        };
        meet(output);
        while (!open.empty()) {
            const std::size_t node = open.back();
            if (inputs_seen_[node] == nodes_[node].inputs.size()) {
                is_finished_[node] = true;
                finished_.push_back(node);
                open.pop_back();
                continue;
            }
            const LooseValue& input = nodes_[node].inputs[inputs_seen_[node]++];
            if (input.is_input()) continue;
            if (node_rank_[input.node] == not_met) {
                meet(input.node);
            } else if (!is_finished_[input.node]) {
                throw ArgumentError("model: a layer reads what is computed from its own output");
            }
        }
    }

    /// The longest distances to an output. A layer that is applied several times has the distance
    /// of its farthest node, also for nodes that are met later.
    WEFT_COLD void measure() {
        for (std::size_t i = finished_.size(); i-- > 0;) {
            const LooseNode& node = nodes_[finished_[i]];
            Index& distance = distance_[finished_[i]];
            distance = (std::max)(distance, layer_distance_[node.layer]);
            layer_distance_[node.layer] = distance;
            for (const LooseValue& input : node.inputs) {
                if (input.is_input()) continue;
                distance_[input.node] = (std::max)(distance_[input.node], distance + 1);
            }
        }
    }

    WEFT_COLD std::vector<std::size_t> order() const {
        std::vector<std::size_t> order = finished_;
        std::sort(order.begin(), order.end(),
                  [this](std::size_t a, std::size_t b) { return comes_before(a, b); });
        return order;
    }

private:
    bool comes_before(std::size_t a, std::size_t b) const {
        if (distance_[a] != distance_[b]) return distance_[a] > distance_[b];
        const Index rank_a = layer_rank_[nodes_[a].layer], rank_b = layer_rank_[nodes_[b].layer];
        return rank_a != rank_b ? rank_a < rank_b : node_rank_[a] < node_rank_[b];
    }

    Span<const LooseNode> nodes_;
    std::vector<Index> node_rank_, distance_, layer_rank_, layer_distance_;
    std::vector<bool> is_finished_;
    std::vector<std::size_t> inputs_seen_;  ///< of each node, on the way back
    std::vector<std::size_t> finished_;     ///< each behind the nodes that it reads
    Index nodes_met_ = 0, layers_met_ = 0;
};

}  // namespace detail

/// The nodes that outputs depend on, in Keras's order of layers: the farthest from the outputs
/// first; of equally far ones, the first on the way back from the outputs, depth first. Throws
/// ArgumentError for a node that depends on itself.
WEFT_COLD inline std::vector<std::size_t> keras_order(Span<const LooseNode> nodes,
                                                      Span<const LooseValue> outputs) {
    detail::LooseGraph graph(nodes);
    for (const LooseValue& output : outputs) {
        if (!output.is_input()) graph.walk_back(output.node);
    }
    graph.measure();
    return graph.order();
}

/// The same for nodes that number values as a Graph does.
template <class Node>
WEFT_COLD std::vector<std::size_t> keras_order_of(const std::vector<Node>& nodes,
                                                  std::size_t inputs,
                                                  Span<const std::size_t> outputs) {
    const auto loose = [&](std::size_t value) {
        return LooseValue{value < inputs ? graph_input - value : value - inputs};
    };
    std::vector<LooseNode> loose_nodes;
    for (const Node& node : nodes) {
        loose_nodes.push_back({node.layer});
        for (const std::size_t value : node.inputs) {
            loose_nodes.back().inputs.push_back(loose(value));
        }
    }
    std::vector<LooseValue> ends;
    for (const std::size_t output : outputs) ends.push_back(loose(output));
    return keras_order(loose_nodes, ends);
}

/// The graph of the nodes that outputs depend on, in that order. `layers`: the layers that the
/// nodes apply. Throws ArgumentError if all outputs are inputs.
template <class Scalar, class Device>
WEFT_COLD Graph<Scalar, Device> ordered_graph(Span<const LooseLayer<Scalar, Device>> layers,
                                              Span<const LooseNode> nodes,
                                              std::vector<GraphInput> inputs,
                                              std::vector<std::string> input_names,
                                              Span<const LooseValue> outputs) {
    constexpr std::size_t none = graph_input;
    Graph<Scalar, Device> graph;
    graph.inputs = std::move(inputs);
    detail::GraphParts<Scalar, Device> parts;
    parts.input_names = std::move(input_names);
    std::vector<std::vector<std::size_t>> values(nodes.size());
    std::vector<std::size_t> place(layers.size(), none), read;
    const auto value_of = [&](const LooseValue& value) {
        return value.is_input() ? value.input() : values[value.node].at(value.output);
    };
    for (const std::size_t i : keras_order(nodes, outputs)) {
        read.clear();
        for (const LooseValue& input : nodes[i].inputs) read.push_back(value_of(input));
        std::size_t& known = place[nodes[i].layer];
        const bool is_new = known == none;
        const auto& [layer, model] = layers[nodes[i].layer];
        if (!layer) {
            if (is_new) {
                known = parts.models.size();
                parts.models.push_back(model);
                parts.models.back().first_layer = graph.layers.size();
                graph.layers.insert(graph.layers.end(), model.graph->layers.begin(),
                                    model.graph->layers.end());
            }
            values[i] = detail::call_model(graph, parts, known, read);
        } else {
            if (is_new) {
                known = graph.layers.size();
                graph.layers.push_back(*layer);
            }
            values[i] = {graph.value_of(graph.nodes.size())};
            graph.apply(known, read);
        }
    }
    for (const LooseValue& output : outputs) graph.outputs.push_back(value_of(output));
    // Also if a model in between returns its input.
    const auto is_input = [&](std::size_t value) { return graph.is_input(value); };
    if (std::all_of(graph.outputs.begin(), graph.outputs.end(), is_input)) {
        throw ArgumentError("model: the output is the input, expected a layer between");
    }
    graph.form = std::make_shared<const detail::OwnForm<Scalar, Device>>(std::move(parts));
    return graph;
}

}  // namespace weft
