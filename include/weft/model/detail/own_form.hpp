/// \file
/// OwnForm: the form of a graph made of values.
#pragma once

#include "weft/model/detail/summarize.hpp"
#include "weft/model/graph_outline.hpp"

#include <algorithm>

namespace weft::detail {

/// The summary of a graph that is not a chain: a row for each input, and for each layer with its
/// inputs, in Keras's form: "dense[1][0]" is the output of the second application of dense. A model
/// in it is one row.
template <class Scalar, class Device>
WEFT_COLD std::string summarize_graph(const Graph<Scalar, Device>& graph,
                                      const BuiltGraph<Scalar, Device>& built) {
    SummaryTable rows;
    const GraphOutline outline = detail::outline(graph);
    const std::vector<std::string> nothing{"-"};
    for (std::size_t k = 0; k < outline.inputs.size(); ++k) {
        rows.add_row(outline.inputs[k], "InputLayer", built.input_shapes[k], 0, nothing);
    }
    for (const OutlineItem& item : outline.items) {
        const std::size_t last = item.layer + item.layers - 1;
        std::string_view type = graph.layers[last].type();
        Shape shape = built.layers[last]->output_shape();
        Index parameters = 0;
        std::vector<std::string> connected_to;
        if (item.is_model) {
            const auto& inner = *parts_of(graph).models[item.model].graph;
            const auto& calls = parts_of(graph).calls;
            const auto call = std::find_if(calls.begin(), calls.end(), [&](const GraphCall& each) {
                return each.model == item.model;
            });
            type = inner.is_chain() ? "Sequential" : "Functional";
            shape = built.shape_of(call->outputs.front());
        }
        for (std::size_t layer = item.layer; layer <= last; ++layer) {
            const auto own = built.layer_parameters(layer);
            parameters += count_numbers(own, true) + count_numbers(own, false);
        }
        for (const auto& application : item.applications) {
            for (const std::size_t value : application) {
                const auto& [name, times, output] = outline.values[value];
                connected_to.push_back(join({name, "[", times, "][", output, "]"}));
            }
        }
        rows.add_row(item.name, type, shape, parameters, connected_to);
    }
    return summary_of(graph, built, rows);
}

template <class Scalar, class Device>
class OwnForm final : public FormWithParts<Scalar, Device> {
public:
    using Graph = weft::Graph<Scalar, Device>;
    using Built = BuiltGraph<Scalar, Device>;
    using FormWithParts<Scalar, Device>::FormWithParts;
    using FormWithParts<Scalar, Device>::parts;

    bool has_models() const override { return !parts.models.empty(); }

    /// Names of layers in an inner model are counted separately, with the model's name as a prefix.
    WEFT_COLD std::vector<std::string> layer_names(const Graph& graph) const override {
        std::vector<std::string> names;
        const GraphOutline outline = detail::outline(graph);
        for (const OutlineItem& item : outline.items) {
            if (!item.is_model) {
                names.push_back(item.name);
                continue;
            }
            for (const std::string& name : detail::layer_names(*parts.models[item.model].graph)) {
                names.push_back(join({item.name, "/", name}));
            }
        }
        return names;
    }

    WEFT_COLD std::vector<std::string> input_names(const Graph& graph) const override {
        return outline(graph).inputs;
    }
    WEFT_COLD std::vector<std::string> output_names(const Graph& graph) const override {
        return outline(graph).outputs;
    }
    WEFT_COLD std::string summary(const Graph& graph, const Built& built) const override {
        return summarize_graph(graph, built);
    }

    WEFT_COLD void check_calls(const Built& built, std::size_t node) const override {
        auto next =
            std::partition_point(parts.calls.begin(), parts.calls.end(),
                                 [&](const GraphCall& call) { return call.first_node < node; });
        for (; next != parts.calls.end() && next->first_node == node; ++next) {
            const GraphCall& call = *next;
            const auto& model = parts.models[call.model];
            for (std::size_t k = 0; k < call.inputs.size(); ++k) {
                const std::optional<Shape>& expected = model.graph->inputs[k].shape;
                const Shape& found = built.shape_of(call.inputs[k]);
                if (!expected || *expected == found) continue;
                throw ShapeError(
                    join({model.name, ": input ", static_cast<Index>(k), " has shape ",
                          found.to_batch_string(), ", expected ", expected->to_batch_string()}));
            }
        }
    }

    WEFT_COLD void start_models(const Built& built, Parameters<Scalar, Device>& parameters,
                                const Device& device, std::size_t first_layer) const override {
        for (const GraphModel<Scalar, Device>& model : parts.models) {
            const std::size_t layer = first_layer + model.first_layer;
            if (model.values != nullptr) {
                start(model, built.layer_parameters(layer, model.graph->layers.size()), parameters,
                      device);
            } else if (model.graph->form) {
                model.graph->form->start_models(built, parameters, device, layer);
            }
        }
    }

private:
    WEFT_COLD static void start(const GraphModel<Scalar, Device>& model,
                                Span<const ParameterInfo> own,
                                Parameters<Scalar, Device>& parameters, const Device& device) {
        const std::vector<Tensor<Scalar>>& values = *model.values;
        if (own.size() != values.size()) {
            throw ShapeError(join({model.name, ": ", std::ssize(own), " parameters, expected ",
                                   std::ssize(values), " as in the model that is applied"}));
        }
        for (std::size_t i = 0; i < own.size(); ++i) {
            const Shape& shape = own[i].slot.shape;
            if (shape != values[i].shape()) {
                throw ShapeError(join({own[i].name, ": shape ", shape, ", expected ",
                                       values[i].shape(), " as in the model that is applied"}));
            }
            copy_to_device<Scalar>(device, values[i], parameters.view(own[i].slot));
        }
    }
};

}  // namespace weft::detail
