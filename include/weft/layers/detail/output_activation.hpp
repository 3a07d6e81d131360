/// \file
/// The activation that ends Dense and Conv2D.
#pragma once

#include "weft/kernels/activation.hpp"
#include "weft/layers/layer.hpp"

namespace weft::detail {

/// y = act(z), where z comes from a kernel that can apply most activations itself. Where the
/// derivative needs z, a training pass keeps it in the layer's saved memory.
template <class Scalar, class Device>
class OutputActivation {
public:
    using View = TensorView<Scalar, Device>;

    explicit OutputActivation(Activation activation) : activation_(activation) {}

    Activation activation() const { return activation_; }

    std::size_t saved_bytes(Index outputs) const {
        return needs_input(activation_) ? static_cast<std::size_t>(outputs) * sizeof(Scalar) : 0;
    }

    /// kernel(activation, target) writes activation(z) to target.
    template <class Kernel>
    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, View y,
                               const Kernel& kernel) const {
        const bool keeps = needs_input(activation_) && pass.training && !pass.logits;
        const View z = keeps ? saved(pass, y.shape()) : y;
        kernel(keeps || pass.logits ? Activation::linear : activation_, z);
        if (keeps) activation_forward<Scalar>(pass.device, activation_, z, y);
    }

    /// Turns dy = dL/dy into dL/dz, in place.
    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass,
                                TensorView<const Scalar, Device> y, View dy) const {
        if (pass.logits || pass.relu_is_done) return;
        if (needs_input(activation_)) {
            activation_backward_from_input<Scalar>(pass.device, activation_, saved(pass, y.shape()),
                                                   dy, dy);
        } else {
            activation_backward<Scalar>(pass.device, activation_, y, dy, dy);
        }
    }

private:
    static View saved(const Pass<Scalar, Device>& pass, const Shape& shape) {
        return {reinterpret_cast<Scalar*>(pass.saved), shape};
    }

    Activation activation_;
};

}  // namespace weft::detail
