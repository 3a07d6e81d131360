/// \file
/// inner_model: a copy of a model that is used as a layer.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/model/graph_outline.hpp"
#include "weft/model/model.hpp"

#include <algorithm>

namespace weft {

/// A copy of a model that is a layer of a built one, with its parameters there: like Keras's
/// outer.get_layer("encoder"), but a copy.
///
///   const Model<float> encoder = inner_model(trained, "encoder");
///
/// Throws ArgumentError if the outer model is not built, or has no such model as a layer.
template <class Scalar, class Device>
WEFT_COLD Model<Scalar, Device> inner_model(const Model<Scalar, Device>& outer,
                                            std::string_view name) {
    const Graph<Scalar, Device>& graph = outer.graph();
    outer.parameters();  // throws unless it is built
    const detail::GraphOutline outline = detail::outline(graph);
    const auto item =
        std::find_if(outline.items.begin(), outline.items.end(),
                     [&](const detail::OutlineItem& each) { return each.name == name; });
    if (item == outline.items.end() || !item->is_model) {
        throw ArgumentError(
            detail::join({"inner_model: no layer of the model is a model named ", name}));
    }
    std::vector<Shape> shapes;
    for (const std::size_t value : item->applications.front()) {
        shapes.push_back(outer.shape_of(value));
    }
    Model<Scalar, Device> inner(*detail::parts_of(graph).models[item->model].graph, outer.device(),
                                shapes);
    inner.set_name(item->name);
    std::size_t p = 0;  // among the parameters of the inner model, whose layers are consecutive
    for (std::size_t layer = item->layer; layer < item->layer + item->layers; ++layer) {
        for (const ParameterInfo& parameter : outer.layer_parameters(layer)) {
            const auto values = on_host<Scalar>(outer.device(), outer.view(parameter.slot));
            copy_to_device<Scalar>(inner.device(), values,
                                   inner.view(inner.parameters()[p++].slot));
        }
    }
    return inner;
}

}  // namespace weft
