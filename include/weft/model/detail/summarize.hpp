/// \file
/// A built model as the rows of its summary.
#pragma once

#include "weft/model/built_graph.hpp"
#include "weft/model/summary.hpp"

namespace weft::detail {

/// The table of a graph's rows.
template <class Scalar, class Device>
WEFT_COLD std::string summary_of(const Graph<Scalar, Device>& graph,
                                 const BuiltGraph<Scalar, Device>& built,
                                 const std::vector<SummaryRow>& rows) {
    const auto& parameters = built.list.parameters();
    return format_summary(model_name(graph).first, rows, count_numbers(parameters, true),
                          count_numbers(parameters, false));
}

/// The summary of a graph: of a chain a row a layer.
template <class Scalar, class Device>
WEFT_COLD std::string summarize(const Graph<Scalar, Device>& graph,
                                const BuiltGraph<Scalar, Device>& built) {
    if (graph.form && !graph.is_chain()) return graph.form->summary(graph, built);
    std::vector<SummaryRow> rows;
    for (std::size_t i = 0; i < built.layers.size(); ++i) {
        const auto own = built.layer_parameters(i);
        rows.push_back({built.names[i], graph.layers[i].type(), built.layers[i]->output_shape(),
                        count_numbers(own, true) + count_numbers(own, false)});
    }
    return summary_of(graph, built, rows);
}

}  // namespace weft::detail
