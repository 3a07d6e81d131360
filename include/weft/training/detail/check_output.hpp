/// \file
/// Checks that a model's last activation fits its loss, and that its inputs are scaled.
#pragma once

#include "weft/layers/average_pool2d.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/global_average_pool2d.hpp"
#include "weft/layers/global_max_pool2d.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/layers/sigmoid.hpp"
#include "weft/layers/softmax.hpp"
#include "weft/layers/zero_padding2d.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/fit_options.hpp"

namespace weft::detail {

WEFT_COLD inline bool is_one_of(std::string_view type,
                                std::initializer_list<std::string_view> types) {
    for (const std::string_view other : types) {
        if (type == other) return true;
    }
    return false;
}

/// Whether a layer passes on its input's numbers, or means or maxima of them.
template <class Scalar, class Device>
WEFT_COLD bool passes_on(const Model<Scalar, Device>& model, std::size_t i) {
    return model.layer(i).is_view() ||
           is_one_of(model.declarations()[i].type(),
                     {Flatten::type, Dropout::type, ZeroPadding2D::type, MaxPool2D::type,
                      AveragePool2D::type, GlobalMaxPool2D::type, GlobalAveragePool2D::type});
}

/// A layer's last activation. Unknown for a user's layer that does not declare it.
struct LastActivation {
    bool is_known = false;
    Activation activation = linear;
};

/// The last activation of layer i.
template <class Scalar, class Device>
WEFT_COLD LastActivation last_activation(const Model<Scalar, Device>& model, std::size_t i) {
    const std::string_view type = model.declarations()[i].type();
    const auto& layer = model.layer(i);
    const Activation activation =
        layer.as_activation() == linear ? layer.output_activation() : layer.as_activation();
    if (activation != linear || is_one_of(type, {Dense::type, Conv2D::type, BatchNorm::type})) {
        return {true, activation};
    }
    return {};
}

/// How to give a model this activation, if layer i is the last with one.
template <class Scalar, class Device>
WEFT_COLD std::string with_activation(Activation activation, const Model<Scalar, Device>& model,
                                      std::size_t i) {
    const std::string_view type = model.declarations()[i].type();
    if (is_one_of(type, {Dense::type, Conv2D::type})) {
        return join({".activation = ", to_string(activation), " in ", model.layer_name(i)});
    }
    if (activation == linear) return join({"no ", type, "{}"});
    return join({activation == softmax ? "Softmax{}" : "Sigmoid{}",
                 type == BatchNorm::type ? " behind " : " in the place of ", model.layer_name(i)});
}

/// The last layer before a value of the graph that does more than pass on its input; the first
/// layer if there is none.
template <class Scalar, class Device>
WEFT_COLD GraphNode last_computing(const Model<Scalar, Device>& model, std::size_t value) {
    const auto& graph = model.graph();
    GraphNode node = graph.nodes.front();
    while (!graph.is_input(value)) {
        node = graph.nodes[graph.node_of(value)];
        if (!passes_on(model, node.layer)) break;
        value = graph.inputs_of(node).front();
    }
    return node;
}

/// Checks output k. Throws ArgumentError for a last activation that is never right for the loss;
/// returns a hint for one that rarely is, else an empty text.
template <class Scalar, class Device>
WEFT_COLD std::string check_output(const Model<Scalar, Device>& model,
                                   const LossDeclaration<Scalar, Device>& loss, std::size_t k = 0) {
    const auto& graph = model.graph();
    if (graph.is_input(graph.outputs[k])) return {};
    const GraphNode node = last_computing(model, graph.outputs[k]);
    const std::size_t i = node.layer, before = graph.inputs_of(node).front();
    const Shape& output = model.output_shapes()[k];
    const auto [is_known, last] = last_activation(model, i);
    if (!is_known) return {};
    if (last == softmax && model.layer(i).output_shape().last() == 1) {
        throw ArgumentError(join({model.layer_name(i),
                                  ": softmax of one output is always 1, so nothing is learnt; "
                                  "write ",
                                  with_activation(sigmoid, model, i)}));
    }
    const std::string_view type = model.declarations()[i].type();
    if (!graph.is_input(before) && is_one_of(type, {Softmax::type, Sigmoid::type}) &&
        last_activation(model, last_computing(model, before).layer).activation == last) {
        throw ArgumentError(join({model.layer_name(i), ": applies ", to_string(last),
                                  " to the output of ", to_string(last), "; remove ", type, "{}"}));
    }
    const Misfit misfit = loss->misfit(last, output);
    if (misfit.takes.empty()) return {};
    std::string text = join({loss.type(), ": ", misfit.takes, ", but ", model.layer_name(i)});
    if (misfit.activation == last) {
        text += join({" gives ", output.to_batch_string(), "; write ", misfit.loss});
    } else {
        text += last == linear ? " has no activation" : join({" ends in ", to_string(last)});
        text += join({"; write ", with_activation(misfit.activation, model, i)});
        if (!misfit.loss.empty()) text += join({", or ", misfit.loss});
    }
    if (misfit.is_certain) throw ArgumentError(text);
    return text;
}

/// The hints for all outputs.
template <class Scalar, class Device>
WEFT_COLD std::vector<std::string> check_each_output(
    const Model<Scalar, Device>& model, const TrainerOptions<Scalar, Device>& options) {
    std::vector<std::string> hints;
    for (std::size_t k = 0; k < options.loss.size(); ++k) {
        hints.push_back(check_output(model, options.loss[k], k));
    }
    return hints;
}

/// A hint for a batch x of pixels in 0 ... 255 that the model does not scale, else an empty text.
template <class Scalar, class Device>
WEFT_COLD std::string check_input(const Model<Scalar, Device>& model, TensorView<const Scalar> x) {
    std::size_t i = 0;
    while (i + 1 < model.layer_count() && passes_on(model, i)) ++i;
    // Fewer numbers are not a picture; other layers may scale.
    if (model.input_shape().size() < 64 ||
        !is_one_of(model.declarations()[i].type(), {Dense::type, Conv2D::type})) {
        return {};
    }
    Scalar low = x[0], high = x[0];
    for (const Scalar value : x) {
        low = (std::min)(low, value);
        high = (std::max)(high, value);
    }
    if (!(low >= 0 && high > 127 && high <= 255)) return {};
    return join({"the inputs reach ", static_cast<double>(high),
                 ", as pixels of 8 bits do, and most models learn better from 0 ... 1; write "
                 "scaled<float>(x, 255), or Rescaling{1.0 / 255} as the first layer"});
}

/// Hints about likely mistakes in a model that is trained on a batch x; some may be empty.
template <class Scalar, class Device>
WEFT_COLD std::vector<std::string> hints(const Model<Scalar, Device>& model,
                                         const TrainerOptions<Scalar, Device>& options,
                                         TensorView<const Scalar> x) {
    std::vector<std::string> all = check_each_output(model, options);
    if (model.input_shapes().size() == 1) all.push_back(check_input(model, x));
    return all;
}

}  // namespace weft::detail
