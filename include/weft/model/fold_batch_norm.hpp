/// \file
/// fold_batch_norm: a copy of a model for inference, with batch norms folded into other layers.
#pragma once

#include "weft/core/contains.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/model/detail/folded_layer.hpp"
#include "weft/model/detail/names.hpp"
#include "weft/model/graph_order.hpp"
#include "weft/model/model.hpp"

#include <algorithm>

namespace weft {

namespace detail {

/// The graph of a model while it is folded.
template <class Scalar, class Device>
class BatchNormFolder {
public:
    WEFT_COLD explicit BatchNormFolder(const Model<Scalar, Device>& model) {
        const auto& graph = model.graph();
        name_ = graph.name;
        inputs_ = graph.inputs;
        input_names_ = parts_of(graph).input_names;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < model.layer_count(); ++i) names.push_back(model.layer_name(i));
        for (std::size_t i = 0; i < model.layer_count(); ++i) {
            Part part{graph.layers[i], &model.layer(i), {}};
            // Models in it are dissolved. Keras does not allow / in the name of a layer.
            if (contains(names[i], '/')) {
                std::string name = names[i];
                std::replace(name.begin(), name.end(), '/', '_');
                names[i] = unique_name(name, false, names);
                part.declaration.set_name(names[i]);
            }
            for (const ParameterInfo& parameter : model.layer_parameters(i)) {
                part.parameters.emplace_back(parameter.slot.shape);
                const auto numbers = on_host<Scalar>(model.device(), model.view(parameter.slot));
                std::copy(numbers.begin(), numbers.end(), part.parameters.back().begin());
            }
            parts_.push_back(std::move(part));
        }
        for (const GraphNode& node : graph.nodes) {
            const auto inputs = graph.inputs_of(node);
            nodes_.push_back({node.layer, {inputs.begin(), inputs.end()}});
        }
        outputs_ = graph.outputs;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (part(i).declaration.template get_if<Dropout>()) leave_out(i);
        }
    }

    WEFT_COLD void fold() {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i].is_left && fold(i)) leave_out(i);
        }
    }

    WEFT_COLD Model<Scalar, Device> model(const std::vector<Shape>& input_shapes,
                                          const Device& device) const {
        Graph<Scalar, Device> graph{.name = name_, .inputs = inputs_};
        graph.form = std::make_shared<const OwnForm<Scalar, Device>>(
            GraphParts<Scalar, Device>{.input_names = input_names_});
        std::vector<std::size_t> value(value_of(nodes_.size())), inputs, places;
        for (std::size_t i = 0; i < value.size(); ++i) value[i] = i;
        // In the order in which a file restores them.
        for (const std::size_t i : keras_order_of(nodes_, inputs_.size(), outputs_)) {
            const auto known = std::find(places.begin(), places.end(), nodes_[i].layer);
            const auto layer = static_cast<std::size_t>(known - places.begin());
            if (known == places.end()) {
                places.push_back(nodes_[i].layer);
                graph.layers.push_back(part(i).declaration);
            }
            inputs.clear();
            for (const std::size_t input : nodes_[i].inputs) inputs.push_back(value[input]);
            value[value_of(i)] = graph.value_of(graph.nodes.size());
            graph.apply(layer, inputs);
        }
        for (const std::size_t output : outputs_) graph.outputs.push_back(value[output]);
        Model<Scalar, Device> result(std::move(graph), device, input_shapes);
        for (std::size_t i = 0; i < places.size(); ++i) {
            const auto& parameters = parts_[places[i]].parameters;
            for (std::size_t p = 0; p < parameters.size(); ++p) {
                const auto rounded = [](double number) { return static_cast<Scalar>(number); };
                write_on_host(device, result.view(result.layer_parameters(i)[p].slot),
                              [&](TensorView<Scalar> numbers) {
                                  std::transform(parameters[p].begin(), parameters[p].end(),
                                                 numbers.begin(), rounded);
                              });
            }
        }
        return result;
    }

    /// Whether only dropouts lead to the outputs.
    bool is_empty() const { return keras_order_of(nodes_, inputs_.size(), outputs_).empty(); }

