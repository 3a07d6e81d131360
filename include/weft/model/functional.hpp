/// \file
/// Models that are no chain: layers applied to values.
#pragma once

#include "weft/layers/add.hpp"
#include "weft/layers/concatenate.hpp"
#include "weft/layers/multiply.hpp"
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

    /// The graph from an input to an output, both included. Throws ArgumentError when the output
    /// does not come from that input alone.
    WEFT_COLD static Graph<Scalar, Device> graph(const Value& input, const Value& output) {
        return GraphOrder(input, output).graph();
    }

private:
    struct Node {
        std::optional<Shape> input;
        std::shared_ptr<const Declaration> layer;
        std::vector<Value> inputs;
    };

    /// Nodes in Keras's order: those farthest from the output first, and at the same distance as
    /// they are met on the way back from the output.
    class GraphOrder {
    public:
        GraphOrder(const Value& input, const Value& output) : input_(input) {
            visit(*output.node_);
            for (std::size_t i = finished_.size(); i-- > 0;) {
                for (const Value& read : finished_[i]->inputs) {
                    Met& met = find(*read.node_);
                    met.distance = (std::max)(met.distance, find(*finished_[i]).distance + 1);
                }
            }
            if (find(*output.node_).node == input.node_.get()) {
                throw ArgumentError("model: the output is the input, expected a layer between");
            }
            std::ranges::stable_sort(met_, std::ranges::greater{}, &Met::distance);
        }

        Graph<Scalar, Device> graph() const {
            Graph<Scalar, Device> graph;
            graph.input = input_.node_->input;
            std::vector<const Node*> values{input_.node_.get()};
            std::vector<const Declaration*> layers;
            for (const Met& met : met_) {
                if (met.node == values.front()) continue;
                std::vector<std::size_t> inputs;
                for (const Value& read : met.node->inputs) {
                    const auto found = std::ranges::find(values, read.node_.get());
                    inputs.push_back(static_cast<std::size_t>(found - values.begin()));
                }
                const auto known = std::ranges::find(layers, met.node->layer.get());
                const auto layer = static_cast<std::size_t>(known - layers.begin());
                if (known == layers.end()) {
                    layers.push_back(met.node->layer.get());
                    graph.layers.push_back(*met.node->layer);
                }
                graph.apply(layer, inputs);
                values.push_back(met.node);
            }
            return graph;
        }

    private:
        struct Met {
            const Node* node;
            Index distance;  ///< from the output
        };

        Met& find(const Node& node) { return *std::ranges::find(met_, &node, &Met::node); }

        void visit(const Node& node) {
            if (std::ranges::find(met_, &node, &Met::node) != met_.end()) return;
            met_.push_back({&node, 0});
            if (node.input && &node != input_.node_.get()) {
                throw ArgumentError("model: the output reads an input that is not the model's");
            }
            for (const Value& read : node.inputs) visit(*read.node_);
            finished_.push_back(&node);
        }

        Value input_;
        std::vector<Met> met_;
        std::vector<const Node*> finished_;
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
