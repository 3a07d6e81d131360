/// \file
/// Conv2D: convolution of images.
#pragma once

#include "weft/kernels/convolution.hpp"
#include "weft/layers/detail/linear_parameters.hpp"
#include "weft/layers/detail/window_layer.hpp"
#include "weft/layers/layer.hpp"

namespace weft {

/// Cross-correlation of images with filters, channels last:
///   y_nopf = act(b_f + sum_ijc x_n,(o s + i d - before),(p s + j d - before),c w_ijcf).
///
///   X (N, H, W, C)   W kernel (kh, kw, C / groups, filters)   b bias (filters)
///   Y (N, OH, OW, filters)
///
/// With extent e = (k - 1) d + 1 along an axis, padding valid gives floor((H - e) / s) + 1 outputs,
/// same gives ceil(H / s), with zeros around the image, an odd one behind, as in Keras.
///
/// With G = dL/dY * act':
///   dL/dW_ijcf = sum_nop x_n,(o s + i d - before),...,c g_nopf,   dL/db_f = sum_nop g_nopf,
///   dL/dX: the transposed convolution of G with W.
/// W starts Glorot uniform, b at zero.
struct Conv2D {
    Index filters;                   ///< channels of the output, at least 1
    Extent2D kernel_size;            ///< at least 1
    Extent2D strides = 1;            ///< at least 1
    Padding padding = valid;         ///< valid: whole windows alone
    Extent2D dilation_rate = 1;      ///< steps between the taps of a filter, at least 1
    Index groups = 1;                ///< divides the channels of input and output
    Activation activation = linear;  ///< of the sums
    bool use_bias = true;            ///< adds b
    Initializer kernel_initializer = glorot_uniform;  ///< first values of W
    Initializer bias_initializer = zeros;             ///< first values of b
    Regularizer kernel_regularizer = {};              ///< penalty on W
    Regularizer bias_regularizer = {};                ///< penalty on b
    Regularizer activity_regularizer = {};            ///< on the outputs
    Constraint kernel_constraint = {};                ///< on W, after each update
    Constraint bias_constraint = {};                  ///< on b, after each update
    std::string name = {};                            ///< instead of "conv2d", "conv2d_1", ...

    static constexpr std::string_view type = "Conv2D";
    friend bool operator==(const Conv2D&, const Conv2D&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(Conv2D& layer, LayerFields& field) {
    field("filters", layer.filters);
    field("kernel_size", layer.kernel_size);
    field("strides", layer.strides);
    field("padding", layer.padding);
    field("dilation_rate", layer.dilation_rate);
    field("groups", layer.groups);
    detail::visit_linear_fields(layer, field, 4);
}

template <class Scalar, class Device>
class Conv2D::Layer final : public weft::Layer<Scalar, Device> {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    WEFT_COLD Layer(const Conv2D& options, LayerBuilder& builder)
        : Layer(options, builder, convolution(options, builder)) {}

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, ConstView x,
                               View y) const override {
        if constexpr (kernels::fuses_products<Device>()) {
            if (pass.norm) {
                return convolution_forward_moments<Scalar>(
                    pass.device, convolution_, x, pass.parameter(linear_.kernel),
                    linear_.bias_of(pass), pass.after, pass.norm, y);
            }
        }
        convolution_forward<Scalar>(pass.device, convolution_, x, pass.parameter(linear_.kernel),
                                    linear_.bias_of(pass), pass.after, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass, ConstView x, ConstView, View dy,
                                View dx) const override {
        convolution_backward_through<Scalar>(
            pass.device, pass.before, convolution_, x, pass.parameter(linear_.kernel), dy,
            pass.gradient(linear_.kernel), linear_.bias_gradient(pass), dx);
    }

    Activation output_activation() const override { return activation_; }
    bool backward_reads_y(bool) const override { return false; }
    bool absorbs_relu() const override { return true; }
    bool absorbs_moments() const override { return kernels::fuses_products<Device>(); }
    bool backs_through_relu() const override { return kernels::fuses_products<Device>(); }
    bool backs_through_dropout() const override { return kernels::fuses_products<Device>(); }
    Regularizer activity_regularizer() const override { return activity_regularizer_; }

private:
    Layer(const Conv2D& options, LayerBuilder& builder, const kernels::Convolution& convolution)
        : weft::Layer<Scalar, Device>(
              builder.input_shape(),
              {convolution.window.rows.output, convolution.window.columns.output, options.filters}),
          convolution_(convolution),
          activation_(options.activation),
          activity_regularizer_(options.activity_regularizer),
          linear_(options, builder,
                  {options.kernel_size.rows, options.kernel_size.columns,
                   convolution.group_channels(), options.filters}) {}

    static kernels::Convolution convolution(const Conv2D& options, const LayerBuilder& builder) {
        builder.require(options.filters >= 1, "filters", options.filters, "at least 1");
        builder.require(options.groups >= 1, "groups", options.groups, "at least 1");
        builder.require(options.filters % options.groups == 0, "filters", options.filters,
                        detail::join({"a multiple of groups, ", options.groups}));
        builder.require_activation(options.activation);
        builder.require_regularizer("activity_regularizer", options.activity_regularizer);
        const kernels::Window2D window =
            detail::window_2d(builder, "kernel_size", options.kernel_size, options.strides,
                              options.dilation_rate, options.padding);
        builder.require_input(
            window.channels % options.groups == 0,
            detail::join({"(None, height, width, channels) with channels a multiple of "
                          "groups, ",
                          options.groups}));
        return {window, options.filters, options.groups};
    }

    kernels::Convolution convolution_;
    Activation activation_;
    Regularizer activity_regularizer_;
    detail::LinearParameters linear_;
};

}  // namespace weft
