/// \file
/// Graph: layers, and what each is applied to.
#pragma once

#include "weft/layers/declaration.hpp"
#include "weft/model/detail/names.hpp"

namespace weft {

/// A layer, applied to some values of a graph.
struct GraphNode {
    std::size_t layer = 0;
    std::size_t first_input = 0, inputs = 1;
};

/// An input of a graph.
struct GraphInput {
    std::optional<Shape> shape = {};  ///< of one sample, where it was declared
    std::string name = {};            ///< as the user said
};

template <class Scalar, class Device>
struct Graph;

/// A model that is a layer of another: its layers stand in the graph as if they were the graph's
/// own, side by side.
template <class Scalar, class Device>
struct GraphModel {
    std::string name = {};  ///< begins those of its layers: "encoder/dense"
    bool named = false;     ///< whether the user gave it
    std::size_t first_layer = 0;
    std::shared_ptr<const Graph<Scalar, Device>> graph = {};
    /// What its parameters start with, where it was built.
    std::shared_ptr<const std::vector<Tensor<Scalar>>> values = {};
};

/// A model of a graph, applied to some of its values: the nodes of the model side by side.
struct GraphCall {
    std::size_t model = 0;
    std::size_t first_node = 0;
    std::vector<std::size_t> inputs = {}, outputs = {};  ///< values
};

/// Declarations of layers and the nodes that apply them, in an order in which each node comes
/// behind those that it reads. The first values are the inputs, those behind them what the nodes
/// compute. Pure data, with no numbers.
template <class Scalar, class Device>
struct Graph {
    using Declaration = LayerDeclaration<Scalar, Device>;

    std::string name = {};  ///< as the user said
    std::vector<GraphInput> inputs = std::vector<GraphInput>(1);
    std::vector<Declaration> layers = {};
    std::vector<GraphNode> nodes = {};
    std::vector<std::size_t> read = {};     ///< values, by all nodes
    std::vector<std::size_t> outputs = {};  ///< values
    std::vector<GraphModel<Scalar, Device>> models = {};
    std::vector<GraphCall> calls = {};

    std::span<const std::size_t> inputs_of(const GraphNode& node) const {
        return std::span(read).subspan(node.first_input, node.inputs);
    }

    bool is_input(std::size_t value) const { return value < inputs.size(); }
    std::size_t value_of(std::size_t node) const { return inputs.size() + node; }
    std::size_t node_of(std::size_t value) const { return value - inputs.size(); }

    /// Whether each layer is applied once, to what the one before computes.
    WEFT_COLD bool is_chain() const {
        if (inputs.size() != 1 || outputs.size() > 1 || !models.empty()) return false;
        if (!outputs.empty() && outputs.front() != nodes.size()) return false;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const std::span<const std::size_t> values = inputs_of(nodes[i]);
            if (nodes[i].layer != i || values.size() != 1 || values.front() != i) return false;
        }
        return true;
    }

    /// How often the layer of node i was applied before.
    WEFT_COLD Index application(std::size_t i) const {
        const auto before = std::span(nodes).first(i);
        return std::ranges::count(before, nodes[i].layer, &GraphNode::layer);
    }

    /// Only before the layers.
    WEFT_COLD void declare_input(const Shape& shape) {
        inputs.resize(1);  // of what is moved from there are none
        if (!layers.empty() || inputs.front().shape) {
            throw ArgumentError("sequential: Input is not the first of the layers");
        }
        inputs.front().shape = shape;
    }

    /// Applies a layer to values.
    WEFT_COLD void apply(std::size_t layer, std::span<const std::size_t> values) {
        nodes.push_back({layer, read.size(), values.size()});
        read.insert(read.end(), values.begin(), values.end());
    }

    /// Applies one more layer to the last value, for a chain.
    WEFT_COLD void append(Declaration declaration) {
        inputs.resize(1);
        layers.push_back(std::move(declaration));
        const std::size_t last = nodes.size();
        apply(layers.size() - 1, {&last, 1});
        outputs.assign(1, nodes.size());
    }

    /// Applies a model to values, as many as it has inputs. Returns those of its outputs.
    WEFT_COLD const std::vector<std::size_t>& call(std::size_t model,
                                                   std::span<const std::size_t> values) {
        const Graph& inner = *models[model].graph;
        GraphCall call{model, nodes.size(), {values.begin(), values.end()}};
        const auto outer = [&](std::size_t value) {
            return inner.is_input(value) ? values[value]
                                         : value_of(call.first_node + inner.node_of(value));
        };
        std::vector<std::size_t> of_node;
        for (const GraphNode& node : inner.nodes) {
            of_node.clear();
            for (const std::size_t value : inner.inputs_of(node)) of_node.push_back(outer(value));
            apply(models[model].first_layer + node.layer, of_node);
        }
        for (const std::size_t value : inner.outputs) call.outputs.push_back(outer(value));
        calls.push_back(std::move(call));
        return calls.back().outputs;
    }
};

namespace detail {

/// Whether the inputs of a graph say their shapes.
template <class Scalar, class Device>
WEFT_COLD bool is_declared(const Graph<Scalar, Device>& graph) {
    const auto declares = [](const GraphInput& input) { return input.shape.has_value(); };
    return !graph.inputs.empty() && std::ranges::all_of(graph.inputs, declares);
}

/// What Keras calls a model, and whether the user did.
template <class Scalar, class Device>
WEFT_COLD std::pair<std::string, bool> model_name(const Graph<Scalar, Device>& graph) {
    if (!graph.name.empty()) return {graph.name, true};
    return {graph.is_chain() ? "sequential" : "functional", false};
}

/// The names of a graph's layers. Those of a model in it are counted by themselves, and have its
/// name before them.
template <class Scalar, class Device>
WEFT_COLD std::vector<std::string> layer_names(const Graph<Scalar, Device>& graph) {
    std::vector<std::string> names, taken;
    auto model = graph.models.begin();
    while (names.size() < graph.layers.size()) {
        if (model == graph.models.end() || model->first_layer != names.size()) {
            const auto& layer = graph.layers[names.size()];
            names.push_back(taken.emplace_back(unique_name(layer.name(), layer.named(), taken)));
            continue;
        }
        taken.push_back(unique_name(model->name, model->named, taken));
        for (const std::string& name : layer_names(*model->graph)) {
            names.push_back(join({taken.back(), "/", name}));
        }
        ++model;
    }
    return names;
}

}  // namespace detail

}  // namespace weft
