/// \file
/// Parameters: the numbers that a model learns, and those it keeps beside them.
#pragma once

#include "weft/core/tensor.hpp"
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

    /// All zero, but for the first values of each, from a stream of its own.
    WEFT_COLD Parameters(const ParameterList& list, std::uint64_t seed)
        : trainable_size_(list.trainable_size()),
          arena_(Shape{list.trainable_size() + list.state_size()}) {
        std::uint32_t stream = 0;
        for (const ParameterInfo& info : list.parameters()) {
            const TensorView<Scalar> values(view(info.slot).data(), info.slot.shape);
            info.initializer.fill(values, RandomStream(seed, RandomPurpose::initializer, stream++));
        }
    }

    View view(const ParameterSlot& slot) { return {arena_.data() + offset(slot), slot.shape}; }
    ConstView view(const ParameterSlot& slot) const {
        return {arena_.data() + offset(slot), slot.shape};
    }

    /// All trainable parameters as one vector, with the zeros between them.
    View trainable() { return {arena_.data(), Shape{trainable_size_}}; }
    Index trainable_size() const { return trainable_size_; }

    View arena() { return arena_; }
    ConstView arena() const { return arena_; }

    /// The other parameters.
    Scalar* state() { return arena_.data() + trainable_size_; }
    const Scalar* state() const { return arena_.data() + trainable_size_; }

private:
    Index offset(const ParameterSlot& slot) const {
        return (slot.trainable ? 0 : trainable_size_) + slot.offset;
    }

    Index trainable_size_ = 0;
    Tensor<Scalar, Device> arena_;
};

}  // namespace weft
