/// \file
/// Benchmarks of one layer alone, forward and backward apart.
#pragma once

#include "bench/support/measure.hpp"
#include "bench/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/declaration.hpp"

#include <vector>

namespace weft::bench {

/// A layer with all the memory of a training pass over a batch of random numbers.
class SingleLayer {
public:
    SingleLayer(const LayerDeclaration<float, Cpu>& declaration, const Shape& input, Index batch)
        : builder_(declaration.name(), input, list_),
          layer_(declaration.build(builder_)),
          trainable_(random_tensor({list_.trainable_size()}, 0)),
          gradients_({list_.trainable_size()}),
          state_({list_.state_size()}),
          x_(random_tensor(input.batch(batch), 1)),
          dx_(x_.shape()),
          y_(layer_->output_shape().batch(batch)),
          dy_(random_tensor(y_.shape(), 2)),
          saved_(layer_->saved_bytes(batch)) {
        forward();
    }

    void forward() {
        layer_->forward(pass(), x_, y_);
        const Activation activation = layer_->output_activation();
        if (!is_fused()) activation_forward<float>(cpu_, activation, y_, y_);
    }
    void backward() {
        activation_backward<float>(cpu_, layer_->output_activation(), y_, dy_, dy_);
        layer_->backward(pass(), x_, y_, dy_, dx_);
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
    /// With the activations that the benchmarks have: none that needs its input.
    bool is_fused() const { return layer_->output_activation() == relu && layer_->absorbs_relu(); }

    Pass<float, Cpu> pass() {
        return {.device = cpu_,
                .training = true,
                .after = is_fused() ? relu : linear,
                .trainable = trainable_.data(),
                .state = state_.data(),
                .mutable_state = state_.data(),
                .gradients = gradients_.data(),
                .saved = saved_.data()};
    }

    Cpu cpu_;
    ParameterList list_;
    LayerBuilder builder_;
    std::shared_ptr<const Layer<float, Cpu>> layer_;
    Tensor<float> trainable_, gradients_, state_, x_, dx_, y_, dy_;
    std::vector<std::byte> saved_;
};

/// Registers  layers/forward/NAME/weft  and  layers/backward/NAME/weft.
inline void add_layer(const std::string& name, const LayerDeclaration<float, Cpu>& declaration,
                      const Shape& input, Index batch) {
    add("layers/forward/" + name + "/weft", [=](benchmark::State& state) {
        SingleLayer layer(declaration, input, batch);
        measure(state, layer.work(), [&] { layer.forward(); });
    });
    add("layers/backward/" + name + "/weft", [=](benchmark::State& state) {
        SingleLayer layer(declaration, input, batch);
        Work work = layer.work();
        work.flop *= 2;
        work.bytes *= 2;
        measure(state, work, [&] { layer.backward(); });
    });
}

}  // namespace weft::bench
