/// \file
/// Pass: what one layer sees of one pass over a batch.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/tensor.hpp"
#include "weft/layers/parameter.hpp"

#include <cassert>

namespace weft {

/// What one layer sees of one pass over a batch: the device, the model's parameters, and memory
/// that lasts from the layer's forward to its backward.
template <class Scalar, class Device>
struct Pass {
    Device& device;
    bool training = false;
    /// Leave out the layer's output activation: a loss that is fused with it takes the logits. Only
    /// set for the last layer, and only when its output_activation() is not linear.
    bool logits = false;
    /// In backward: the input x is the output of a relu, whose derivative dx has to include. Only
    /// set for layers that back through relu.
    bool input_is_relu = false;
    /// In backward: dy includes the derivative of the layer's own relu already.
    bool relu_is_done = false;
    const Scalar* trainable = nullptr;  ///< the arena's trainable parameters
    const Scalar* state = nullptr;      ///< its other parameters
    Scalar* mutable_state = nullptr;    ///< the same in training, else null
    Scalar* gradients = nullptr;        ///< laid out as the trainable parameters; null in inference
    std::byte* saved = nullptr;         ///< the layer's saved_bytes(batch), in training
    RandomStream random{0, RandomPurpose::layer};  ///< the layer's own, other numbers each step

    TensorView<const Scalar, Device> parameter(const ParameterSlot& slot) const {
        return {(slot.trainable ? trainable : state) + slot.offset, slot.shape};
    }
    TensorView<Scalar, Device> gradient(const ParameterSlot& slot) const {
        assert(slot.trainable && gradients != nullptr);
        return {gradients + slot.offset, slot.shape};
    }
    TensorView<Scalar, Device> update(const ParameterSlot& slot) const {
        assert(!slot.trainable && mutable_state != nullptr);
        return {mutable_state + slot.offset, slot.shape};
    }
};

}  // namespace weft
