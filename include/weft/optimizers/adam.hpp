/// \file
/// Adam: adaptive moment estimation.
#pragma once

#include "weft/optimizers/optimizer.hpp"

namespace weft {

/// At step t = 1, 2, ..., with the gradient g of each parameter p:
///
///   m = beta_1 m + (1 - beta_1) g,   v = beta_2 v + (1 - beta_2) g^2,
///   alpha = learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t),
///   p -= alpha m / (sqrt(v) + epsilon).
///
/// Source: Kingma and Ba 2015, in the form at the end of section 2, with Keras's defaults.
struct Adam {
    double learning_rate = 0.001;  ///< a number or a schedule
    double beta_1 = 0.9;           ///< in [0, 1)
    double beta_2 = 0.999;         ///< in [0, 1)
    double epsilon = 1e-7;         ///< above 0

    static constexpr std::string_view type = "Adam";
    friend bool operator==(const Adam&, const Adam&) = default;

    template <class Scalar, class Device>
    class Update;
};

namespace detail {

/// The step of Adam and AdamW: weight decay, then Adam's update.
template <class Scalar, class Device>
class AdamUpdate : public Optimizer<Scalar, Device> {
public:
    WEFT_COLD AdamUpdate(std::string_view type, const Adam& options, double weight_decay)
        : options_(options), weight_decay_(weight_decay) {
        require_learning_rate(type, options.learning_rate);
        require_option(weight_decay >= 0, type, "weight_decay", weight_decay, "at least 0");
        require_option(options.beta_1 >= 0 && options.beta_1 < 1, type, "beta_1", options.beta_1,
                       "a number in [0, 1)");
        require_option(options.beta_2 >= 0 && options.beta_2 < 1, type, "beta_2", options.beta_2,
                       "a number in [0, 1)");
        require_epsilon<Scalar>(type, options.epsilon);
    }

    double learning_rate() const override { return options_.learning_rate; }
    bool takes_factor() const override { return true; }
    Index state_vectors() const override { return 2; }

    std::size_t step_bytes() const override { return sizeof(kernels::AdamStep<Scalar>); }
    WEFT_NOINLINE void write_step(std::int64_t step, double learning_rate,
                                  std::byte* numbers) const override {
        const auto t = static_cast<double>(step);
        const double alpha = learning_rate * std::sqrt(1 - std::pow(options_.beta_2, t)) /
                             (1 - std::pow(options_.beta_1, t));
        detail::write_step(
            kernels::AdamStep<Scalar>{
                static_cast<Scalar>(alpha), static_cast<Scalar>(1 - options_.beta_1),
                static_cast<Scalar>(1 - options_.beta_2), static_cast<Scalar>(options_.epsilon),
                static_cast<Scalar>(learning_rate * weight_decay_)},
            numbers);
    }

    WEFT_NOINLINE void update(Device& device, const kernels::DeviceStep<std::byte>& step,
                              TensorView<Scalar, Device> parameters,
                              TensorView<const Scalar, Device> gradients,
                              TensorView<Scalar, Device> state) const override {
        const Index count = parameters.size();
        adam_update<Scalar>(device, step_of<kernels::AdamStep<Scalar>>(step), gradients,
                            state.slice(0, count), state.slice(count, count), parameters);
    }

private:
    Adam options_;
    double weight_decay_;
};

}  // namespace detail

template <class Scalar, class Device>
class Adam::Update final : public detail::AdamUpdate<Scalar, Device> {
public:
    explicit Update(const Adam& options)
        : detail::AdamUpdate<Scalar, Device>(type, options, /*weight_decay=*/0) {}
};

}  // namespace weft
