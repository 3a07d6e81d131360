/// \file
/// LayerBuilder: the argument of a layer's constructor.
#pragma once

#include "weft/kernels/activation.hpp"
#include "weft/layers/parameter.hpp"

#include <cmath>
#include <string_view>

namespace weft {

/// Gives a layer its name and input shapes, and takes the parameters it needs.
class LayerBuilder {
public:
    LayerBuilder(std::string name, const Shape& input_shape, ParameterList& parameters)
        : name_(std::move(name)), input_shape_(input_shape), parameters_(parameters) {}

    /// For a layer of several inputs. Refers to the shapes, which must outlive it.
    LayerBuilder(std::string name, Span<const Shape> inputs, ParameterList& parameters)
        : LayerBuilder(std::move(name), inputs.front(), parameters) {
        inputs_ = inputs;
    }

    const std::string& name() const { return name_; }          ///< "dense_1"
    const Shape& input_shape() const { return input_shape_; }  ///< of one sample, without N

    /// The shapes of all inputs.
    Span<const Shape> input_shapes() const {
        return inputs_.empty() ? Span(&input_shape_, 1) : inputs_;
    }

    /// Reserves a parameter. If it is not trainable, the layer updates it in training, such as the
    /// moving mean of a batch norm; no optimiser changes it.
    WEFT_COLD ParameterSlot add_parameter(std::string_view parameter, const Shape& shape,
                                          const Initializer& initializer, bool trainable = true) {
        require_initializer(detail::join({parameter, "_initializer"}), initializer);
        return parameters_.add(detail::join({name_, "/", parameter}), shape, initializer,
                               trainable);
    }

    /// Reserves a trainable parameter with a penalty on its size and a constraint.
    WEFT_COLD ParameterSlot add_parameter(std::string_view parameter, const Shape& shape,
                                          const Initializer& initializer,
                                          const Regularizer& regularizer,
                                          const Constraint& constraint) {
        require_initializer(detail::join({parameter, "_initializer"}), initializer);
        require_regularizer(detail::join({parameter, "_regularizer"}), regularizer);
        require(constraint.kind != Constraint::Kind::max_norm ||
                    (constraint.max_value > 0 && std::isfinite(constraint.max_value)),
                detail::join({parameter, "_constraint"}),
                detail::join({"max_norm(", constraint.max_value, ")"}), "a positive norm");
        return parameters_.add(detail::join({name_, "/", parameter}), shape, initializer, true,
                               regularizer, constraint);
    }

    /// Throws ArgumentError `dense_1: units is 0, expected at least 1` unless `holds`.
    template <class Value>
    void require(bool holds, std::string_view option, const Value& value,
                 std::string_view expected) const {
        if (!holds) {
            throw ArgumentError(
                detail::join({name_, ": ", option, " is ", value, ", expected ", expected}));
        }
    }

    /// Throws ArgumentError unless the penalty's factors are finite and 0 or more.
    WEFT_COLD void require_regularizer(std::string_view option,
                                       const Regularizer& regularizer) const {
        const auto [l1, l2] = regularizer;
        require(l1 >= 0 && l2 >= 0 && std::isfinite(l1) && std::isfinite(l2), option,
                detail::join({"(l1 ", l1, ", l2 ", l2, ")"}), "finite numbers of at least 0");
    }

    /// Throws ArgumentError unless the activation's parameter is in range.
    WEFT_COLD void require_activation(const Activation& activation) const {
        const double number = activation.parameter;
        if (activation.kind == Activation::Kind::leaky_relu) {
            require(number >= 0 && std::isfinite(number), "negative_slope", number, "at least 0");
        } else if (activation.kind == Activation::Kind::elu) {
            require(number > 0 && std::isfinite(number), "alpha", number, "a positive number");
        } else {
            require(number == 0, to_string(activation), number, "no number");
        }
    }

    /// Throws ShapeError `conv2d: input has shape (None, 784), expected ...` unless `holds`.
    WEFT_COLD void require_input(bool holds, std::string_view expected) const {
        if (!holds) {
            throw ShapeError(
                detail::join({name_, ": input has shape ", input_shape_.to_batch_string(),
                              ", expected ", expected}));
        }
    }

private:
    /// Throws ArgumentError unless the initial values are finite.
    WEFT_COLD void require_initializer(std::string_view option,
                                       const Initializer& initializer) const {
        const bool is_constant = initializer.kind == Initializer::Kind::constant;
        require(std::isfinite(initializer.value) && (is_constant || initializer.value >= 0), option,
                detail::join({is_constant ? "constant(" : "random(scale ", initializer.value, ")"}),
                is_constant ? "a finite number" : "a finite scale of at least 0");
    }

    std::string name_;
    Shape input_shape_;
    Span<const Shape> inputs_;
    ParameterList& parameters_;
};

}  // namespace weft
