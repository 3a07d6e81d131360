/// \file
/// SGD: stochastic gradient descent.
#pragma once

#include "weft/optimizers/optimizer.hpp"

namespace weft {

/// p -= learning_rate g, for each parameter p with gradient g.
struct SGD {
    double learning_rate = 0.01;

    static constexpr std::string_view type = "SGD";
    friend bool operator==(const SGD&, const SGD&) = default;

    template <class Scalar, class Device>
    class Update;
};

template <class Scalar, class Device>
class SGD::Update final : public Optimizer<Scalar, Device> {
public:
    explicit Update(const SGD& options) : options_(options) {
        detail::require_learning_rate(type, options.learning_rate);
    }

    double learning_rate() const override { return options_.learning_rate; }
    Index state_vectors() const override { return 0; }

    void update(Device& device, std::int64_t, double learning_rate,
                TensorView<Scalar, Device> parameters, TensorView<const Scalar, Device> gradients,
                TensorView<Scalar, Device>) const override {
        sgd_update(device, parameters.size(), static_cast<Scalar>(learning_rate), gradients.data(),
                   parameters.data());
    }

private:
    SGD options_;
};

}  // namespace weft
