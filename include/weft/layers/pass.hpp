/// \file
/// Pass: the context of one layer in one pass over a batch.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/normalizing.hpp"
#include "weft/layers/parameter.hpp"

#include <cassert>

namespace weft {

/// The context of one layer in one pass over a batch: the device, the model's parameters, and
/// memory that lasts from the layer's forward to its backward.
template <class Scalar, class Device>
struct Pass {
    Device& device;         ///< computes the pass
    bool training = false;  ///< whether a backward follows
    /// In forward, for a layer that absorbs it: the activation to apply as y is stored.
    Activation after = linear;
    /// In backward, for a layer that backs through it: the activation that computed x; dx must
    /// include its derivative.
    kernels::Before before = {};
    /// For a layer that absorbs it: the dropout to apply as y is stored, and whose derivative to
    /// apply.
    kernels::Dropping dropping = {};
    /// For a layer that absorbs it or its moments: the neighbouring batch norm.
    kernels::Normalizing<Scalar> norm = {};
    /// For a batch norm: whether the layer before computed the moments of x.
    bool has_moments = false;
    const Scalar* trainable = nullptr;  ///< the arena's trainable parameters
    const Scalar* state = nullptr;      ///< its other parameters
    Scalar* mutable_state = nullptr;    ///< the same in training, else null
    Scalar* gradients = nullptr;        ///< laid out as the trainable parameters; null in inference
    std::byte* saved = nullptr;         ///< the layer's saved_bytes(batch), in training
    RandomStream random{0, RandomPurpose::layer};  ///< the layer's own, other numbers each step
    /// The step of `random` in the device's memory, for kernels; null: random's own.
    const std::uint32_t* step = nullptr;
    /// The index of the batch's first sample in the step, which may have several batches. Random
    /// numbers of a sample depend on its index in the step.
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
