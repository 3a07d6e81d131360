/// \file
/// SGD: stochastic gradient descent.
#pragma once

#include "weft/optimizers/optimizer.hpp"

namespace weft {

/// For each parameter p with gradient g:
///
///   p -= learning_rate g,   or with momentum
///   v = momentum v - learning_rate g,   p += v,   with nesterov
///   p += momentum v - learning_rate g.
///
/// As in Keras. Source of the latter: Sutskever et al. 2013, section 2.
struct SGD {
    double learning_rate = 0.01;  ///< a number or a schedule
    double momentum = 0;          ///< in [0, 1)
    bool nesterov = false;        ///< Nesterov momentum

    static constexpr std::string_view type = "SGD";
    friend bool operator==(const SGD&, const SGD&) = default;

    template <class Scalar, class Device>
    class Update;
};

template <class Scalar, class Device>
class SGD::Update final : public Optimizer<Scalar, Device> {
public:
    WEFT_COLD explicit Update(const SGD& options) : options_(options) {
        detail::require_learning_rate(type, options.learning_rate);
        detail::require_option(options.momentum >= 0 && options.momentum < 1, type, "momentum",
                               options.momentum, "a number in [0, 1)");
    }

    double learning_rate() const override { return options_.learning_rate; }
    bool takes_factor() const override { return true; }
    Index state_vectors() const override { return options_.momentum > 0 ? 1 : 0; }

    std::size_t step_bytes() const override { return sizeof(kernels::SGDStep<Scalar>); }
    WEFT_NOINLINE void write_step(std::int64_t, double learning_rate,
                                  std::byte* numbers) const override {
        detail::write_step(kernels::SGDStep<Scalar>{static_cast<Scalar>(learning_rate),
                                                    static_cast<Scalar>(options_.momentum)},
                           numbers);
    }

    WEFT_NOINLINE void update(Device& device, const kernels::DeviceStep<std::byte>& bytes,
                              TensorView<Scalar, Device> parameters,
                              TensorView<const Scalar, Device> gradients,
                              TensorView<Scalar, Device> state) const override {
        const auto step = detail::step_of<kernels::SGDStep<Scalar>>(bytes);
        if (state_vectors() == 0) {
            return sgd_update<Scalar>(device, step, gradients, parameters);
        }
        momentum_update<Scalar>(device, step, options_.nesterov, gradients, state, parameters);
    }

private:
    SGD options_;
};

}  // namespace weft
