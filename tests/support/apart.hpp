/// \file
/// Apart: a layer that nothing is fused with.
#pragma once

#include "weft/cpu.hpp"
#include "weft/layers/declaration.hpp"

namespace weft {

/// The wrapped layer, but its neighbours see nothing of it that they could share, take over or
/// leave out: no relu at its end, no derivative taken for the layer before, no memory in common, no
/// logits. So a model of such layers is the sum of its parts.
template <class Scalar>
struct Apart {
    LayerDeclaration<Scalar, Cpu> wrapped;

    static constexpr std::string_view type = "Apart";

    template <class, class Device>
    class Layer;
};

template <class Scalar>
template <class, class Device>
class Apart<Scalar>::Layer final : public weft::Layer<Scalar, Device> {
public:
    using Wrapped = std::shared_ptr<const weft::Layer<Scalar, Device>>;

    Layer(const Apart& options, LayerBuilder& builder) : Layer(options.wrapped.build(builder)) {}

    void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                 TensorView<Scalar, Device> y) const override {
        if (wrapped_->is_view()) return copy_elements<Scalar>(pass.device, x, y);
        if (activation() == linear) return wrapped_->forward(pass, x, y);
        const TensorView<Scalar, Device> z = pass.training ? saved_z(pass, y.shape()) : y;
        wrapped_->forward(pass, x, z);
        activation_forward<Scalar>(pass.device, activation(), z, y);
    }

    void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                  TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                  TensorView<Scalar, Device> dx) const override {
        if (wrapped_->is_view()) {
            if (dx) copy_elements<Scalar>(pass.device, dy, dx);
            return;
        }
        if (needs_input(activation())) {
            activation_backward_from_input<Scalar>(pass.device, activation(),
                                                   saved_z(pass, y.shape()), dy, dy);
        } else if (activation() != linear) {
            activation_backward<Scalar>(pass.device, activation(), y, dy, dy);
        }
        wrapped_->backward(pass, x, y, dy, dx);
    }

    std::size_t saved_bytes(Index batch) const override {
        const Index z = activation() == linear ? 0 : batch * this->output_shape().size();
        return z_offset(batch) + static_cast<std::size_t>(z) * sizeof(Scalar);
    }
    Regularizer activity_regularizer() const override { return wrapped_->activity_regularizer(); }

private:
    explicit Layer(const Wrapped& wrapped)
        : weft::Layer<Scalar, Device>(wrapped->input_shape(), wrapped->output_shape()),
          wrapped_(wrapped) {}

    Activation activation() const { return wrapped_->output_activation(); }

    std::size_t z_offset(Index batch) const {
        return (wrapped_->saved_bytes(batch) + 63) / 64 * 64;
    }

    /// What the activation is applied to, behind what the layer saves.
    TensorView<Scalar, Device> saved_z(const Pass<Scalar, Device>& pass, const Shape& shape) const {
        return {reinterpret_cast<Scalar*>(pass.saved + z_offset(shape[0])), shape};
    }

    Wrapped wrapped_;
};

}  // namespace weft
