/// \file
/// Input: the shape of one sample, declared in front of a model's layers.
#pragma once

#include "weft/core/shape.hpp"

namespace weft {

/// The shape of one sample of a model's input, without N. Throws ShapeError, which names the input,
/// for extents that make no shape.
class InputShape : public Shape {
public:
    InputShape() = default;
    InputShape(const Shape& shape) : Shape(shape) {}
    InputShape(std::initializer_list<Index> extents) : Shape(checked(extents)) {}

private:
    WEFT_COLD static Shape checked(std::initializer_list<Index> extents) try {
        return Shape(extents);
    } catch (const ShapeError& error) {
        throw ShapeError(detail::join({"input: ", error.what()}));
    }
};

/// The shape of one sample, without N. As the first of a model's layers it builds the model at
/// once. Without it the shape comes from build() or from the first data.
///
///   Sequential model{Input{{28, 28}}, Flatten{}, Dense{.units = 10}};
struct Input {
    InputShape shape;  ///< of one sample
};

}  // namespace weft
