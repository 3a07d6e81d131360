/// \file
/// Graphs as they are read from Keras's JSON of a Sequential or Functional model. What is only declared
/// here is in src/io/graph_text.cpp and layer_text.cpp.
#pragma once

#include "weft/io/detail/json.hpp"
#include "weft/model/graph_order.hpp"

namespace weft::detail {

struct GraphText;

/// A layer as the text has it.
struct LayerText {
    std::string class_name;
    const Json* config;
    std::string where;  ///< begins errors
    std::string name = {};
    std::shared_ptr<const GraphText> model = {};  ///< of a layer that is one
};

/// The layers of an architecture behind its inputs, and what each is applied to. They point into
/// the JSON.
struct GraphText {
    std::vector<LayerText> inputs;
    std::vector<LayerText> layers;
    std::vector<LooseNode> nodes;
    std::vector<LooseValue> outputs;
    std::string name = {};        ///< empty where Keras counted it
    std::size_t connections = 0;  ///< also those inside of models, wherever they are applied
};

/// {"class_name": ..., "config": ...}
Json class_and_config(std::string_view class_name, Json config);

/// The name in a file, unless it is one that is given to what has no name, such as "functional_1".
std::string own_name(std::string_view name, std::string_view usual);

/// The name that the user gave to an input, or empty.
std::string own_input_name(const LayerText& layer);

/// The layers and nodes of an architecture. They point into it.
GraphText read_graph(const Json& architecture, const std::string& file);

/// The shape of one sample that an InputLayer declares.
Shape read_input_layer(const LayerText& layer);

}  // namespace weft::detail
