/// \file
/// AdamW: Adam with weight decay apart from the gradient.
#pragma once

#include "weft/optimizers/optimizer.hpp"

namespace weft {

/// p -= learning_rate weight_decay p, and then the step of Adam:
///
///   m = beta_1 m + (1 - beta_1) g,   v = beta_2 v + (1 - beta_2) g^2,
///   alpha = learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t),   p -= alpha m / (sqrt(v) +
///   epsilon).
///
/// for t = 1, 2, ... and the gradient g of p. It decays every parameter, biases too, as in Keras.
/// Source: Loshchilov and Hutter 2019, algorithm 2, with Keras's defaults.
struct AdamW {
    double learning_rate = 0.001;
    double weight_decay = 0.004;  ///< at least 0
    double beta_1 = 0.9;          ///< in [0, 1)
    double beta_2 = 0.999;        ///< in [0, 1)
    double epsilon = 1e-7;        ///< above 0

    static constexpr std::string_view type = "AdamW";
    friend bool operator==(const AdamW&, const AdamW&) = default;

    template <class Scalar, class Device>
    class Update;
};

template <class Scalar, class Device>
class AdamW::Update final : public Optimizer<Scalar, Device> {
public:
    WEFT_COLD explicit Update(const AdamW& options) : options_(options) {
        detail::require_learning_rate(type, options.learning_rate);
        detail::require_option(options.weight_decay >= 0, type, "weight_decay",
                               options.weight_decay, "at least 0");
        detail::require_option(options.beta_1 >= 0 && options.beta_1 < 1, type, "beta_1",
                               options.beta_1, "a number in [0, 1)");
        detail::require_option(options.beta_2 >= 0 && options.beta_2 < 1, type, "beta_2",
                               options.beta_2, "a number in [0, 1)");
        detail::require_epsilon<Scalar>(type, options.epsilon);
    }

    double learning_rate() const override { return options_.learning_rate; }
    Index state_vectors() const override { return 2; }

    WEFT_NOINLINE void update(Device& device, std::int64_t step, double learning_rate,
                              TensorView<Scalar, Device> parameters,
                              TensorView<const Scalar, Device> gradients,
                              TensorView<Scalar, Device> state) const override {
        const auto t = static_cast<double>(step);
        const double alpha = learning_rate * std::sqrt(1 - std::pow(options_.beta_2, t)) /
                             (1 - std::pow(options_.beta_1, t));
        const kernels::AdamStep<Scalar> numbers{
            static_cast<Scalar>(alpha), static_cast<Scalar>(1 - options_.beta_1),
            static_cast<Scalar>(1 - options_.beta_2), static_cast<Scalar>(options_.epsilon),
            static_cast<Scalar>(learning_rate * options_.weight_decay)};
        adam_update(device, parameters.size(), numbers, gradients.data(), state.data(),
                    state.data() + parameters.size(), parameters.data());
    }

private:
    AdamW options_;
};

}  // namespace weft
