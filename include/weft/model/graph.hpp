/// \file
/// Graph: layers, and the values that each is applied to.
#pragma once

#include "weft/layers/declaration.hpp"
#include "weft/model/detail/names.hpp"

#include <optional>

namespace weft {

/// A layer, applied to some values of a graph.
struct GraphNode {
    std::size_t layer = 0;
    std::size_t first_input = 0, inputs = 1;
};

/// An input of a graph.
struct GraphInput {
    std::optional<Shape> shape = {};  ///< of one sample, where it was declared
};

template <class Scalar, class Device>
struct Graph;

template <class Scalar, class Device>
struct BuiltGraph;
template <class Scalar, class Device>
class Parameters;

/// The additional data of a graph made of values: names of inputs, and models in it. An interface:
/// programs with lists of layers alone do not compile its implementation.
template <class Scalar, class Device>
class GraphForm {
public:
    using Graph = weft::Graph<Scalar, Device>;
    using Built = BuiltGraph<Scalar, Device>;

    virtual ~GraphForm() = default;
    virtual bool has_models() const = 0;
    virtual std::vector<std::string> layer_names(const Graph& graph) const = 0;
    virtual std::vector<std::string> input_names(const Graph& graph) const = 0;
    virtual std::vector<std::string> output_names(const Graph& graph) const = 0;
    virtual std::string summary(const Graph& graph, const Built& built) const = 0;

    /// Throws ShapeError unless the models that begin at a node are applied to the shapes they
    /// declare.
    virtual void check_calls(const Built& built, std::size_t node) const = 0;

    /// Restores the parameters of inner models that were built before. first_layer: that of this
    /// form's graph in the built one. Throws ShapeError for parameters of other shapes.
    virtual void start_models(const Built& built, Parameters<Scalar, Device>& parameters,
                              const Device& device, std::size_t first_layer) const = 0;
};

/// Declarations of layers, and the nodes that apply them, each behind the nodes that it reads. The
/// first values are the inputs, the others are computed by the nodes. Pure data, without
/// parameters.
template <class Scalar, class Device>
struct Graph {
    using Declaration = LayerDeclaration<Scalar, Device>;

    std::string name = {};  ///< given by the user
    std::vector<GraphInput> inputs = std::vector<GraphInput>(1);
    std::vector<Declaration> layers = {};
    std::vector<GraphNode> nodes = {};
    std::vector<std::size_t> read = {};                          ///< values, by all nodes
    std::vector<std::size_t> outputs = {};                       ///< values
    std::shared_ptr<const GraphForm<Scalar, Device>> form = {};  ///< null for a list of layers

    Span<const std::size_t> inputs_of(const GraphNode& node) const {
        return {read.data() + node.first_input, node.inputs};
    }

    bool is_input(std::size_t value) const { return value < inputs.size(); }
    std::size_t value_of(std::size_t node) const { return inputs.size() + node; }
    std::size_t node_of(std::size_t value) const { return value - inputs.size(); }

    /// Whether each layer is applied once, to the value of the one before.
    WEFT_COLD bool is_chain() const {
        if (inputs.size() != 1 || outputs.size() > 1) return false;
        if (form && form->has_models()) return false;
        if (!outputs.empty() && outputs.front() != nodes.size()) return false;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const Span<const std::size_t> values = inputs_of(nodes[i]);
            if (nodes[i].layer != i || values.size() != 1 || values.front() != i) return false;
        }
        return true;
    }

    /// Sets the input; throws ArgumentError behind a layer.
    WEFT_COLD void declare_input(const Shape& shape) {
        if (inputs.empty()) inputs = std::vector<GraphInput>(1);  // moved from
        if (!layers.empty() || inputs.front().shape) {
            throw ArgumentError("sequential: Input is not the first of the layers");
        }
        inputs.front().shape = shape;
    }

    /// Applies a layer to values.
    WEFT_COLD void apply(std::size_t layer, Span<const std::size_t> values) {
        nodes.push_back({layer, read.size(), values.size()});
        for (const std::size_t value : values) read.push_back(value);
    }

    /// Applies one more layer to the last value, for a chain.
    WEFT_COLD void append(Declaration declaration) {
        if (inputs.empty()) inputs = std::vector<GraphInput>(1);
        layers.push_back(std::move(declaration));
        const std::size_t last = nodes.size();
        apply(layers.size() - 1, {&last, 1});
        outputs.assign(1, nodes.size());
    }
};

namespace detail {

/// The shapes of a graph's inputs; none unless all are declared.
template <class Scalar, class Device>
WEFT_COLD std::vector<Shape> declared_shapes(const Graph<Scalar, Device>& graph) {
    std::vector<Shape> shapes(graph.inputs.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        const std::optional<Shape>& shape = graph.inputs[i].shape;
        if (!shape) return {};
        shapes[i] = *shape;
    }
    return shapes;
}

/// The name of a model, and whether the user gave it; else Keras's default.
template <class Scalar, class Device>
WEFT_COLD std::pair<std::string, bool> model_name(const Graph<Scalar, Device>& graph) {
    if (!graph.name.empty()) return {graph.name, true};
    return {graph.is_chain() ? "sequential" : "functional", false};
}

/// The names of a graph's layers.
template <class Scalar, class Device>
WEFT_COLD std::vector<std::string> layer_names(const Graph<Scalar, Device>& graph) {
    if (graph.form) return graph.form->layer_names(graph);
    std::vector<std::string> names;
    for (const auto& layer : graph.layers) {
        names.push_back(unique_name(layer.name(), layer.named(), names));
    }
    return names;
}

}  // namespace detail

}  // namespace weft
