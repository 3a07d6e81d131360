/// \file
/// Models that are no chain: layers applied to values.
#pragma once

#include "weft/layers/add.hpp"
#include "weft/layers/concatenate.hpp"
#include "weft/layers/multiply.hpp"
#include "weft/model/graph_order.hpp"
#include "weft/model/model.hpp"

namespace weft {

/// A value that a model computes: its input, or a layer applied to other values. Copies are the
/// same value.
///
///   Value x = input({28, 28, 1});
///   Value y = x | Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu};
///   y = add(y, y | Conv2D{.filters = 16, .kernel_size = 3, .padding = same}) | ReLU{};
///   Model model(x, y | GlobalAveragePool2D{} | Dense{10, softmax});
template <class Scalar = float, class Device = Cpu>
class Value {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;

    /// The input of a model, for samples of that shape, without N.
    explicit Value(const Shape& input) : node_(std::make_shared<Node>()) { node_->input = input; }

    /// A layer applied to values, as many as it has inputs.
    WEFT_COLD Value(std::shared_ptr<const Declaration> layer, std::vector<Value> inputs)
        : node_(std::make_shared<Node>()) {
        node_->layer = std::move(layer);
        node_->inputs = std::move(inputs);
    }

    /// The graph from an input to an output, both included. The input may be a value that a layer
    /// computes: then the graph begins behind it, for samples of any shape. Throws ArgumentError
    /// when the output does not come from that input alone.
    WEFT_COLD static Graph<Scalar, Device> graph(const Value& input, const Value& output) {
        if (input.node_ == output.node_) {
            throw ArgumentError("model: the output is the input, expected a layer between");
        }
        std::vector<const Node*> found;
        std::vector<const Declaration*> layers;
        std::vector<LooseNode> nodes;
        const auto index_of = [](auto& list, const auto* item) {
            const auto known = std::ranges::find(list, item);
            const auto index = static_cast<std::size_t>(known - list.begin());
            if (known == list.end()) list.push_back(item);
            return index;
        };
        const auto node_of = [&](const Value& value) {
            if (value.node_ == input.node_) return graph_input;
            if (value.node_->layer == nullptr) {
                throw ArgumentError("model: the output reads an input that is not the model's");
            }
            return index_of(found, value.node_.get());
        };
        node_of(output);
        for (std::size_t i = 0; i < found.size(); ++i) {
            LooseNode node{index_of(layers, found[i]->layer.get())};
            for (const Value& read : found[i]->inputs) node.inputs.push_back(node_of(read));
            nodes.push_back(std::move(node));
        }
        std::vector<Declaration> declarations;
        for (const Declaration* layer : layers) declarations.push_back(*layer);
        auto graph = ordered_graph<Scalar, Device>(declarations, nodes, 0);
        graph.input = input.node_->input;
        return graph;
    }

private:
    struct Node {
        std::optional<Shape> input;
        std::shared_ptr<const Declaration> layer;
        std::vector<Value> inputs;
    };

    std::shared_ptr<Node> node_;
};

/// The input of a model, for samples of that shape, without N.
template <class Scalar = float, class Device = Cpu>
Value<Scalar, Device> input(const Shape& shape) {
    return Value<Scalar, Device>(shape);
}

/// A layer that may be applied more than once, with the same parameters each time:
///
///   const SharedLayer tower(Dense{.units = 64, .activation = relu});
///   Value distance = multiply(a | tower, b | tower);
template <class Scalar = float, class Device = Cpu>
class SharedLayer {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;

    template <DeclaresLayer<Scalar, Device> D>
    explicit SharedLayer(D declaration)
        : layer_(std::make_shared<const Declaration>(std::move(declaration))) {}

    friend Value<Scalar, Device> operator|(const Value<Scalar, Device>& x,
                                           const SharedLayer& layer) {
        return {layer.layer_, {x}};
    }

private:
    std::shared_ptr<const Declaration> layer_;
};

template <class D>
explicit SharedLayer(D) -> SharedLayer<float, Cpu>;

/// A layer applied to a value.
template <class Scalar, class Device, DeclaresLayer<Scalar, Device> D>
Value<Scalar, Device> operator|(const Value<Scalar, Device>& x, D layer) {
    using Declaration = LayerDeclaration<Scalar, Device>;
    return {std::make_shared<const Declaration>(std::move(layer)), {x}};
}

/// A layer of several inputs, such as Concatenate{.axis = 1}, applied to values.
template <class Scalar, class Device, DeclaresLayer<Scalar, Device> D>
Value<Scalar, Device> merge(D layer, std::vector<Value<Scalar, Device>> values) {
    using Declaration = LayerDeclaration<Scalar, Device>;
    if (values.empty()) throw ArgumentError(concat(D::type, ": no values, expected at least 1"));
    return {std::make_shared<const Declaration>(std::move(layer)), std::move(values)};
}

/// x_0 + x_1 + ...
template <class Scalar, class Device, std::same_as<Value<Scalar, Device>>... Others>
Value<Scalar, Device> add(const Value<Scalar, Device>& x, const Others&... others) {
    return merge<Scalar, Device>(Add{}, {x, others...});
}

/// x_0 x_1 ..., elementwise
template <class Scalar, class Device, std::same_as<Value<Scalar, Device>>... Others>
Value<Scalar, Device> multiply(const Value<Scalar, Device>& x, const Others&... others) {
    return merge<Scalar, Device>(Multiply{}, {x, others...});
}

/// Side by side along the last axis.
template <class Scalar, class Device, std::same_as<Value<Scalar, Device>>... Others>
Value<Scalar, Device> concatenate(const Value<Scalar, Device>& x, const Others&... others) {
    return merge<Scalar, Device>(Concatenate{}, {x, others...});
}

}  // namespace weft
