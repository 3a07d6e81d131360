/// \file
/// Parameters of a model: their place, description and collection.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/initializers/initializer.hpp"
#include "weft/layers/constraint.hpp"
#include "weft/layers/regularizer.hpp"

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// The place of a parameter in the arena of its model. It is relative, so it holds in every copy of
/// the model, and in the arenas of gradients and optimiser. A default slot is no parameter.
struct ParameterSlot {
    Index offset = -1;      ///< elements from the start of the trainable or of the other parameters
    Shape shape;            ///< of the tensor
    bool trainable = true;  ///< updated by the optimizer

    explicit operator bool() const { return offset >= 0; }
};

/// The description of a parameter.
struct ParameterInfo {
    std::string name;              ///< "dense_1/kernel"
    ParameterSlot slot;            ///< name, shape and use
    Initializer initializer;       ///< its first values
    Regularizer regularizer = {};  ///< its penalty
    Constraint constraint = {};    ///< after each update
};

/// Collects the parameters of a model while its layers are built.
class ParameterList {
public:
    WEFT_COLD ParameterSlot add(std::string name, const Shape& shape,
                                const Initializer& initializer, bool trainable,
                                const Regularizer& regularizer = {},
                                const Constraint& constraint = {}) {
        // Each parameter starts on a cache line, in float and in double.
        constexpr Index alignment = static_cast<Index>(Buffer::alignment / sizeof(float));
        Index& end = trainable ? trainable_size_ : state_size_;
        // The bytes of all of them must not exceed an Index.
        constexpr Index most = (std::numeric_limits<Index>::max)() / 32;
        if (shape.size() > most - end) {
            throw ShapeError(detail::join({name, ": shape ", shape, " makes too many parameters"}));
        }
        for (const ParameterInfo& known : parameters_) {
            if (known.name == name) {
                throw ArgumentError(
                    detail::join({name, ": the layer has two parameters of this name"}));
            }
        }
        const ParameterSlot slot{end, shape, trainable};
        end += (shape.size() + alignment - 1) / alignment * alignment;
        parameters_.push_back({std::move(name), slot, initializer, regularizer, constraint});
        return slot;
    }

    /// Throws MemoryError, which names the largest parameter.
    [[noreturn]] WEFT_COLD void refuse_memory() const {
        const ParameterInfo* largest = parameters_.data();
        for (const ParameterInfo& info : parameters_) {
            if (info.slot.shape.size() > largest->slot.shape.size()) largest = &info;
        }
        throw MemoryError(detail::join({"no memory for the model's parameters; the largest is ",
                                        largest->name, " of shape ", largest->slot.shape}));
    }

    const std::vector<ParameterInfo>& parameters() const { return parameters_; }
    Index trainable_size() const { return trainable_size_; }  ///< elements, with padding
    Index state_size() const { return state_size_; }          ///< elements, with padding

private:
    std::vector<ParameterInfo> parameters_;
    Index trainable_size_ = 0;
    Index state_size_ = 0;
};

}  // namespace weft
