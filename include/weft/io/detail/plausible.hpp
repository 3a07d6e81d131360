/// \file
/// Whether a model file is large enough for the model that it tells of.
#pragma once

#include "weft/io/detail/safetensors.hpp"
#include "weft/model/graph.hpp"

namespace weft::detail {

/// Builds the layers without their numbers, and throws unless the file is large enough to hold
/// those; so nothing is allocated that the file does not pay for. Outputs may be larger than the
/// file by what a convolution makes of an image, which has no thousand channels a pixel: each in a
/// chain, all of them in a graph, where all may have to be kept.
template <class Scalar, class Device>
WEFT_COLD void require_plausible(const SafetensorsFile& file, const Graph<Scalar, Device>& graph,
                                 std::vector<Shape> shapes) {
    const auto most = static_cast<Index>(file.size_bytes() / sizeof(Scalar));
    const bool is_chain = graph.is_chain();
    ParameterList list;
    Index elements = 0, outputs = 0;
    std::size_t counted = 0, built = 0;
    std::vector<Shape> read;
    std::vector<std::shared_ptr<const Layer<Scalar, Device>>> layers;
    for (const GraphNode& node : graph.nodes) {
        const std::string name =
            concat("layer ", node.layer + 1, ", ", graph.layers[node.layer].type());
        read.clear();
        for (const std::size_t value : graph.inputs_of(node)) read.push_back(shapes[value]);
        if (node.layer == built) {
            LayerBuilder builder(name, read, list);
            layers.push_back(graph.layers[built++].build(builder));
        }
        const Shape& shape = shapes.emplace_back(layers[node.layer]->output_shape());
        for (; counted < list.parameters().size(); ++counted) {
            const Index size = list.parameters()[counted].slot.shape.size();
            file.require(size <= most - elements,
                         concat("is too small for the parameters of ", name));
            elements += size;
        }
        outputs = shape.size() / 1024 + (is_chain ? 0 : outputs);
        file.require(outputs <= most, concat("is too small for the outputs of ", name));
    }
}

}  // namespace weft::detail