private:
    using Part = FoldedLayer<Scalar, Device>;

    /// As in Graph: the first values are the inputs, the others are computed by the nodes.
    struct Node {
        std::size_t layer;
        std::vector<std::size_t> inputs;
        bool is_left = true;
    };

    Part& part(std::size_t node) { return parts_[nodes_[node].layer]; }
    const Part& part(std::size_t node) const { return parts_[nodes_[node].layer]; }

    /// Lets all readers of a node's value read its input instead.
    void leave_out(std::size_t node) {
        const std::size_t input = nodes_[node].inputs.front();
        for (Node& reader : nodes_)
            std::replace(reader.inputs.begin(), reader.inputs.end(), value_of(node), input);
        std::replace(outputs_.begin(), outputs_.end(), value_of(node), input);
        nodes_[node].is_left = false;
    }

    std::size_t value_of(std::size_t node) const { return inputs_.size() + node; }

    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    /// The only reader of a value, if it reads nothing else; none for an output.
    std::size_t only_reader(std::size_t value) const {
        std::size_t found = none;
        if (contains(outputs_, value)) return found;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (!nodes_[i].is_left || !contains(nodes_[i].inputs, value)) continue;
            if (found != none || nodes_[i].inputs.size() > 1) return none;
            found = i;
        }
        return found;
    }

    /// Whether the layer of a node is applied only there, so it can be replaced.
    bool is_applied_once(std::size_t node) const {
        const auto applies = [&](const Node& other) {
            return other.is_left && other.layer == nodes_[node].layer;
        };
        return std::count_if(nodes_.begin(), nodes_.end(), applies) == 1;
    }

    /// Folds node i into another layer. False if it is not a batch norm, or cannot be folded.
    bool fold(std::size_t i) {
        const auto* batch_norm = part(i).declaration.template get_if<BatchNorm>();
        if (batch_norm == nullptr) return false;
        ChannelMap map = part(i).inference_map(*batch_norm);
        if (!map.is_finite()) return false;
        const std::size_t read = nodes_[i].inputs.front(), before = read - inputs_.size();
        if (read >= inputs_.size() && only_reader(read) != none && part(before).is_linear() &&
            is_applied_once(before)) {
            part(before).linear_map().append(map);
            return true;
        }
        std::size_t next = only_reader(value_of(i));
        while (next != none && part(next).commutes_with(map)) next = only_reader(value_of(next));
        if (next == none || !part(next).reads_elements_only() || !is_applied_once(next))
            return false;
        part(next).linear_map().prepend(map);
        return true;
    }

    std::string name_;
    std::vector<Part> parts_;  ///< of all layers
    std::vector<Node> nodes_;
    std::vector<GraphInput> inputs_;
    std::vector<std::string> input_names_;
    std::vector<std::size_t> outputs_;  ///< values
};

}  // namespace detail

/// A copy of a built model with the same predictions, up to rounding, and less work: without
/// dropouts, and with batch norms folded into neighbouring layers if possible. In inference a batch
/// norm is, channel by channel, the affine map
///
///   y_c = s_c x_c + t_c,
///   s = gamma / sqrt(moving_variance + epsilon),   t = beta - s moving_mean.
///
/// Behind a Dense or Conv2D without activation (kernel W, bias b, filter f) it becomes
///
///   W'_...f = s_f W_...f,   b'_f = s_f b_f + t_f.
///
/// Otherwise, in front of a Dense, or of a Conv2D whose windows stay inside the image, whose tap k
/// reads channel c:
///
///   W'_kcf = s_c W_kcf,   b'_f = b_f + sum_kc t_c W_kcf,
///
/// also with Flatten, Reshape and average pooling between the two, and max pooling if no s_c is
/// negative. A layer without bias gets one. Other batch norms stay: in front of a padded Conv2D,
/// whose zeros are not mapped, or of an activation. Layers without a given name are counted anew.
/// In a model that is not a chain a batch norm is folded into a layer only if nothing else reads
/// the value between them, and the layer is applied only there. Models inside the model are
/// dissolved: encoder/dense becomes its layer encoder_dense, or encoder_dense_1 if that is taken.
/// Throws ArgumentError when the model is not built.
///
/// Not for further training: dropouts are missing, and a folded batch norm learns differently.
/// Source: Jacob et al. 2018, section 3.2.
template <class Scalar, class Device>
WEFT_COLD Model<Scalar, Device> fold_batch_norm(const Model<Scalar, Device>& model) {
    const std::vector<Shape> input_shapes = model.input_shapes();
    detail::BatchNormFolder<Scalar, Device> folder(model);
    if (folder.is_empty()) return model;  // only dropouts
    folder.fold();
    return folder.model(input_shapes, model.device());
}

}  // namespace weft
