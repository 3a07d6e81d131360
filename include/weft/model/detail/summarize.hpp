/// \file
/// A built model as the rows of its summary.
#pragma once

#include "weft/model/built_graph.hpp"
#include "weft/model/summary.hpp"

namespace weft::detail {

/// The text of a graph's table.
template <class Scalar, class Device>
WEFT_COLD std::string summary_of(const Graph<Scalar, Device>& graph,
                                 const BuiltGraph<Scalar, Device>& built,
                                 const SummaryTable& rows) {
    const auto& parameters = built.list.parameters();
    return rows.text(model_name(graph).first, count_numbers(parameters, true),
                     count_numbers(parameters, false));
}

/// The summary of a graph; for a chain, a row per layer.
template <class Scalar, class Device>
WEFT_COLD std::string summarize(const Graph<Scalar, Device>& graph,
                                const BuiltGraph<Scalar, Device>& built) {
    if (graph.form && !graph.is_chain()) return graph.form->summary(graph, built);
    SummaryTable rows;
    for (std::size_t i = 0; i < built.layers.size(); ++i) {
        const auto own = built.layer_parameters(i);
        rows.add_row(built.names[i], graph.layers[i].type(), built.layers[i]->output_shape(),
                     count_numbers(own, true) + count_numbers(own, false));
    }
    return summary_of(graph, built, rows);
}

}  // namespace weft::detail
