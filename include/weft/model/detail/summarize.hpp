/// \file
/// A built model as the rows of its summary.
#pragma once

#include "weft/model/built_graph.hpp"
#include "weft/model/detail/graph_outline.hpp"
#include "weft/model/summary.hpp"

namespace weft::detail {

/// The summary of a graph. One that is no chain has a row for each input, and says of each layer
/// what it reads, as Keras does: "dense[1][0]" is what dense computes where it is applied for the
/// second time. A model in it is one row.
template <class Scalar, class Device>
WEFT_COLD std::string summarize(const Graph<Scalar, Device>& graph,
                                const BuiltGraph<Scalar, Device>& built) {
    std::vector<SummaryRow> rows;
    const bool is_chain = graph.is_chain();
    const GraphOutline outline = detail::outline(graph);
    for (std::size_t k = 0; k < outline.inputs.size() && !is_chain; ++k) {
        rows.push_back({outline.inputs[k], "InputLayer", built.input_shapes[k], 0, {"-"}});
    }
    for (const OutlineItem& item : outline.items) {
        const std::size_t last = item.layer + item.layers - 1;
        SummaryRow row{item.name, graph.layers[last].type(), built.layers[last]->output_shape()};
        if (item.is_model) {
            const auto& inner = *graph.models[item.model].graph;
            const auto call = std::ranges::find(graph.calls, item.model, &GraphCall::model);
            row.type = inner.is_chain() ? "Sequential" : "Functional";
            row.output_shape = built.shape_of(call->outputs.front());
        }
        for (std::size_t layer = item.layer; layer <= last; ++layer) {
            const auto own = built.layer_parameters(layer);
            row.parameters += count_numbers(own, true) + count_numbers(own, false);
        }
        for (const auto& application : item.applications) {
            for (const std::size_t value : application) {
                const auto& [name, times, output] = outline.values[value];
                if (is_chain) continue;
                row.connected_to.push_back(join({name, "[", times, "][", output, "]"}));
            }
        }
        rows.push_back(std::move(row));
    }
    const auto& parameters = built.list.parameters();
    return format_summary(model_name(graph).first, rows, count_numbers(parameters, true),
                          count_numbers(parameters, false));
}

}  // namespace weft::detail
