/// \file
/// SingleLayer: one layer, built and run without a model.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/declaration.hpp"
#include "weft/testing/random_tensor.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

namespace weft {

/// The device for tests: one thread of the CPU, or another device with its defaults.
template <class Device>
Device testing_device() {
    if constexpr (std::is_same_v<Device, Cpu>) {
        return Cpu(1);
    } else {
        return Device();
    }
}

/// All NaN: elements that a kernel does not write stay NaN.
template <class Scalar>
Tensor<Scalar> not_written(const Shape& shape) {
    Tensor<Scalar> x(shape);
    std::fill(x.begin(), x.end(), std::numeric_limits<Scalar>::quiet_NaN());
    return x;
}

/// One layer with its parameters and the memory of one pass, on any device. Trainable parameters
/// start random, even if the layer would start them at 0; the others as the layer declares. Tensors
/// are the host's. Copies are deep.
template <class Scalar = double, class Device = Cpu>
class SingleLayer {
public:
    /// sample: the shape of one sample, without N.
    SingleLayer(const LayerDeclaration<Scalar, Device>& declaration, const Shape& sample,
                const Device& device = testing_device<Device>())
        : device_(device) {
        LayerBuilder builder(declaration.name(), sample, list_);
        layer_ = declaration.build(builder);
        parameters_ = Staged({list_.trainable_size()}, device);
        gradients_ = parameters_;
        state_ = Staged({list_.state_size()}, device);
        const auto start = random_normal<Scalar>(parameters_.shape(), 1, 0.7);
        std::copy(start.begin(), start.end(), parameters_.host().begin());
        for (const ParameterInfo& info : list_.parameters()) {
            if (!info.slot.trainable) info.initializer.fill(parameter(info), random);
        }
    }

    // Options of every pass.
    bool training = true;
    bool logits = false;         ///< skip the layer's output activation
    Activation before = linear;  ///< in backward: the activation that computed x
    RandomStream random{9, RandomPurpose::layer};

    const Layer<Scalar, Device>& layer() const { return *layer_; }
    const std::vector<ParameterInfo>& parameters() const { return list_.parameters(); }

    TensorView<Scalar> parameter(const ParameterInfo& info) {
        return {(info.slot.trainable ? parameters_ : state_).host().data() + info.slot.offset,
                info.slot.shape};
    }
    TensorView<Scalar> gradient(const ParameterInfo& info) {
        return {gradients_.host().data() + info.slot.offset, info.slot.shape};
    }

    /// name: within the layer, "kernel".
    TensorView<Scalar> parameter(std::string_view name) { return parameter(find(name)); }
    TensorView<Scalar> gradient(std::string_view name) { return gradient(find(name)); }

    /// The gradients of all trainable parameters after the last backward.
    Tensor<Scalar> gradients() { return Tensor<Scalar>(gradients_.host()); }

    /// y = f(x). Elements of y and of saved memory that forward does not write stay NaN.
    Tensor<Scalar> forward(const Tensor<Scalar>& x) {
        const Shape shape = layer_->output_shape().batch(x.shape()[0]);
        if (layer_->is_view()) return Tensor<Scalar>(x.view().reshape(shape));
        send(parameters_);
        send(state_);
        auto x_there = there(x), y = there(not_written<Scalar>(shape));
        saved_ = there(all_bits(layer_->saved_bytes(x.shape()[0])));
        if (activation() == linear || is_fused()) {
            layer_->forward(pass(), x_there, y);
        } else {
            z_ = there(not_written<Scalar>(shape));
            layer_->forward(pass(), x_there, z_);
            activation_forward<Scalar>(device_, activation(), z_, y);
        }
        state_.fetch(device_);
        return here(y);
    }

    /// Returns dx and sets gradients(). Elements that backward does not write stay NaN; x or y is
    /// all NaN if the layer declares not to read it.
    Tensor<Scalar> backward(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                            const Tensor<Scalar>& dy) {
        if (layer_->is_view()) return Tensor<Scalar>(dy.view().reshape(x.shape()));
        auto dx = there(not_written<Scalar>(x.shape()));
        back(x, y, dy, dx);
        return here(dx);
    }

    /// The gradients of the parameters alone: backward with an empty view for dx.
    void backward_without_dx(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                             const Tensor<Scalar>& dy) {
        if (layer_->is_view()) return;
        back(x, y, dy, {});
    }

private:
    using Staged = StagedTensor<Scalar, Device>;

    Activation activation() const { return logits ? linear : layer_->output_activation(); }
    bool is_fused() const { return activation() == relu && layer_->absorbs_relu(); }

    void back(const Tensor<Scalar>& x, const Tensor<Scalar>& y, const Tensor<Scalar>& dy,
              TensorView<Scalar, Device> dx) {
        send(parameters_);
        const auto start = not_written<Scalar>(gradients_.shape());
        std::copy(start.begin(), start.end(), gradients_.host().begin());
        send(gradients_);
        auto x_there = there(x), y_there = there(y), dy_there = there(dy);
        if (needs_input(activation())) {
            activation_backward_from_input<Scalar>(device_, activation(), z_, dy_there, dy_there);
        } else {
            activation_backward<Scalar>(device_, activation(), y_there, dy_there, dy_there);
        }
        if (!layer_->backward_reads_x()) x_there = there(not_written<Scalar>(x.shape()));
        if (!layer_->backward_reads_y(before != linear) || activation() != linear) {
            y_there = there(not_written<Scalar>(y.shape()));
        }
        layer_->backward(pass(), x_there, y_there, dy_there, dx);
        gradients_.fetch(device_);
    }

    static Tensor<std::byte> all_bits(std::size_t size_bytes) {
        Tensor<std::byte> bytes({static_cast<Index>(size_bytes)});
        std::fill(bytes.begin(), bytes.end(), std::byte{0xFF});
        return bytes;
    }

    // Copies to the device and back.
    template <class T>
    Tensor<T, Device> there(const Tensor<T>& x) const {
        return on_device<T>(device_, x);
    }
    Tensor<Scalar> here(const Tensor<Scalar, Device>& x) const {
        return Tensor<Scalar>(on_host<Scalar>(device_, x));
    }
    void send(Staged& x) const { x.send(device_, x.shape()[0]); }

    Pass<Scalar, Device> pass() {
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
        const auto found =
            std::find_if(parameters().begin(), parameters().end(), [&](const ParameterInfo& info) {
                return std::string_view(info.name).ends_with(concat("/", name));
            });
        if (found == parameters().end()) throw ArgumentError(concat("no parameter ", name));
        return *found;
    }

    Device device_;
    ParameterList list_;
    std::shared_ptr<const Layer<Scalar, Device>> layer_;
    Staged parameters_{{0}, device_}, gradients_{{0}, device_}, state_{{0}, device_};
    Tensor<Scalar, Device> z_;  ///< the input of the output activation
    Tensor<std::byte, Device> saved_;
};

}  // namespace weft
