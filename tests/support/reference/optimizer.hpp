/// \file
/// Updates of the optimisers by their formulas, parameter by parameter.
#pragma once

#include "tests/support/reference/device.hpp"
#include "weft/kernels/optimizer.hpp"

#include <cmath>

namespace weft::kernels {

/// p -= learning_rate g.
template <class Scalar>
void sgd_update(Reference&, Scalar learning_rate, TensorView<const Scalar, Reference> gradient,
                TensorView<Scalar, Reference> parameter) {
    for (Index i = 0; i < parameter.size(); ++i) {
        parameter[i] =
            static_cast<Scalar>(wide(parameter[i]) - wide(learning_rate) * wide(gradient[i]));
    }
}

/// v = momentum v - learning_rate g,   p += v,  for Nesterov  p += momentum v - learning_rate g.
template <class Scalar>
void momentum_update(Reference&, Scalar learning_rate, Scalar momentum, bool nesterov,
                     TensorView<const Scalar, Reference> gradient,
                     TensorView<Scalar, Reference> velocity,
                     TensorView<Scalar, Reference> parameter) {
    for (Index i = 0; i < parameter.size(); ++i) {
        const Wide<Scalar> step = wide(learning_rate) * wide(gradient[i]);
        const Wide<Scalar> v = wide(momentum) * wide(velocity[i]) - step;
        const Wide<Scalar> change = nesterov ? wide(momentum) * v - step : v;
        velocity[i] = static_cast<Scalar>(v);
        parameter[i] = static_cast<Scalar>(wide(parameter[i]) + change);
    }
}

/// s += (1 - rho)(g^2 - s),   a += (1 - rho)(g - a),   d = g learning_rate / sqrt(s - a^2 +
/// epsilon),   v = momentum v + d,   p -= v.   Without average, a is 0; without velocity, p -= d.
template <class Scalar>
void rmsprop_update(Reference&, const RMSpropStep<Scalar>& step,
                    TensorView<const Scalar, Reference> gradient,
                    TensorView<Scalar, Reference> square, TensorView<Scalar, Reference> average,
                    TensorView<Scalar, Reference> velocity,
                    TensorView<Scalar, Reference> parameter) {
    const Wide<Scalar> rate = wide(step.rate);
    for (Index i = 0; i < parameter.size(); ++i) {
        const Wide<Scalar> g = wide(gradient[i]), s = wide(square[i]);
        const Wide<Scalar> a = average ? wide(average[i]) : 0;
        const Wide<Scalar> new_s = s + rate * (g * g - s);
        const Wide<Scalar> new_a = average ? a + rate * (g - a) : 0;
        Wide<Scalar> change =
            g * wide(step.learning_rate) / std::sqrt(new_s - new_a * new_a + wide(step.epsilon));
        if (velocity) change += wide(step.momentum) * wide(velocity[i]);
        square[i] = static_cast<Scalar>(new_s);
        if (average) average[i] = static_cast<Scalar>(new_a);
        if (velocity) velocity[i] = static_cast<Scalar>(change);
        parameter[i] = static_cast<Scalar>(wide(parameter[i]) - change);
    }
}

/// p -= decay p,   m += rate_1 (g - m),   v += rate_2 (g^2 - v),   p -= alpha m / (sqrt(v) +
/// epsilon).
template <class Scalar>
void adam_update(Reference&, const AdamStep<Scalar>& step,
                 TensorView<const Scalar, Reference> gradient,
                 TensorView<Scalar, Reference> first_moment,
                 TensorView<Scalar, Reference> second_moment,
                 TensorView<Scalar, Reference> parameter) {
    for (Index i = 0; i < parameter.size(); ++i) {
        const Wide<Scalar> g = wide(gradient[i]), p = wide(parameter[i]);
        const Wide<Scalar> m = wide(first_moment[i]), v = wide(second_moment[i]);
        const Wide<Scalar> new_m = m + wide(step.rate_1) * (g - m);
        const Wide<Scalar> new_v = v + wide(step.rate_2) * (g * g - v);
        const Wide<Scalar> change =
            wide(step.alpha) * new_m / (std::sqrt(new_v) + wide(step.epsilon));
        first_moment[i] = static_cast<Scalar>(new_m);
        second_moment[i] = static_cast<Scalar>(new_v);
        parameter[i] = static_cast<Scalar>(p - wide(step.decay) * p - change);
    }
}

// The same with a step whose numbers lie on the device; nothing if it is stopped.

template <class Scalar>
void sgd_update(Reference& device, const DeviceStep<SGDStep<Scalar>>& step,
                TensorView<const Scalar, Reference> gradient,
                TensorView<Scalar, Reference> parameter) {
    if (step.is_stopped()) return;
    sgd_update<Scalar>(device, step.numbers->learning_rate, gradient, parameter);
}

template <class Scalar>
void momentum_update(Reference& device, const DeviceStep<SGDStep<Scalar>>& step, bool nesterov,
                     TensorView<const Scalar, Reference> gradient,
                     TensorView<Scalar, Reference> velocity,
                     TensorView<Scalar, Reference> parameter) {
    if (step.is_stopped()) return;
    momentum_update<Scalar>(device, step.numbers->learning_rate, step.numbers->momentum, nesterov,
                            gradient, velocity, parameter);
}

template <class Scalar>
void rmsprop_update(Reference& device, const DeviceStep<RMSpropStep<Scalar>>& step,
                    TensorView<const Scalar, Reference> gradient,
                    TensorView<Scalar, Reference> square, TensorView<Scalar, Reference> average,
                    TensorView<Scalar, Reference> velocity,
                    TensorView<Scalar, Reference> parameter) {
    if (step.is_stopped()) return;
    rmsprop_update<Scalar>(device, *step.numbers, gradient, square, average, velocity, parameter);
}

template <class Scalar>
void adam_update(Reference& device, const DeviceStep<AdamStep<Scalar>>& step,
                 TensorView<const Scalar, Reference> gradient,
                 TensorView<Scalar, Reference> first_moment,
                 TensorView<Scalar, Reference> second_moment,
                 TensorView<Scalar, Reference> parameter) {
    if (step.is_stopped()) return;
    adam_update<Scalar>(device, *step.numbers, gradient, first_moment, second_moment, parameter);
}

}  // namespace weft::kernels
