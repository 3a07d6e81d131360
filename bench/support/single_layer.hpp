/// \file
/// Benchmarks of one layer alone, forward and backward apart.
#pragma once

#include "bench/support/measure.hpp"
#include "bench/support/random_tensor.hpp"
#include "weft/core/staging.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/declaration.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace weft::bench {

/// A layer with all the memory of a training pass over a batch of random numbers. Passes allocate
/// and copy nothing, unlike those of weft/testing/single_layer.hpp, which is for tests.
template <class Device = Cpu>
class SingleLayer {
public:
    SingleLayer(const LayerDeclaration<float, Device>& declaration, const Shape& input, Index batch,
                const Device& device = Device())
        : device_(device),
          builder_(declaration.name(), input, list_),
          layer_(declaration.build(builder_)),
          trainable_(random({list_.trainable_size()}, 0)),
          gradients_({list_.trainable_size()}, device),
          state_({list_.state_size()}, device),
          x_(random(input.batch(batch), 1)),
          dx_(x_.shape(), device),
          y_(layer_->output_shape().batch(batch), device),
          dy_(random(y_.shape(), 2)),
          saved_({static_cast<Index>(layer_->saved_bytes(batch))}, device) {
        forward();
    }

    const Device& device() const { return device_; }

    void forward() {
        layer_->forward(pass(), const_x(), y_);
        const Activation activation = layer_->output_activation();
        if (!is_fused()) activation_forward<float>(device_, activation, const_y(), y_);
    }
    void backward() {
        const Activation activation = layer_->output_activation();
        activation_backward<float>(device_, activation, const_y(), dy_, dy_);
        layer_->backward(pass(), const_x(), const_y(), dy_, dx_);
    }

    /// Of one product with the kernel, where the layer has one, else the bytes of x and y.
    Work work() const {
        const auto size = static_cast<double>(y_.size());
        for (const ParameterInfo& parameter : list_.parameters()) {
            if (!parameter.name.ends_with("/kernel")) continue;
            const Shape& kernel = parameter.slot.shape;
            return {.flop = 2 * size * static_cast<double>(kernel.size() / kernel.last())};
        }
        return {.bytes = 4 * (size + static_cast<double>(x_.size()))};
    }

private:
    Tensor<float, Device> random(const Shape& shape, std::uint64_t stream) const {
        return on_device<float>(device_, random_tensor(shape, stream));
    }
    TensorView<const float, Device> const_x() const { return x_; }
    TensorView<const float, Device> const_y() const { return y_; }

    /// With the activations that the benchmarks have: none that needs its input.
    bool is_fused() const { return layer_->output_activation() == relu && layer_->absorbs_relu(); }

    Pass<float, Device> pass() {
        return {.device = device_,
                .training = true,
                .after = is_fused() ? relu : linear,
                .trainable = trainable_.data(),
                .state = state_.data(),
                .mutable_state = state_.data(),
                .gradients = gradients_.data(),
                .saved = saved_.data()};
    }

    Device device_;
    ParameterList list_;
    LayerBuilder builder_;
    std::shared_ptr<const Layer<float, Device>> layer_;
    Tensor<float, Device> trainable_, gradients_, state_, x_, dx_, y_, dy_;
    Tensor<std::byte, Device> saved_;
};

/// Registers  layers/forward/NAME/weft  and  layers/backward/NAME/weft.
inline void add_layer(const std::string& name, const LayerDeclaration<float, Cpu>& declaration,
                      const Shape& input, Index batch) {
    add("layers/forward/" + name + "/weft", [=](benchmark::State& state) {
        SingleLayer<> layer(declaration, input, batch);
        measure(state, layer.work(), [&] { layer.forward(); });
    });
    add("layers/backward/" + name + "/weft", [=](benchmark::State& state) {
        SingleLayer<> layer(declaration, input, batch);
        Work work = layer.work();
        work.flop *= 2;
        work.bytes *= 2;
        measure(state, work, [&] { layer.backward(); });
    });
}

}  // namespace weft::bench
