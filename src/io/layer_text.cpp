// Reads the text of a layer in Keras's JSON: a compiled part of weft::io, like io.cpp.
#include "weft/io/detail/graph_text.hpp"

#include <span>

namespace weft::detail {

Json class_and_config(std::string_view class_name, Json config) {
    Json::Object object;
    object.push_back({"class_name", class_name});
    object.push_back({"config", std::move(config)});
    return object;
}

std::string own_name(std::string_view name, std::string_view usual) {
    std::string_view end = name;
    if (end.starts_with(usual)) {
        end.remove_prefix(usual.size());
        if (end.starts_with('_')) end.remove_prefix(1);
        if (end.find_first_not_of("0123456789") == end.npos) return {};
    }
    return std::string(name);
}

std::string own_input_name(const LayerText& layer) {
    const Json* name = layer.config->find("name");
    return name != nullptr && name->text() ? *name->text() : std::string();
}

Shape read_input_layer(const LayerText& layer) {
    const Json* batch_shape = layer.config->find("batch_shape");
    const auto require = [&](bool holds) {
        if (!holds) throw IoError(concat(layer.where, ": is not an InputLayer with a batch_shape"));
    };
    require(layer.class_name == "InputLayer" && batch_shape && batch_shape->array() &&
            layer.config->object()->size() == (layer.config->find("name") ? 2u : 1u));
    const Json::Array& extents = *batch_shape->array();
    require(!extents.empty() && extents.size() <= Shape::max_rank + 1 && extents.front().is_null());
    std::vector<Index> shape;
    for (std::size_t axis = 1; axis < extents.size(); ++axis) {
        require(extents[axis].integer() != nullptr);
        shape.push_back(static_cast<Index>(*extents[axis].integer()));
    }
    try {
        return Shape(std::span<const Index>(shape));
    } catch (const ShapeError& error) {
        throw IoError(concat(layer.where, ": ", error.what()));
    }
}

}  // namespace weft::detail
