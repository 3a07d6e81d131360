/// \file
/// RMSprop: steps scaled by the recent size of each gradient.
#pragma once

#include "weft/optimizers/optimizer.hpp"

namespace weft {

/// For each parameter p with gradient g:
///
///   s = rho s + (1 - rho) g^2,   a = rho a + (1 - rho) g if centered, else 0,
///   v = momentum v + learning_rate g / sqrt(s - a^2 + epsilon),   p -= v.
///
/// As in Keras. Source: Hinton, "Neural networks for machine learning", lecture 6e (2012).
struct RMSprop {
    double learning_rate = 0.001;  ///< a number or a schedule
    double rho = 0.9;              ///< in [0, 1)
    double momentum = 0;           ///< in [0, 1)
    double epsilon = 1e-7;         ///< above 0
    bool centered = false;         ///< divides by the deviation from the mean gradient

    static constexpr std::string_view type = "RMSprop";
    friend bool operator==(const RMSprop&, const RMSprop&) = default;

    template <class Scalar, class Device>
    class Update;
};

template <class Scalar, class Device>
class RMSprop::Update final : public Optimizer<Scalar, Device> {
public:
    WEFT_COLD explicit Update(const RMSprop& options) : options_(options) {
        detail::require_learning_rate(type, options.learning_rate);
        detail::require_option(options.rho >= 0 && options.rho < 1, type, "rho", options.rho,
                               "a number in [0, 1)");
        detail::require_option(options.momentum >= 0 && options.momentum < 1, type, "momentum",
                               options.momentum, "a number in [0, 1)");
        detail::require_epsilon<Scalar>(type, options.epsilon);
    }

    double learning_rate() const override { return options_.learning_rate; }
    bool takes_factor() const override { return true; }
    Index state_vectors() const override {
        return 1 + (options_.momentum > 0 ? 1 : 0) + (options_.centered ? 1 : 0);
    }

    std::size_t step_bytes() const override { return sizeof(kernels::RMSpropStep<Scalar>); }
    WEFT_NOINLINE void write_step(std::int64_t, double learning_rate,
                                  std::byte* numbers) const override {
        detail::write_step(kernels::RMSpropStep<Scalar>{static_cast<Scalar>(learning_rate),
                                                        static_cast<Scalar>(1 - options_.rho),
                                                        static_cast<Scalar>(options_.momentum),
                                                        static_cast<Scalar>(options_.epsilon)},
                           numbers);
    }

    WEFT_NOINLINE void update(Device& device, const kernels::DeviceStep<std::byte>& step,
                              TensorView<Scalar, Device> parameters,
                              TensorView<const Scalar, Device> gradients,
                              TensorView<Scalar, Device> state) const override {
        using Vector = TensorView<Scalar, Device>;
        Index next = 0;
        const auto vector_if = [&](bool needed) {
            if (!needed) return Vector();
            return state.slice(parameters.size() * next++, parameters.size());
        };
        const Vector square = vector_if(true);
        const Vector average = vector_if(options_.centered);
        const Vector velocity = vector_if(options_.momentum > 0);
        rmsprop_update<Scalar>(device, detail::step_of<kernels::RMSpropStep<Scalar>>(step),
                               gradients, square, average, velocity, parameters);
    }

private:
    RMSprop options_;
};

}  // namespace weft
