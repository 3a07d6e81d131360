/// \file
/// The order in which a graph has its nodes: Keras's order of layers.
#pragma once

#include "weft/model/graph.hpp"

#include <algorithm>

namespace weft {

/// A node of a graph that is not in order yet.
struct LooseNode {
    std::size_t layer = 0;
    std::vector<std::size_t> inputs = {};  ///< other nodes, or graph_input
};

/// The input of the graph, among the inputs of a node.
inline constexpr std::size_t graph_input = static_cast<std::size_t>(-1);

namespace detail {

/// Nodes on the way back from the output, and how far each is from it.
class LooseGraph {
public:
    static constexpr Index not_met = -1;

    WEFT_COLD explicit LooseGraph(std::span<const LooseNode> nodes)
        : nodes_(nodes), node_rank_(nodes.size(), not_met), distance_(nodes.size()) {
        std::size_t layers = 0;
        for (const LooseNode& node : nodes) layers = (std::max)(layers, node.layer + 1);
        layer_rank_.assign(layers, not_met);
        layer_distance_.resize(layers);
    }

    /// Depth first, without recursion: a hostile file may have a long chain.
    WEFT_COLD void walk_back(std::size_t output) {
        struct Open {
            std::size_t node, next;
        };
        std::vector<Open> open;
        std::vector<bool> is_finished(nodes_.size());
        const auto meet = [&](std::size_t node) {
            node_rank_[node] = nodes_met_++;
            Index& rank = layer_rank_[nodes_[node].layer];
            if (rank == not_met) rank = layers_met_++;
            open.push_back({node, 0});
        };
        meet(output);
        while (!open.empty()) {
            auto& [node, next] = open.back();
            if (next == nodes_[node].inputs.size()) {
                is_finished[node] = true;
                finished_.push_back(node);
                open.pop_back();
                continue;
            }
            const std::size_t input = nodes_[node].inputs[next++];
            if (input == graph_input) continue;
            if (node_rank_[input] == not_met) {
                meet(input);
            } else if (!is_finished[input]) {
                throw ArgumentError("model: a layer reads what is computed from its own output");
            }
        }
    }

    /// The longest ways to the output. A layer that is applied again is as far as its farthest
    /// node, which is so for its nodes that are met later, too.
    WEFT_COLD void measure() {
        for (std::size_t i = finished_.size(); i-- > 0;) {
            const LooseNode& node = nodes_[finished_[i]];
            Index& distance = distance_[finished_[i]];
            distance = (std::max)(distance, layer_distance_[node.layer]);
            layer_distance_[node.layer] = distance;
            for (const std::size_t input : node.inputs) {
                if (input == graph_input) continue;
                distance_[input] = (std::max)(distance_[input], distance + 1);
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

    std::span<const LooseNode> nodes_;
    std::vector<Index> node_rank_, distance_, layer_rank_, layer_distance_;
    std::vector<std::size_t> finished_;  ///< each behind those that it reads
    Index nodes_met_ = 0, layers_met_ = 0;
};

}  // namespace detail

/// The nodes from which node `output` is computed, in Keras's order of layers: the farthest from
/// the output first; of equally far ones, the layer that is met first on the way back from the
/// output, depth first. Throws ArgumentError for a node that is computed from itself.
WEFT_COLD inline std::vector<std::size_t> keras_order(std::span<const LooseNode> nodes,
                                                      std::size_t output) {
    detail::LooseGraph graph(nodes);
    graph.walk_back(output);
    graph.measure();
    return graph.order();
}

/// The graph of the nodes from which node `output` is computed, in that order. `layers` are those
/// that nodes name.
template <class Scalar, class Device>
WEFT_COLD Graph<Scalar, Device> ordered_graph(
    const std::vector<LayerDeclaration<Scalar, Device>>& layers, std::span<const LooseNode> nodes,
    std::size_t output) {
    Graph<Scalar, Device> graph;
    std::vector<std::size_t> value(nodes.size()), place(layers.size(), graph_input), inputs;
    for (const std::size_t i : keras_order(nodes, output)) {
        inputs.clear();
        for (const std::size_t input : nodes[i].inputs) {
            inputs.push_back(input == graph_input ? 0 : value[input]);
        }
        std::size_t& layer = place[nodes[i].layer];
        if (layer == graph_input) {
            layer = graph.layers.size();
            graph.layers.push_back(layers[nodes[i].layer]);
        }
        graph.apply(layer, inputs);
        value[i] = graph.nodes.size();
    }
    return graph;
}

}  // namespace weft
