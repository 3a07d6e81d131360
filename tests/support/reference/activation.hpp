/// \file
/// Activation functions by their formulas.
#pragma once

#include "tests/support/reference/device.hpp"
#include "weft/kernels/activation.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace weft::kernels {

/// y_c = exp(x_c - max x) / sum_k exp(x_k - max x) over the last axis.
template <class Scalar>
void softmax_forward(Reference&, TensorView<const Scalar, Reference> x,
                     TensorView<Scalar, Reference> y) {
    const Index columns = x.shape().last();
    for (Index row = 0; row < x.size(); row += columns) {
        Scalar largest = x[row];
        for (Index c = 1; c < columns; ++c) largest = std::max(largest, x[row + c]);
        Wide<Scalar> total = 0;
        for (Index c = 0; c < columns; ++c) total += std::exp(wide(x[row + c]) - wide(largest));
        for (Index i = row; i < row + columns; ++i) {
            y[i] = static_cast<Scalar>(std::exp(wide(x[i]) - wide(largest)) / total);
        }
    }
}

/// dx_c = y_c (dy_c - sum_k y_k dy_k) over the last axis.
template <class Scalar>
void softmax_backward(Reference&, TensorView<const Scalar, Reference> y,
                      TensorView<const Scalar, Reference> dy, TensorView<Scalar, Reference> dx) {
    const Index columns = y.shape().last();
    for (Index row = 0; row < y.size(); row += columns) {
        Wide<Scalar> sum = 0;
        for (Index i = row; i < row + columns; ++i) sum += wide(y[i]) * wide(dy[i]);
        for (Index i = row; i < row + columns; ++i) {
            dx[i] = static_cast<Scalar>(wide(y[i]) * (wide(dy[i]) - sum));
        }
    }
}

/// Phi(x) = erfc(-x / sqrt(2)) / 2, the normal distribution function.
template <class Real>
Real normal_distribution(Real x) {
    return std::erfc(-x / std::sqrt(Real(2))) / 2;
}

/// phi(x) = exp(-x^2 / 2) / sqrt(2 pi), its derivative.
template <class Real>
Real normal_density(Real x) {
    return std::exp(-x * x / 2) / std::sqrt(8 * std::atan(Real(1)));
}

template <class Real>
Real logistic(Real x) {
    return 1 / (1 + std::exp(-x));
}

/// y = act(x), each as the enumeration says. NaN stays NaN.
template <class Scalar>
void activation_forward(Reference& device, Activation activation,
                        TensorView<const Scalar, Reference> x, TensorView<Scalar, Reference> y) {
    if (activation == softmax) return softmax_forward<Scalar>(device, x, y);
    using Kind = Activation::Kind;
    const auto number = static_cast<Wide<Scalar>>(activation.parameter);
    for (Index i = 0; i < x.size(); ++i) {
        Wide<Scalar> value = wide(x[i]);
        if (activation == relu) value = value < 0 ? 0 : value;
        if (activation == sigmoid) value = logistic(value);
        if (activation == tanh) value = std::tanh(value);
        if (activation == gelu) value *= normal_distribution(value);
        if (activation == silu) value *= logistic(value);
        if (activation.kind == Kind::leaky_relu) value *= value > 0 ? 1 : number;
        if (activation.kind == Kind::elu) value = value > 0 ? value : number * std::expm1(value);
        y[i] = static_cast<Scalar>(value);
    }
}

/// dx from the output y:   relu dy [y > 0],   sigmoid dy y (1 - y),   tanh dy (1 - y^2),
///   leaky_relu dy, or negative_slope dy for y <= 0,   elu dy, or dy (y + alpha) for y <= 0.
template <class Scalar>
void activation_backward(Reference& device, Activation activation,
                         TensorView<const Scalar, Reference> y,
                         TensorView<const Scalar, Reference> dy, TensorView<Scalar, Reference> dx) {
    assert(!needs_input(activation));
    if (activation == softmax) return softmax_backward<Scalar>(device, y, dy, dx);
    using Kind = Activation::Kind;
    const auto number = static_cast<Wide<Scalar>>(activation.parameter);
    for (Index i = 0; i < y.size(); ++i) {
        const Wide<Scalar> out = wide(y[i]);
        Wide<Scalar> gradient = wide(dy[i]);
        if (activation == relu) gradient = out > 0 ? gradient : 0;
        if (activation == sigmoid) gradient *= out * (1 - out);
        if (activation == tanh) gradient *= 1 - out * out;
        if (activation.kind == Kind::leaky_relu) gradient *= out > 0 ? 1 : number;
        if (activation.kind == Kind::elu) gradient *= out > 0 ? 1 : out + number;
        dx[i] = static_cast<Scalar>(gradient);
    }
}

/// dx = dy act'(x), with s = sigmoid(x):   gelu Phi(x) + x phi(x),   silu s (1 + x (1 - s)).
template <class Scalar>
void activation_backward_from_input(Reference&, Activation activation,
                                    TensorView<const Scalar, Reference> x,
                                    TensorView<const Scalar, Reference> dy,
                                    TensorView<Scalar, Reference> dx) {
    assert(needs_input(activation));
    for (Index i = 0; i < x.size(); ++i) {
        const Wide<Scalar> value = wide(x[i]), s = logistic(value);
        const Wide<Scalar> slope = activation == gelu
                                       ? normal_distribution(value) + value * normal_density(value)
                                       : s * (1 + value * (1 - s));
        dx[i] = static_cast<Scalar>(wide(dy[i]) * slope);
    }
}

/// y = scale x + offset.
template <class Scalar>
void scale_and_offset(Reference&, TensorView<const Scalar, Reference> x, Scalar scale,
                      Scalar offset, TensorView<Scalar, Reference> y) {
    for (Index i = 0; i < x.size(); ++i) {
        y[i] = static_cast<Scalar>(wide(scale) * wide(x[i]) + wide(offset));
    }
}

}  // namespace weft::kernels
