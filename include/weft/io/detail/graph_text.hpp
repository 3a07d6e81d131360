/// \file
/// Graphs read from Keras's JSON of a Sequential or Functional model. Compiled in
/// src/io/graph_text.cpp and layer_text.cpp.
#pragma once

#include "weft/io/detail/json.hpp"
#include "weft/model/graph_order.hpp"

namespace weft::detail {

struct GraphText;

/// A layer in the text.
struct LayerText {
    std::string class_name;
    const Json* config;
    std::string where;  ///< the start of error messages
    std::string name = {};
    std::shared_ptr<const GraphText> model = {};  ///< if the layer is a model
};

/// The inputs, layers and nodes of an architecture. They point into the JSON.
struct GraphText {
    std::vector<LayerText> inputs;
    std::vector<LayerText> layers;
    std::vector<LooseNode> nodes;
    std::vector<LooseValue> outputs;
    std::string name = {};        ///< empty if Keras made it, such as "functional_1"
    std::size_t connections = 0;  ///< also those inside models, for each application
};

/// {"class_name": ..., "config": ...}
Json class_and_config(std::string_view class_name, Json config);

/// The name in a file; empty if Keras made it from `usual`, such as "functional_1".
std::string own_name(std::string_view name, std::string_view usual);

/// The name that the user gave to an input; empty if none.
std::string own_input_name(const LayerText& layer);

/// The graph of an architecture, into which it points.
GraphText read_graph(const Json& architecture, const std::string& file);

/// The shape of one sample in an InputLayer.
Shape read_input_layer(const LayerText& layer);

}  // namespace weft::detail
