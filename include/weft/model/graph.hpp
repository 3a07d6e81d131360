/// \file
/// Graph: layers, and what each is applied to.
#pragma once

#include "weft/layers/declaration.hpp"
#include "weft/model/detail/names.hpp"
#include "weft/model/parameters.hpp"
#include "weft/model/plan.hpp"

namespace weft {

/// A layer, applied to some values of a graph.
struct GraphNode {
    std::size_t layer = 0;
    std::size_t first_input = 0, inputs = 1;
};

/// Declarations of layers and the nodes that apply them, in an order in which each node comes
/// behind those that it reads. Value 0 is the input, value i + 1 the output of node i; the last is
/// the output. Pure data, with no numbers.
template <class Scalar, class Device>
struct Graph {
    using Declaration = LayerDeclaration<Scalar, Device>;

    std::optional<Shape> input;  ///< of one sample, where it was declared
    std::vector<Declaration> layers;
    std::vector<GraphNode> nodes;
    std::vector<std::size_t> inputs;  ///< values, of all nodes

    std::span<const std::size_t> inputs_of(const GraphNode& node) const {
        return std::span(inputs).subspan(node.first_input, node.inputs);
    }

    /// Whether each layer is applied once, to what the one before computes.
    WEFT_COLD bool is_chain() const {
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const std::span<const std::size_t> read = inputs_of(nodes[i]);
            if (nodes[i].layer != i || read.size() != 1 || read.front() != i) return false;
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
        if (!layers.empty() || input) {
            throw ArgumentError("sequential: Input is not the first of the layers");
        }
        input = shape;
    }

    /// Applies a layer to values.
    WEFT_COLD void apply(std::size_t layer, std::span<const std::size_t> values) {
        nodes.push_back({layer, inputs.size(), values.size()});
        inputs.insert(inputs.end(), values.begin(), values.end());
    }

    /// Applies one more layer to the last value.
    WEFT_COLD void append(Declaration declaration) {
        layers.push_back(std::move(declaration));
        const std::size_t last = nodes.size();
        apply(layers.size() - 1, {&last, 1});
    }
};

/// A graph that was built for an input: its layers know their shapes and parameters. Never changes,
/// so that models that are copies of each other share it.
template <class Scalar, class Device>
struct BuiltGraph {
    using LayerPointer = std::shared_ptr<const Layer<Scalar, Device>>;

    /// Throws ShapeError or ArgumentError that names the layer.
    WEFT_COLD BuiltGraph(const Graph<Scalar, Device>& graph, const Shape& input)
        : inputs(graph.inputs), nodes(graph.nodes.size()) {
        if (nodes.empty()) {
            throw ArgumentError("sequential: the model has no layers, expected at least 1");
        }
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const auto& [layer, first, count] = graph.nodes[i];
            nodes[i].layer = layer;
            nodes[i].inputs = std::span(inputs).subspan(first, count);
            std::vector<Shape> read(count);
            for (std::size_t k = 0; k < count; ++k) {
                const std::size_t value = inputs[first + k];
                read[k] = value == 0 ? input : nodes[value - 1].output_shape;
            }
            describe(nodes[i], graph, read);
        }
        for (PlanNode& node : nodes) node.name = names[node.layer];
        plan = make_plan(PassKind::inference, false);
    }
    BuiltGraph(const BuiltGraph&) = delete;
    BuiltGraph& operator=(const BuiltGraph&) = delete;

    const Shape& input_shape() const { return layers.front()->input_shape(); }
    const Shape& output_shape() const { return nodes.back().output_shape; }

    std::span<const ParameterInfo> layer_parameters(std::size_t i) const {
        return std::span(list.parameters())
            .subspan(first_parameter.at(i), first_parameter.at(i + 1) - first_parameter[i]);
    }

    WEFT_COLD std::shared_ptr<const Plan> make_plan(PassKind kind, bool takes_logits) const {
        return std::make_shared<const Plan>(input_shape(), nodes, kind, takes_logits);
    }

    std::vector<LayerPointer> layers;
    std::vector<std::string> names;               ///< of layers
    std::vector<std::size_t> first_parameter{0};  ///< of each layer, and one past the last
    ParameterList list;
    std::vector<std::size_t> inputs;  ///< of all nodes
    std::vector<PlanNode> nodes;
    double work = 0;  ///< for one sample: multiplications by parameters, and numbers computed
    std::shared_ptr<const Plan> plan;  ///< of predict

private:
    /// What a plan has to know of a node, whose layer is built if it is new.
    WEFT_COLD void describe(PlanNode& node, const Graph<Scalar, Device>& graph,
                            std::span<const Shape> read) {
        if (node.layer == layers.size()) {
            LayerBuilder builder(detail::unique_name(graph.layers[node.layer], names), read, list);
            layers.push_back(graph.layers[node.layer].build(builder));
            names.push_back(builder.name());
            first_parameter.push_back(list.parameters().size());
        }
        const Layer<Scalar, Device>& layer = *layers[node.layer];
        if (read.front() != layer.input_shape()) {
            throw ShapeError(detail::join(
                {names[node.layer], ": input has shape ", read.front().to_batch_string(),
                 ", expected ", layer.input_shape().to_batch_string(), " as where it was before"}));
        }
        if (read.size() > 1 && !layer.is_merge()) {
            throw ArgumentError(detail::join({names[node.layer], ": the layer has one input, not ",
                                              static_cast<Index>(read.size())}));
        }
        const auto own = layer_parameters(node.layer);
        work += detail::multiplications(own, layer.output_shape());
        if (!layer.is_view()) work += static_cast<double>(layer.output_shape().size());
        node.is_trainable = detail::count_numbers(own, true) > 0;
        node.output_shape = layer.output_shape();
        node.is_view = layer.is_view();
        node.absorbs_relu = layer.absorbs_relu();
        node.backs_through_relu = layer.backs_through_relu();
        node.backs_in_place = layer.backs_in_place();
        node.as_activation = layer.as_activation();
        node.output_activation = layer.output_activation();
        node.activity_regularizer = layer.activity_regularizer();
    }
};

}  // namespace weft
