/// \file
/// BuiltGraph: layers that were built for an input shape, with their parameters and plan.
#pragma once

#include "weft/model/parameters.hpp"
#include "weft/model/workspace.hpp"

namespace weft {

/// What build() makes of declarations. Empty: not built.
template <class Scalar, class Device>
struct BuiltGraph {
    using LayerPointer = std::shared_ptr<const Layer<Scalar, Device>>;

    BuiltGraph() = default;

    /// Throws ShapeError or ArgumentError that names the layer.
    WEFT_COLD BuiltGraph(std::span<const LayerDeclaration<Scalar, Device>> declarations,
                         const Shape& input_shape, std::uint64_t seed)
        : first_parameter{0} {
        if (declarations.empty()) {
            throw ArgumentError("sequential: the model has no layers, expected at least 1");
        }
        ParameterList list;
        Shape shape = input_shape;
        for (const auto& declaration : declarations) {
            LayerBuilder builder(detail::unique_name(declaration, names), shape, list);
            layers.push_back(declaration.build(builder));
            names.push_back(builder.name());
            shape = layers.back()->output_shape();
            first_parameter.push_back(list.parameters().size());
            multiplications += detail::multiplications(
                std::span(list.parameters()).subspan(first_parameter.end()[-2]), shape);
        }
        parameters = Parameters<Scalar, Device>(list);
        parameters.initialize(seed);
        plan = make_plan(PassKind::inference, false);
    }

    std::span<const ParameterInfo> layer_parameters(std::size_t i) const {
        return std::span(parameters.infos())
            .subspan(first_parameter.at(i), first_parameter.at(i + 1) - first_parameter[i]);
    }

    /// What a plan has to know of the layers.
    WEFT_COLD std::vector<PlanNode> plan_nodes() const {
        std::vector<PlanNode> nodes;
        for (std::size_t i = 0; i < layers.size(); ++i) {
            const Layer<Scalar, Device>& layer = *layers[i];
            nodes.push_back({.name = names[i],
                             .inputs = {i},
                             .output_shape = layer.output_shape(),
                             .is_view = layer.is_view(),
                             .is_trainable = detail::count_numbers(layer_parameters(i), true) > 0,
                             .absorbs_relu = layer.absorbs_relu(),
                             .backs_through_relu = layer.backs_through_relu(),
                             .backs_in_place = layer.backs_in_place(),
                             .as_activation = layer.as_activation(),
                             .output_activation = layer.output_activation(),
                             .activity_regularizer = layer.activity_regularizer()});
        }
        return nodes;
    }

    WEFT_COLD std::shared_ptr<const Plan> make_plan(PassKind kind, bool takes_logits) const {
        return std::make_shared<const Plan>(layers.front()->input_shape(), plan_nodes(), kind,
                                            takes_logits);
    }

    std::vector<LayerPointer> layers;
    std::vector<std::string> names;
    std::vector<std::size_t> first_parameter;  ///< of each layer, and one past the last
    double multiplications = 0;                ///< by parameters, for one sample
    Parameters<Scalar, Device> parameters;
    std::shared_ptr<const Plan> plan;  ///< of predict
};

}  // namespace weft
