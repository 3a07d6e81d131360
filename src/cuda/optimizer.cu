/// \file
/// Kernels of kernels/cuda/optimizer.hpp.
#include "weft/kernels/cuda/optimizer.hpp"

#include "launch.cuh"

#include <cassert>
#include <cmath>

namespace weft::kernels {
namespace {

/// The gradient that an update sees.
template <class Numbers, class Scalar>
__device__ Scalar scaled(const DeviceStep<Numbers>& step, Scalar g) {
    if (step.factor == nullptr || *step.factor == 1) return g;
    return static_cast<Scalar>(static_cast<double>(g) * *step.factor);
}

}  // namespace

template <class Scalar>
void sgd_update(Cuda& device, const DeviceStep<SGDStep<Scalar>>& step,
                TensorView<const Scalar, Cuda> gradient, TensorView<Scalar, Cuda> parameter) {
    assert(gradient.size() == parameter.size());
    cuda::for_each(device, parameter.size(),
                   [=, gradient = gradient.data(), parameter = parameter.data()] __device__(int i) {
                       if (step.is_stopped()) return;
                       parameter[i] -= step.numbers->learning_rate * scaled(step, gradient[i]);
                   });
}

template <class Scalar>
void momentum_update(Cuda& device, const DeviceStep<SGDStep<Scalar>>& step, bool nesterov,
                     TensorView<const Scalar, Cuda> gradient, TensorView<Scalar, Cuda> velocity,
                     TensorView<Scalar, Cuda> parameter) {
    assert(gradient.size() == parameter.size() && velocity.size() == parameter.size());
    cuda::for_each(device, parameter.size(),
                   [=, gradient = gradient.data(), velocity = velocity.data(),
                    parameter = parameter.data()] __device__(int i) {
                       if (step.is_stopped()) return;
                       const SGDStep<Scalar> numbers = *step.numbers;
                       const Scalar descent = numbers.learning_rate * scaled(step, gradient[i]);
                       const Scalar v = numbers.momentum * velocity[i] - descent;
                       velocity[i] = v;
                       parameter[i] += nesterov ? numbers.momentum * v - descent : v;
                   });
}

template <class Scalar>
void rmsprop_update(Cuda& device, const DeviceStep<RMSpropStep<Scalar>>& step,
                    TensorView<const Scalar, Cuda> gradient, TensorView<Scalar, Cuda> square,
                    TensorView<Scalar, Cuda> average, TensorView<Scalar, Cuda> velocity,
                    TensorView<Scalar, Cuda> parameter) {
    assert(gradient.size() == parameter.size() && square.size() == parameter.size());
    assert(!average || average.size() == parameter.size());
    assert(!velocity || velocity.size() == parameter.size());
    cuda::for_each(device, parameter.size(),
                   [=, gradient = gradient.data(), square = square.data(), average = average.data(),
                    velocity = velocity.data(), parameter = parameter.data()] __device__(int i) {
                       if (step.is_stopped()) return;
                       const RMSpropStep<Scalar> numbers = *step.numbers;
                       const Scalar g = scaled(step, gradient[i]),
                                    s = square[i] + numbers.rate * (g * g - square[i]);
                       square[i] = s;
                       Scalar variance = s;
                       if (average != nullptr) {
                           const Scalar a = average[i] + numbers.rate * (g - average[i]);
                           average[i] = a;
                           variance -= a * a;
                       }
                       Scalar change =
                           numbers.learning_rate * g / std::sqrt(variance + numbers.epsilon);
                       if (velocity != nullptr) {
                           change += numbers.momentum * velocity[i];
                           velocity[i] = change;
                       }
                       parameter[i] -= change;
                   });
}

template <class Scalar>
void adam_update(Cuda& device, const DeviceStep<AdamStep<Scalar>>& step,
                 TensorView<const Scalar, Cuda> gradient, TensorView<Scalar, Cuda> first_moment,
                 TensorView<Scalar, Cuda> second_moment, TensorView<Scalar, Cuda> parameter) {
    assert(gradient.size() == parameter.size() && first_moment.size() == parameter.size());
    assert(second_moment.size() == parameter.size());
    cuda::for_each(
        device, parameter.size(),
        [=, gradient = gradient.data(), first_moment = first_moment.data(),
         second_moment = second_moment.data(), parameter = parameter.data()] __device__(int i) {
            if (step.is_stopped()) return;
            const AdamStep<Scalar> numbers = *step.numbers;
            const Scalar g = scaled(step, gradient[i]);
            const Scalar m = first_moment[i] + numbers.rate_1 * (g - first_moment[i]);
            const Scalar v = second_moment[i] + numbers.rate_2 * (g * g - second_moment[i]);
            first_moment[i] = m;
            second_moment[i] = v;
            const Scalar p = parameter[i] - numbers.decay * parameter[i];
            parameter[i] = p - numbers.alpha * m / (std::sqrt(v) + numbers.epsilon);
        });
}

template decltype(sgd_update<float>) sgd_update<float>;
template decltype(sgd_update<double>) sgd_update<double>;
template decltype(momentum_update<float>) momentum_update<float>;
template decltype(momentum_update<double>) momentum_update<double>;
template decltype(rmsprop_update<float>) rmsprop_update<float>;
template decltype(rmsprop_update<double>) rmsprop_update<double>;
template decltype(adam_update<float>) adam_update<float>;
template decltype(adam_update<double>) adam_update<double>;

}  // namespace weft::kernels
