/// \file
/// Pass: what one layer sees of one pass over a batch.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/normalizing.hpp"
#include "weft/layers/parameter.hpp"

#include <cassert>

namespace weft {

/// What one layer sees of one pass over a batch: the device, the model's parameters, and memory
/// that lasts from the layer's forward to its backward.
template <class Scalar, class Device>
struct Pass {
    Device& device;
    bool training = false;
    /// In forward, of a layer that absorbs it: the activation to apply as y is stored.
    Activation after = linear;
    /// In backward, of a layer that backs through it: x is the output of this, whose derivative dx has
    /// to include.
    kernels::Before before = {};
    /// Of a layer that absorbs it: dropout to apply as y is stored, and to take the derivative of.
    kernels::Dropping dropping = {};
    /// Of a layer that absorbs it, or its moments: the batch norm beside it.
    kernels::Normalizing<Scalar> norm = {};
    /// Of a batch norm: whether the layer before left the moments of x.
    bool has_moments = false;
    const Scalar* trainable = nullptr;  ///< the arena's trainable parameters
    const Scalar* state = nullptr;      ///< its other parameters
    Scalar* mutable_state = nullptr;    ///< the same in training, else null
    Scalar* gradients = nullptr;        ///< laid out as the trainable parameters; null in inference
    std::byte* saved = nullptr;         ///< the layer's saved_bytes(batch), in training
    RandomStream random{0, RandomPurpose::layer};  ///< the layer's own, other numbers each step
    /// The step of `random` where the device has it, for kernels; null: as random has it.
    const std::uint32_t* step = nullptr;
    /// The index of the batch's first sample in the step, which may take several batches: what is
    /// drawn for a sample is drawn by its index in the step.
    Index first_sample = 0;

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
