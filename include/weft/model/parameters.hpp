/// \file
/// Parameters: the trainable parameters of a model, and the others.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/kernels/device.hpp"
#include "weft/layers/parameter.hpp"

namespace weft {

/// The parameters of a model in one arena: the trainable ones first, each on a cache line of its
/// own, with zeros between. A copy is deep.
template <class Scalar, class Device>
class Parameters {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    Parameters() = default;

    /// All 0, then each parameter gets its initial values from a random stream of its own. Throws
    /// MemoryError if there is no memory for them.
    WEFT_COLD Parameters(const ParameterList& list, std::uint64_t seed, const Device& device)
        : trainable_size_(list.trainable_size()), arena_(allocate(list, device)) {
        kernels::require_device<Device, Scalar>();
        std::uint32_t stream = 0;
        for (const ParameterInfo& info : list.parameters()) {
            const RandomStream random(seed, RandomPurpose::initializer, stream++);
            write_on_host(device, view(info.slot),
                          [&](auto values) { info.initializer.fill(values, random); });
        }
    }

    /// Moves the parameters to another device of the same type.
    WEFT_COLD void move(const Device& from, const Device& to) { move_tensor(arena_, from, to); }

    View view(const ParameterSlot& slot) { return {arena_.data() + offset(slot), slot.shape}; }
    ConstView view(const ParameterSlot& slot) const {
        return {arena_.data() + offset(slot), slot.shape};
    }

    /// All trainable parameters as one vector, including the zeros between them.
    View trainable() { return {arena_.data(), Shape{trainable_size_}}; }
    Index trainable_size() const { return trainable_size_; }

    View arena() { return arena_; }
    ConstView arena() const { return arena_; }

    /// The other parameters.
    Scalar* state() { return arena_.data() + trainable_size_; }
    const Scalar* state() const { return arena_.data() + trainable_size_; }

private:
    WEFT_COLD static Tensor<Scalar, Device> allocate(const ParameterList& list,
                                                     const Device& device) try {
        return Tensor<Scalar, Device>(Shape{list.trainable_size() + list.state_size()}, device);
    } catch (const std::bad_alloc&) {
        list.refuse_memory();
    }

    Index offset(const ParameterSlot& slot) const {
        return (slot.trainable ? 0 : trainable_size_) + slot.offset;
    }

    Index trainable_size_ = 0;
    Tensor<Scalar, Device> arena_;
};

}  // namespace weft
