/// \file
/// Kernels of kernels/cuda/optimizer.hpp.
#include "weft/kernels/cuda/optimizer.hpp"

#include "launch.cuh"

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
void sgd_update(Cuda& device, Index count, const DeviceStep<SGDStep<Scalar>>& step,
                const Scalar* gradient, Scalar* parameter) {
    cuda::for_each(device, count, [=] __device__(int i) {
        if (step.is_stopped()) return;
        parameter[i] -= step.numbers->learning_rate * scaled(step, gradient[i]);
    });
}

template <class Scalar>
void momentum_update(Cuda& device, Index count, const DeviceStep<SGDStep<Scalar>>& step,
                     bool nesterov, const Scalar* gradient, Scalar* velocity, Scalar* parameter) {
    cuda::for_each(device, count, [=] __device__(int i) {
        if (step.is_stopped()) return;
        const SGDStep<Scalar> numbers = *step.numbers;
        const Scalar descent = numbers.learning_rate * scaled(step, gradient[i]);
        const Scalar v = numbers.momentum * velocity[i] - descent;
        velocity[i] = v;
        parameter[i] += nesterov ? numbers.momentum * v - descent : v;
    });
}

template <class Scalar>
void rmsprop_update(Cuda& device, Index count, const DeviceStep<RMSpropStep<Scalar>>& step,
                    const Scalar* gradient, Scalar* square, Scalar* average, Scalar* velocity,
                    Scalar* parameter) {
    cuda::for_each(device, count, [=] __device__(int i) {
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
        Scalar change = numbers.learning_rate * g / std::sqrt(variance + numbers.epsilon);
        if (velocity != nullptr) {
            change += numbers.momentum * velocity[i];
            velocity[i] = change;
        }
        parameter[i] -= change;
    });
}

template <class Scalar>
void adam_update(Cuda& device, Index count, const DeviceStep<AdamStep<Scalar>>& step,
                 const Scalar* gradient, Scalar* first_moment, Scalar* second_moment,
                 Scalar* parameter) {
    cuda::for_each(device, count, [=] __device__(int i) {
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
