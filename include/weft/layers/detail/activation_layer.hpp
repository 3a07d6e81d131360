/// \file
/// ActivationLayer: an activation function as a layer.
#pragma once

#include "weft/kernels/activation.hpp"
#include "weft/layers/layer.hpp"

namespace weft::detail {

/// y = act(x),  dx = dy act'(x), shapes unchanged. Backward computes act' from y if possible.
template <class Scalar, class Device>
class ActivationLayer final : public Layer<Scalar, Device> {
public:
    template <class Options>
    ActivationLayer(const Options& options, LayerBuilder& builder)
        : ActivationLayer(options.as_activation(), builder) {}

    WEFT_COLD ActivationLayer(Activation activation, LayerBuilder& builder)
        : Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          activation_(activation) {
        builder.require_activation(activation);
        builder.require_input(activation != softmax || builder.input_shape().rank() >= 1,
                              "(None, ..., classes)");
    }

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        activation_forward<Scalar>(pass.device, activation_, x, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass,
                                TensorView<const Scalar, Device> x,
                                TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (!dx) return;
        if (needs_input(activation_)) {
            activation_backward_from_input<Scalar>(pass.device, activation_, x, dy, dx);
        } else {
            activation_backward<Scalar>(pass.device, activation_, y, dy, dx);
        }
    }

    Activation as_activation() const override { return activation_; }
    bool backs_in_place() const override { return true; }

private:
    Activation activation_;
};

}  // namespace weft::detail
