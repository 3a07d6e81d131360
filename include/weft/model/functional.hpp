/// \file
/// Value: models that are not a chain, as layers applied to values.
#pragma once

#include "weft/layers/add.hpp"
#include "weft/layers/concatenate.hpp"
#include "weft/layers/input.hpp"
#include "weft/layers/multiply.hpp"
#include "weft/model/graph_order.hpp"
#include "weft/model/model.hpp"

#include <algorithm>

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

    /// The input of a model, with the shape of one sample, without N.
    explicit Value(const InputShape& input, std::string name = {})
        : node_(std::make_shared<Node>()) {
        node_->input = input;
        node_->name = std::move(name);
    }

    /// A layer applied to one value for each of its inputs.
    WEFT_COLD Value(std::shared_ptr<const Declaration> layer, std::vector<Value> inputs)
        : node_(std::make_shared<Node>()) {
        node_->layer = std::move(layer);
        node_->inputs = std::move(inputs);
    }

    /// The values that a model, used as a layer, computes from others.
    template <class Model>
    WEFT_COLD static std::vector<Value> apply(const Model& model, std::vector<Value> inputs) {
        const auto& graph = model.graph();
        auto [name, is_given] = detail::model_name(graph);
        if (inputs.size() != graph.inputs.size()) {
            detail::refuse_inputs(inputs.size(), graph.inputs.size(), name);
        }
        auto node = std::make_shared<Node>();
        node->inputs = std::move(inputs);
        node->mark = {model.marks().object(), model.marks().build()};
        auto inner = std::make_shared<Part>(Part{std::move(name), is_given});
        inner->graph = std::make_shared<const Graph<Scalar, Device>>(graph);
        if (model.is_built()) {
            inner->values =
                std::make_shared<const std::vector<Tensor<Scalar>>>(model.parameter_values());
        }
        node->model = std::move(inner);
        std::vector<Value> outputs;
        for (std::size_t k = 0; k < graph.outputs.size(); ++k) outputs.push_back(Value(node, k));
        return outputs;
    }

    /// The graph from inputs to outputs. An input may be a value that a layer computes: then the
    /// graph begins behind it, for samples of any shape. Throws ArgumentError if an output depends
    /// on other inputs.
    WEFT_COLD static Graph<Scalar, Device> graph(Span<const Value> inputs,
                                                 Span<const Value> outputs) {
        require_distinct(inputs, outputs);
        std::vector<const Node*> found;
        std::vector<LooseLayer<Scalar, Device>> layers;
        std::vector<const Node*> first;  // node that applies each layer
        std::vector<LooseNode> nodes;
        const auto loose = [&](const Value& value) {
            const auto input = std::find(inputs.begin(), inputs.end(), value);
            if (input != inputs.end()) {
                return LooseValue{graph_input - static_cast<std::size_t>(input - inputs.begin())};
            }
            if (value.node_->is_input()) {
                throw ArgumentError("model: the output reads an input that is not the model's");
            }
            const auto known = std::find(found.begin(), found.end(), value.node_.get());
            const auto index = static_cast<std::size_t>(known - found.begin());
            if (known == found.end()) found.push_back(value.node_.get());
            return LooseValue{index, value.output_};
        };
        std::vector<LooseValue> ends;
        for (const Value& output : outputs) ends.push_back(loose(output));
        for (std::size_t i = 0; i < found.size(); ++i) {
            const Node& node = *found[i];
            const auto known = std::find_if(first.begin(), first.end(), [&](const Node* other) {
                return other->applies_same(node);
            });
            LooseNode next{static_cast<std::size_t>(known - first.begin())};
            if (known == first.end()) {
                first.push_back(&node);
                if (node.layer) {
                    layers.emplace_back(*node.layer);
                } else {
                    layers.emplace_back(*node.model);
                }
            }
            for (const Value& read : node.inputs) next.inputs.push_back(loose(read));
            nodes.push_back(std::move(next));
        }
        std::vector<GraphInput> declared;
        std::vector<std::string> names;
        for (const Value& input : inputs) {
            declared.push_back({input.node_->input});
            names.push_back(input.node_->name);
        }
        return ordered_graph<Scalar, Device>(layers, nodes, std::move(declared), std::move(names),
                                             ends);
    }

    friend bool operator==(const Value& a, const Value& b) {
        return a.node_ == b.node_ && a.output_ == b.output_;
    }

private:
    using Part = GraphModel<Scalar, Device>;

    struct Node {
        Node() = default;
        Node(const Node&) = delete;
        Node& operator=(const Node&) = delete;
        /// The nodes of a chain one after the other: each within the next would overflow the stack.
        ~Node() {
            while (inputs.size() == 1) {
                const std::shared_ptr<Node> before = std::move(inputs[0].node_);
                inputs.clear();
                if (before.use_count() == 1) std::swap(inputs, before->inputs);
            }
        }

        std::optional<Shape> input;
        std::string name;
        std::shared_ptr<const Declaration> layer;
        std::shared_ptr<const Part> model;
        std::pair<Mark, Mark> mark;  ///< of the model's object and build
        std::vector<Value> inputs;

        bool is_input() const { return layer == nullptr && model == nullptr; }
        bool applies_same(const Node& other) const {
            return layer == other.layer && (layer != nullptr || mark == other.mark);
        }
    };

    Value(std::shared_ptr<Node> node, std::size_t output)
        : node_(std::move(node)), output_(output) {}

    WEFT_COLD static void require_distinct(Span<const Value> inputs, Span<const Value> outputs) {
        if (inputs.empty() || outputs.empty()) {
            throw ArgumentError("model: no inputs or no outputs, expected at least one of each");
        }
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (std::count(inputs.begin(), inputs.end(), inputs[k]) > 1) {
                throw ArgumentError(detail::join({"model: input ", static_cast<Index>(k),
                                                  " is the same value as another input"}));
            }
        }
    }

    std::shared_ptr<Node> node_;
    std::size_t output_ = 0;  ///< of a model
};

/// The input of a model, with the shape of one sample, without N. A name distinguishes several
/// inputs.
template <class Scalar = float, class Device = Cpu>
Value<Scalar, Device> input(const InputShape& shape, std::string name = {}) {
    return Value<Scalar, Device>(shape, std::move(name));
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
    if (values.empty())
        throw ArgumentError(detail::join({D::type, ": no values, expected at least 1"}));
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
