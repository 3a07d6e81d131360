/// \file
/// inner_model: a model that is a layer of another, as a model again.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/model/graph_outline.hpp"
#include "weft/model/model.hpp"

#include <algorithm>

namespace weft {

/// A copy of the model that is a layer of a built one, with the parameters it has there: Keras's
/// outer.get_layer("encoder"), but for being a copy.
///
///   const Model<float> encoder = inner_model(trained, "encoder");
///
/// Throws ArgumentError when the model is not built, or has no model of that name as a layer.
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
    Model<Scalar, Device> inner(*detail::parts_of(graph).models[item->model].graph);
    inner.set_device(outer.device());
    inner.build(shapes);
    inner.set_name(item->name);
    std::size_t p = 0;  // among those of the model, whose layers stand side by side
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
