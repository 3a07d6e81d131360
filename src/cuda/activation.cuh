/// \file
/// Activations of one number.
#pragma once

#include "weft/kernels/activation.hpp"

#include <cuda_runtime.h>
#include <cmath>

namespace weft::kernels::cuda {

/// 1 / (1 + exp(-x)).
template <class Scalar>
__device__ Scalar logistic(Scalar x) {
    return Scalar(1) / (Scalar(1) + std::exp(-x));
}

/// Phi(x) = erfc(-x / sqrt(2)) / 2, the normal distribution function.
template <class Scalar>
__device__ Scalar normal_distribution(Scalar x) {
    return std::erfc(x * Scalar(-0.70710678118654752440)) / 2;
}

/// phi(x) = exp(-x^2 / 2) / sqrt(2 pi), its derivative.
template <class Scalar>
__device__ Scalar normal_density(Scalar x) {
    return std::exp(-x * x / 2) * Scalar(0.39894228040143267794);
}

/// x for x > 0, else slope x.
template <class Scalar>
__device__ Scalar leaky(Scalar slope, Scalar x) {
    return x > 0 ? x : slope * x;
}

/// x for x > 0, else alpha (exp(x) - 1).
template <class Scalar>
__device__ Scalar exponential_linear(Scalar alpha, Scalar x) {
    return x > 0 ? x : alpha * std::expm1(x);
}

/// act(x) of an activation that is elementwise. All threads of a launch have the same one, so the
/// branch costs little next to the memory.
template <class Scalar>
__device__ Scalar activate(Activation activation, Scalar x) {
    switch (activation) {
        case relu:
            return x < 0 ? Scalar(0) : x;
        case sigmoid:
            return logistic(x);
        case weft::tanh:
            return std::tanh(x);
        case leaky_relu:
            return leaky(Scalar(0.2), x);
        case elu:
            return exponential_linear(Scalar(1), x);
        case gelu:
            return x * normal_distribution(x);
        case silu:
            return x * logistic(x);
        default:
            return x;
    }
}

/// act'(x) from y = act(x), of those that need no more.
template <class Scalar>
__device__ Scalar slope_at_output(Activation activation, Scalar y) {
    switch (activation) {
        case sigmoid:
            return y * (1 - y);
        case weft::tanh:
            return 1 - y * y;
        case leaky_relu:
            return y > 0 ? Scalar(1) : Scalar(0.2);
        case elu:
            return y > 0 ? Scalar(1) : y + 1;
        default:
            return 1;
    }
}

/// act'(x) of gelu and silu.
template <class Scalar>
__device__ Scalar slope_at_input(Activation activation, Scalar x) {
    if (activation == gelu) return normal_distribution(x) + x * normal_density(x);
    const Scalar s = logistic(x);
    return s * (1 + x * (1 - s));
}

}  // namespace weft::kernels::cuda
