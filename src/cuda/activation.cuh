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

/// act(x) of an activation that is elementwise. All threads of a launch have the same one, so the
/// branch costs little next to the memory.
template <class Scalar>
__device__ Scalar activate(Activation activation, Scalar x) {
    using Kind = Activation::Kind;
    switch (activation.kind) {
        case Kind::relu:
            return x < 0 ? Scalar(0) : x;
        case Kind::sigmoid:
            return logistic(x);
        case Kind::tanh:
            return std::tanh(x);
        case Kind::leaky_relu:
        case Kind::elu: {
            // One product for both: of two, the number would take registers all along.
            const Scalar below = activation.kind == Kind::elu ? std::expm1(x) : x;
            return x > 0 ? x : static_cast<Scalar>(activation.parameter) * below;
        }
        case Kind::gelu:
            return x * normal_distribution(x);
        case Kind::silu:
            return x * logistic(x);
        default:
            return x;
    }
}

/// act'(x) from y = act(x), of those that need no more.
template <class Scalar>
__device__ Scalar slope_at_output(Activation activation, Scalar y) {
    using Kind = Activation::Kind;
    const auto number = static_cast<Scalar>(activation.parameter);
    switch (activation.kind) {
        case Kind::sigmoid:
            return y * (1 - y);
        case Kind::tanh:
            return 1 - y * y;
        case Kind::leaky_relu:
            return y > 0 ? Scalar(1) : number;
        case Kind::elu:
            return y > 0 ? Scalar(1) : y + number;
        default:
            return 1;
    }
}

/// act'(x) of gelu and silu.
template <class Scalar>
__device__ Scalar slope_at_input(Activation activation, Scalar x) {
    if (activation.kind == Activation::Kind::gelu)
        return normal_distribution(x) + x * normal_density(x);
    const Scalar s = logistic(x);
    return s * (1 + x * (1 - s));
}

}  // namespace weft::kernels::cuda
