/// \file
/// Dense: an affine map of the last axis.
#pragma once

#include "weft/layers/detail/linear_parameters.hpp"
#include "weft/layers/layer.hpp"

namespace weft {

/// Affine map  Y = act(X W + b)  of the last axis.
///
///   X (N, ..., F)   W kernel (F, units)   b bias (units)   Y (N, ..., units)
///
/// With Z = X W + b, G = dL/dY * act'(Z), and all axes but the last taken as one:
///   dL/dW = X^T G,   dL/db = column sums of G,   dL/dX = G W^T.
/// W starts Glorot uniform, b at zero, as in Keras.
struct Dense {
    Index units;                                      ///< width of the output, at least 1
    Activation activation = linear;                   ///< of the sums
    bool use_bias = true;                             ///< adds b
    Initializer kernel_initializer = glorot_uniform;  ///< first values of W
    Initializer bias_initializer = zeros;             ///< first values of b
    Regularizer kernel_regularizer = {};              ///< penalty on W
    Regularizer bias_regularizer = {};                ///< penalty on b
    Regularizer activity_regularizer = {};            ///< on the outputs
    Constraint kernel_constraint = {};                ///< on W, after each update
    Constraint bias_constraint = {};                  ///< on b, after each update
    std::string name = {};                            ///< instead of "dense", "dense_1", ...

    static constexpr std::string_view type = "Dense";
    friend bool operator==(const Dense&, const Dense&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(Dense& layer, LayerFields& field) {
    field("units", layer.units);
    detail::visit_linear_fields(layer, field, 2);
}

template <class Scalar, class Device>
class Dense::Layer final : public weft::Layer<Scalar, Device> {
public:
    WEFT_COLD Layer(const Dense& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), inferred_shape(options, builder)),
          activation_(options.activation),
          activity_regularizer_(options.activity_regularizer),
          linear_(options, builder, {builder.input_shape().last(), options.units}) {
        builder.require_activation(activation_);
    }

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        if constexpr (kernels::fuses_products<Device>()) {
            if (pass.dropping) {
                return dense_forward_dropping<Scalar>(
                    pass.device, x, pass.parameter(linear_.kernel), linear_.bias_of(pass),
                    pass.after, pass.dropping, y);
            }
        }
        dense_forward<Scalar>(pass.device, x, pass.parameter(linear_.kernel), linear_.bias_of(pass),
                              pass.after, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass,
                                TensorView<const Scalar, Device> x,
                                TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        dense_backward_through<Scalar>(pass.device, pass.before, x, pass.parameter(linear_.kernel),
                                       dy, pass.gradient(linear_.kernel),
                                       linear_.bias_gradient(pass), dx);
    }

    Activation output_activation() const override { return activation_; }
    bool backward_reads_y(bool) const override { return false; }
    bool absorbs_relu() const override { return true; }
    bool absorbs_relu_and_dropout() const override { return kernels::fuses_products<Device>(); }
    bool backs_through_relu() const override { return kernels::fuses_products<Device>(); }
    bool backs_through_dropout() const override { return kernels::fuses_products<Device>(); }
    Regularizer activity_regularizer() const override { return activity_regularizer_; }

private:
    WEFT_COLD static Shape inferred_shape(const Dense& options, const LayerBuilder& builder) {
        builder.require(options.units >= 1, "units", options.units, "at least 1");
        builder.require_regularizer("activity_regularizer", options.activity_regularizer);
        builder.require_input(builder.input_shape().rank() >= 1 && builder.input_shape().last() > 0,
                              "(None, ..., features)");
        return builder.input_shape().with_last(options.units);
    }

    Activation activation_;
    Regularizer activity_regularizer_;
    detail::LinearParameters linear_;
};

}  // namespace weft
