/// \file
/// GraphParts: names of inputs, and the models in a graph.
#pragma once

#include "weft/model/graph.hpp"

namespace weft {

/// A model used as a layer: its layers are consecutive layers of the graph.
template <class Scalar, class Device>
struct GraphModel {
    std::string name = {};  ///< prefix of its layers' names: "encoder/dense"
    bool named = false;     ///< whether the user gave it
    std::size_t first_layer = 0;
    std::shared_ptr<const Graph<Scalar, Device>> graph = {};
    /// The parameters that each build starts from, if the model was built. Null if it was not: then
    /// a built model inside it starts from values of its own, and the seed decides the rest.
    std::shared_ptr<const std::vector<Tensor<Scalar>>> values = {};
};

/// An application of a model to values: consecutive nodes of the graph.
struct GraphCall {
    std::size_t model = 0;
    std::size_t first_node = 0;
    std::vector<std::size_t> inputs = {}, outputs = {};  ///< values
};

namespace detail {

template <class Scalar, class Device>
struct GraphParts {
    std::vector<std::string> input_names = {};  ///< given by the user, or empty
    std::vector<GraphModel<Scalar, Device>> models = {};
    std::vector<GraphCall> calls = {};
};

/// A form with its parts.
template <class Scalar, class Device>
class FormWithParts : public GraphForm<Scalar, Device> {
public:
    explicit FormWithParts(GraphParts<Scalar, Device> own) : parts(std::move(own)) {}

    const GraphParts<Scalar, Device> parts;
};

/// The parts of a graph; null for a list of layers. Every form has parts, but GraphForm does not
/// name them: programs with lists of layers alone do not compile these types.
template <class Scalar, class Device>
const GraphParts<Scalar, Device>& parts_of(const Graph<Scalar, Device>& graph) {
    static const GraphParts<Scalar, Device> none;
    if (!graph.form) return none;
    return static_cast<const FormWithParts<Scalar, Device>&>(*graph.form).parts;
}

/// Applies a model to one value for each of its inputs. Returns the values of its outputs.
template <class Scalar, class Device>
WEFT_COLD std::vector<std::size_t> call_model(Graph<Scalar, Device>& graph,
                                              GraphParts<Scalar, Device>& parts, std::size_t model,
                                              Span<const std::size_t> values) {
    const Graph<Scalar, Device>& inner = *parts.models[model].graph;
    GraphCall call{model, graph.nodes.size(), {values.begin(), values.end()}};
    const auto outer = [&](std::size_t value) {
        return inner.is_input(value) ? values[value]
                                     : graph.value_of(call.first_node + inner.node_of(value));
    };
    std::vector<std::size_t> of_node;
    for (const GraphNode& node : inner.nodes) {
        of_node.clear();
        for (const std::size_t value : inner.inputs_of(node)) of_node.push_back(outer(value));
        graph.apply(parts.models[model].first_layer + node.layer, of_node);
    }
    for (const std::size_t value : inner.outputs) call.outputs.push_back(outer(value));
    parts.calls.push_back(std::move(call));
    return parts.calls.back().outputs;
}

}  // namespace detail

}  // namespace weft
