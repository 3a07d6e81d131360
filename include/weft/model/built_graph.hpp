/// \file
/// BuiltGraph: a graph whose layers know their shapes and parameters.
#pragma once

#include "weft/core/contains.hpp"
#include "weft/model/graph.hpp"
#include "weft/model/parameters.hpp"
#include "weft/model/plan.hpp"

namespace weft {

/// A graph built for its inputs: its layers know their shapes and parameters. It never changes, so
/// copies of a model share it.
template <class Scalar, class Device>
struct BuiltGraph {
    using LayerPointer = std::shared_ptr<const Layer<Scalar, Device>>;

    /// Throws ShapeError or ArgumentError, which names the layer.
    WEFT_COLD BuiltGraph(const Graph<Scalar, Device>& graph, Span<const Shape> inputs)
        : names(detail::layer_names(graph)),
          read(graph.read),
          outputs(graph.outputs),
          nodes(graph.nodes.size()),
          input_shapes(inputs.begin(), inputs.end()),
          output_shapes(outputs.size()) {
        if (nodes.empty()) {
            throw ArgumentError("the model has no layers, expected at least 1");
        }
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (graph.form) graph.form->check_calls(*this, i);
            const auto& [layer, first, count] = graph.nodes[i];
            nodes[i].layer = layer;
            nodes[i].inputs = {read.data() + first, count};
            std::vector<Shape> shapes(count);
            for (std::size_t k = 0; k < count; ++k) shapes[k] = shape_of(nodes[i].inputs[k]);
            describe(nodes[i], graph, shapes);
        }
        for (PlanNode& node : nodes) node.name = names[node.layer];
        for (std::size_t k = 0; k < outputs.size(); ++k) output_shapes[k] = shape_of(outputs[k]);
        plan = make_plan(PassKind::inference);
    }
    BuiltGraph(const BuiltGraph&) = delete;
    BuiltGraph& operator=(const BuiltGraph&) = delete;

    /// The parameters of `count` layers from layer i on.
    Span<const ParameterInfo> layer_parameters(std::size_t i, std::size_t count = 1) const {
        const std::size_t first = first_parameter.at(i);
        return {list.parameters().data() + first, first_parameter.at(i + count) - first};
    }

    /// takes_logits: for each output, or for the first ones. Throws ArgumentError for more entries
    /// than outputs.
    WEFT_COLD std::shared_ptr<const Plan> make_plan(
        PassKind kind, const std::vector<bool>& takes_logits = {}) const {
        if (takes_logits.size() > outputs.size()) {
            throw ArgumentError(detail::join({"model: takes_logits has ", std::ssize(takes_logits),
                                              " entries, expected up to ", std::ssize(outputs)}));
        }
        if (plan && kind == PassKind::inference && !detail::contains(takes_logits, true)) {
            return plan;
        }
        return std::shared_ptr<const Plan>(
            new Plan(input_shapes, nodes, outputs, kind, takes_logits));
    }

    /// The shape of one sample of a value.
    const Shape& shape_of(std::size_t value) const {
        return value < input_shapes.size() ? input_shapes[value]
                                           : nodes[value - input_shapes.size()].output_shape;
    }

    std::vector<LayerPointer> layers;
    std::vector<std::string> names;               ///< of layers
    std::vector<std::size_t> first_parameter{0};  ///< of each layer, and one past the last
    ParameterList list;
    std::vector<std::size_t> read;     ///< values, by all nodes
    std::vector<std::size_t> outputs;  ///< values
    std::vector<PlanNode> nodes;
    std::vector<Shape> input_shapes, output_shapes;  ///< of one sample
    double work = 0;  ///< for one sample: multiplications by parameters, and numbers computed
    std::shared_ptr<const Plan> plan;  ///< of predict

private:
    /// The description of a node for a plan. Builds the node's layer if it is new.
    WEFT_COLD void describe(PlanNode& node, const Graph<Scalar, Device>& graph,
                            Span<const Shape> shapes) {
        if (node.layer == layers.size()) {
            LayerBuilder builder(names[node.layer], shapes, list);
            layers.push_back(graph.layers[node.layer].build(builder));
            first_parameter.push_back(list.parameters().size());
        }
        const Layer<Scalar, Device>& layer = *layers[node.layer];
        if (shapes.front() != layer.input_shape()) {
            throw ShapeError(detail::join(
                {names[node.layer], ": input has shape ", shapes.front().to_batch_string(),
                 ", expected ", layer.input_shape().to_batch_string(), " as where it was before"}));
        }
        if (shapes.size() > 1 && !layer.is_merge()) {
            throw ArgumentError(detail::join({names[node.layer], ": the layer has one input, not ",
                                              static_cast<Index>(shapes.size())}));
        }
        const auto own = layer_parameters(node.layer);
        work += detail::multiplications(own, layer.output_shape());
        if (!layer.is_view()) work += static_cast<double>(layer.output_shape().size());
        node.is_trainable = detail::count_numbers(own, true) > 0;
        node.output_shape = layer.output_shape();
        node.is_view = layer.is_view();
        node.absorbs_relu = layer.absorbs_relu();
        node.absorbs_dropout = layer.absorbs_dropout();
        node.absorbs_relu_and_dropout = layer.absorbs_relu_and_dropout();
        node.absorbs_moments = layer.absorbs_moments();
        node.absorbs_norm = layer.absorbs_norm();
        node.is_norm = layer.is_norm();
        node.backs_through_relu = layer.backs_through_relu();
        node.backs_through_dropout = layer.backs_through_dropout();
        node.dropout_rate = layer.dropout_rate();
        node.backs_in_place = layer.backs_in_place();
        node.backward_reads_x = layer.backward_reads_x();
        node.backward_reads_y = layer.backward_reads_y(false);
        node.backward_reads_y_through_relu = layer.backward_reads_y(true);
        node.as_activation = layer.as_activation();
        node.output_activation = layer.output_activation();
        node.activity_regularizer = layer.activity_regularizer();
    }
};

}  // namespace weft
