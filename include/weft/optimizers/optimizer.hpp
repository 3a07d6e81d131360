/// \file
/// Optimizer: the interface of optimisers to the training loop.
#pragma once

#include "weft/core/declared.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/optimizer.hpp"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weft {

/// One step of an optimiser over all trainable parameters of a model, as one vector. It knows no
/// layers and stores nothing: the training loop holds its state, state_vectors() vectors of the
/// same length, 0 at first.
template <class Scalar, class Device>
class Optimizer {
public:
    virtual ~Optimizer() = default;

    /// The declared learning rate; the training loop may use another, by a schedule.
    virtual double learning_rate() const = 0;

    /// The number of state values for each parameter.
    virtual Index state_vectors() const = 0;

    /// The host's half of a step: writes the numbers of a step, step_bytes() in all. The device
    /// reads them later. step counts from 1.
    virtual std::size_t step_bytes() const = 0;
    virtual void write_step(std::int64_t step, double learning_rate, std::byte* numbers) const = 0;

    /// The device's half of a step: updates the parameters from the gradients and the step's
    /// numbers. Does nothing if the step is stopped.
    ///
    ///   parameters, gradients (P)   state (state_vectors() * P), vector after vector
    virtual void update(Device& device, const kernels::DeviceStep<std::byte>& step,
                        TensorView<Scalar, Device> parameters,
                        TensorView<const Scalar, Device> gradients,
                        TensorView<Scalar, Device> state) const = 0;

    /// Whether update() multiplies gradients by step.factor. If not, they are multiplied before.
    virtual bool takes_factor() const { return false; }
};

namespace detail {

WEFT_COLD inline void require_learning_rate(std::string_view optimizer, double value) {
    require_option(value > 0 && std::isfinite(value), optimizer, "learning_rate", value,
                   "a positive number");
}

/// epsilon prevents 0 / 0, so it must not round to 0 in the precision of the parameters.
template <class Scalar>
WEFT_COLD void require_epsilon(std::string_view optimizer, double value) {
    require_option(static_cast<Scalar>(value) > 0 && std::isfinite(value), optimizer, "epsilon",
                   value, "a positive number");
}

/// Writes the numbers of a step, or reads them on the device.
template <class Numbers>
void write_step(const Numbers& numbers, std::byte* to) {
    std::memcpy(to, &numbers, sizeof(Numbers));
}
template <class Numbers>
kernels::DeviceStep<Numbers> step_of(const kernels::DeviceStep<std::byte>& step) {
    return {reinterpret_cast<const Numbers*>(step.numbers), step.wrong, step.factor};
}

}  // namespace detail

/// Any declaration of an optimiser, implemented for Scalar on Device. It is made from a plain
/// aggregate such as Adam, whose member template Update<Scalar, Device> implements it. Throws
/// ArgumentError for options out of range.
template <class Scalar, class Device>
class OptimizerDeclaration : public detail::Declared<Optimizer<Scalar, Device>> {
public:
    template <class D>
    requires std::derived_from<typename D::template Update<Scalar, Device>,
                               Optimizer<Scalar, Device>>
    WEFT_COLD OptimizerDeclaration(const D& declaration)
        : detail::Declared<Optimizer<Scalar, Device>>(
              detail::Makes<typename D::template Update<Scalar, Device>>(), D::type, declaration) {}

    OptimizerDeclaration(const char*) = delete;  // an optimizer is Adam{}

    std::string_view type() const { return this->declared_name(); }
};

}  // namespace weft
