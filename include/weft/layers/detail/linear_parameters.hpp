/// \file
/// LinearParameters: kernel and bias, the parameters of Dense and Conv2D.
#pragma once

#include "weft/layers/layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft::detail {

/// The kernel of a linear layer, and the bias of each output, if there is one.
struct LinearParameters {
    ParameterSlot kernel;
    ParameterSlot bias = {};  ///< none: not used

    /// Takes the options kernel_initializer, kernel_regularizer, kernel_constraint, use_bias, and
    /// likewise bias_...   kernel (..., outputs)   bias (outputs)
    template <class Options>
    WEFT_COLD LinearParameters(const Options& options, LayerBuilder& builder, const Shape& shape)
        : kernel(builder.add_parameter("kernel", shape, options.kernel_initializer,
                                       options.kernel_regularizer, options.kernel_constraint)) {
        if (!options.use_bias) return;
        bias = builder.add_parameter("bias", {shape.last()}, options.bias_initializer,
                                     options.bias_regularizer, options.bias_constraint);
    }

    /// The bias in the given pass; an empty view if there is none. bias_gradient likewise.
    template <class Scalar, class Device>
    TensorView<const Scalar, Device> bias_of(const Pass<Scalar, Device>& pass) const {
        return bias ? pass.parameter(bias) : TensorView<const Scalar, Device>();
    }
    template <class Scalar, class Device>
    TensorView<Scalar, Device> bias_gradient(const Pass<Scalar, Device>& pass) const {
        return bias ? pass.gradient(bias) : TensorView<Scalar, Device>();
    }
};

/// The fields that Dense and Conv2D have in common; `rank` is that of the kernel.
template <class Options>
WEFT_COLD void visit_linear_fields(Options& layer, LayerFields& field, Index rank) {
    field("activation", layer.activation);
    field("use_bias", layer.use_bias);
    field("kernel_initializer", layer.kernel_initializer);
    field("bias_initializer", layer.bias_initializer);
    field("kernel_regularizer", layer.kernel_regularizer);
    field("bias_regularizer", layer.bias_regularizer);
    field("activity_regularizer", layer.activity_regularizer);
    field("kernel_constraint", layer.kernel_constraint, rank);
    field("bias_constraint", layer.bias_constraint, 1);
}

}  // namespace weft::detail
