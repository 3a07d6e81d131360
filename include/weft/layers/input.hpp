/// \file
/// Input: the shape of one sample, declared in front of a model's layers.
#pragma once

#include "weft/core/shape.hpp"

namespace weft {

/// The shape of one sample, without N. As the first of a model's layers it builds the model at
/// once. Without it the shape comes from build() or from the first data.
///
///   Sequential model{Input{{28, 28}}, Flatten{}, Dense{.units = 10}};
struct Input {
    Shape shape;  ///< of one sample
};

}  // namespace weft
