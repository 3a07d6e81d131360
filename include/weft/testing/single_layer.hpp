/// \file
/// SingleLayer: one layer, built and driven without a model.
#pragma once

#include "weft/cpu.hpp"
#include "weft/layers/declaration.hpp"
#include "weft/testing/random_tensor.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

namespace weft {

/// One layer with its parameters, and the memory of one pass. Trainable parameters start random,
/// also where the layer would start them at zero; the others as the layer asks. Copies are deep.
template <class Scalar = double>
class SingleLayer {
public:
    /// For samples of that shape, without N.
    SingleLayer(const LayerDeclaration<Scalar, Cpu>& declaration, const Shape& sample,
                const Cpu& device = Cpu(1))
        : device_(device) {
        LayerBuilder builder(declaration.name(), sample, list_);
        layer_ = declaration.build(builder);
        parameters_ = random_normal<Scalar>({list_.trainable_size()}, 1, 0.7);
        gradients_ = Tensor<Scalar>({list_.trainable_size()});
        state_ = Tensor<Scalar>({list_.state_size()});
        for (const ParameterInfo& info : list_.parameters()) {
            if (!info.slot.trainable) info.initializer.fill(parameter(info), random);
        }
    }

    // What every pass is run with.
    bool training = true;
    bool logits = false;         ///< without the layer's output activation
    Activation before = linear;  ///< in backward: what x is the output of
    RandomStream random{9, RandomPurpose::layer};

    const Layer<Scalar, Cpu>& layer() const { return *layer_; }
    const std::vector<ParameterInfo>& parameters() const { return list_.parameters(); }

    TensorView<Scalar> parameter(const ParameterInfo& info) {
        return {(info.slot.trainable ? parameters_ : state_).data() + info.slot.offset,
                info.slot.shape};
    }
    TensorView<Scalar> gradient(const ParameterInfo& info) {
        return {gradients_.data() + info.slot.offset, info.slot.shape};
    }

    /// By the name within the layer: "kernel".
    TensorView<Scalar> parameter(std::string_view name) { return parameter(find(name)); }
    TensorView<Scalar> gradient(std::string_view name) { return gradient(find(name)); }

    /// The gradients of all trainable parameters, as the last backward left them.
    const Tensor<Scalar>& gradients() const { return gradients_; }

    /// y = f(x). What forward does not write, there or in what it saves, stays NaN.
    Tensor<Scalar> forward(const Tensor<Scalar>& x) {
        const Shape shape = layer_->output_shape().batch(x.shape()[0]);
        if (layer_->is_view()) return Tensor<Scalar>(x.view().reshape(shape));
        Tensor<Scalar> y = nan(shape);
        saved_ = Buffer(layer_->saved_bytes(x.shape()[0]));
        std::fill_n(saved_.data(), saved_.size(), std::byte{0xFF});
        if (activation() == linear || is_fused()) {
            layer_->forward(pass(), x, y);
        } else {
            z_ = nan(shape);
            layer_->forward(pass(), x, z_);
            activation_forward<Scalar>(device_, activation(), z_, y);
        }
        return y;
    }

    /// dx; gradients() from then on. What backward does not write stays NaN.
    Tensor<Scalar> backward(const Tensor<Scalar>& x, const Tensor<Scalar>& y, Tensor<Scalar> dy) {
        if (layer_->is_view()) return Tensor<Scalar>(dy.view().reshape(x.shape()));
        Tensor<Scalar> dx = nan(x.shape());
        back(x, y, dy, dx);
        return dx;
    }

    /// The gradients of the parameters alone: backward with an empty view for dx.
    void backward_without_dx(const Tensor<Scalar>& x, const Tensor<Scalar>& y, Tensor<Scalar> dy) {
        if (layer_->is_view()) return;
        back(x, y, dy, {});
    }

private:
    Activation activation() const { return logits ? linear : layer_->output_activation(); }
    bool is_fused() const { return activation() == relu && layer_->absorbs_relu(); }

    void back(const Tensor<Scalar>& x, const Tensor<Scalar>& y, Tensor<Scalar>& dy,
              TensorView<Scalar> dx) {
        if (needs_input(activation())) {
            activation_backward_from_input<Scalar>(device_, activation(), z_, dy, dy);
        } else {
            activation_backward<Scalar>(device_, activation(), y, dy, dy);
        }
        gradients_ = nan(gradients_.shape());
        layer_->backward(pass(), x, y, dy, dx);
    }

    static Tensor<Scalar> nan(const Shape& shape) {
        Tensor<Scalar> x(shape);
        std::ranges::fill(x, std::numeric_limits<Scalar>::quiet_NaN());
        return x;
    }

    Pass<Scalar, Cpu> pass() {
        return {.device = device_,
                .training = training,
                .after = is_fused() ? relu : linear,
                .before = before,
                .trainable = parameters_.data(),
                .state = state_.data(),
                .mutable_state = training ? state_.data() : nullptr,
                .gradients = training ? gradients_.data() : nullptr,
                .saved = training ? saved_.data() : nullptr,
                .random = random};
    }

    const ParameterInfo& find(std::string_view name) const {
        const auto found = std::ranges::find_if(parameters(), [&](const ParameterInfo& info) {
            return std::string_view(info.name).ends_with(concat("/", name));
        });
        if (found == parameters().end()) throw ArgumentError(concat("no parameter ", name));
        return *found;
    }

    Cpu device_;
    ParameterList list_;
    std::shared_ptr<const Layer<Scalar, Cpu>> layer_;
    Tensor<Scalar> parameters_, gradients_, state_;
    Tensor<Scalar> z_;  ///< what the output activation was applied to
    Buffer saved_;
};

}  // namespace weft
