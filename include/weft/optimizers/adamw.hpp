/// \file
/// AdamW: Adam with decoupled weight decay.
#pragma once

#include "weft/optimizers/adam.hpp"

namespace weft {

/// p -= learning_rate weight_decay p,  then the step of Adam:
///
///   m = beta_1 m + (1 - beta_1) g,   v = beta_2 v + (1 - beta_2) g^2,
///   alpha = learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t),
///   p -= alpha m / (sqrt(v) + epsilon).
///
/// for t = 1, 2, ... and the gradient g of p. All parameters decay, also biases, as in Keras.
/// Source: Loshchilov and Hutter 2019, algorithm 2, with Keras's defaults.
struct AdamW {
    double learning_rate = 0.001;  ///< a number or a schedule
    double weight_decay = 0.004;   ///< at least 0
    double beta_1 = 0.9;           ///< in [0, 1)
    double beta_2 = 0.999;         ///< in [0, 1)
    double epsilon = 1e-7;         ///< above 0

    static constexpr std::string_view type = "AdamW";
    friend bool operator==(const AdamW&, const AdamW&) = default;

    template <class Scalar, class Device>
    class Update;
};

template <class Scalar, class Device>
class AdamW::Update final : public detail::AdamUpdate<Scalar, Device> {
public:
    explicit Update(const AdamW& options)
        : detail::AdamUpdate<Scalar, Device>(
              type, {options.learning_rate, options.beta_1, options.beta_2, options.epsilon},
              options.weight_decay) {}
};

}  // namespace weft
