/// \file
/// require_plausible: a model file must be large enough for the model it describes.
#pragma once

#include "weft/io/detail/safetensors.hpp"
#include "weft/model/graph.hpp"

namespace weft::detail {

/// Builds the layers without parameters, and throws IoError unless the file is large enough to hold
/// these: memory grows with the file, not with its claims. Outputs may have up to 1024 times the
/// file's numbers, more than a convolution makes of an image. In a chain the bound is for each
/// output, in another graph for their sum, as all may have to be kept.
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
