/// \file
/// A built model as the rows of its summary.
#pragma once

#include "weft/model/graph.hpp"
#include "weft/model/summary.hpp"

namespace weft::detail {

/// The summary of a graph. One that is no chain has a row for its input, and says of each layer
/// what it reads, as Keras does: "dense[1][0]" is what dense computes where it is applied for the
/// second time.
template <class Scalar, class Device>
WEFT_COLD std::string summarize(const Graph<Scalar, Device>& graph,
                                const BuiltGraph<Scalar, Device>& built) {
    std::vector<SummaryRow> rows;
    const bool is_chain = graph.is_chain();
    const std::string input = free_name("input_layer", built.names);
    if (!is_chain) rows.push_back({input, "InputLayer", built.input_shape(), 0, {"-"}});
    for (std::size_t i = 0; i < built.layers.size(); ++i) {
        const auto own = built.layer_parameters(i);
        rows.push_back({built.names[i], graph.layers[i].type(), built.layers[i]->output_shape(),
                        count_numbers(own, true) + count_numbers(own, false)});
    }
    for (const GraphNode& node : is_chain ? std::vector<GraphNode>() : graph.nodes) {
        for (const std::size_t value : graph.inputs_of(node)) {
            rows[node.layer + 1].connected_to.push_back(
                value == 0 ? join({input, "[0][0]"})
                           : join({built.names[graph.nodes[value - 1].layer], "[",
                                   graph.application(value - 1), "][0]"}));
        }
    }
    const auto& parameters = built.list.parameters();
    return format_summary(is_chain ? "sequential" : "functional", rows,
                          count_numbers(parameters, true), count_numbers(parameters, false));
}

}  // namespace weft::detail
