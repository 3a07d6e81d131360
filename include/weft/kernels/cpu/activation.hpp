/// \file
/// Activation functions on the CPU, forward and backward.
#pragma once

#include "weft/kernels/activation.hpp"
#include "weft/kernels/cpu/elementwise.hpp"
#include "weft/kernels/cpu/softmax.hpp"

#include <cassert>
#include <cmath>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// The distribution function of a standard normal variable, exact in its tails too.
template <class Scalar>
Scalar normal_distribution(Scalar x) {
    constexpr auto inverse_sqrt_2 = static_cast<Scalar>(0.70710678118654752440);
    return Scalar(0.5) * std::erfc(-x * inverse_sqrt_2);
}

template <class Scalar>
EIGEN_STRONG_INLINE Packet<Scalar> sigmoid(const Packet<Scalar>& x) {
    const auto one = broadcast(Scalar(1));
    return pdiv(one, padd(one, exp<Scalar>(pnegate(x))));
}

/// y = -1 or 1 where |y| is at least limit.
template <class Scalar>
WEFT_COLD void saturate(Cpu& cpu, Index count, Scalar limit, Scalar* y) {
    const auto saturated = [=](Scalar v) {
        if (std::abs(v) < limit) return v;
        return v > 0 ? Scalar(1) : v < 0 ? Scalar(-1) : v;
    };
    parallel_apply(cpu, count, y, saturated, y);
}

template <class Scalar>
WEFT_NOINLINE void tanh(Cpu& cpu, Index count, const Scalar* x, Scalar* y) {
    if constexpr (has_packet_tanh<Scalar>) {
        const auto operation = [](const Packet<Scalar>& p) { return tanh<Scalar>(p); };
        parallel_transform(cpu, count, y, operation, x);
        // Eigen's approximation is constant beyond 8: 1 on x86, but 1 - 2.4e-7 on ARM.
        static const Scalar limit = pfirst(operation(broadcast(Scalar(9))));
        if (limit < 1) saturate(cpu, count, limit, y);
    } else {
        parallel_ranges(cpu, count, elementwise_grain, [&](Index begin, Index end) {
            for (Index i = begin; i < end; ++i) y[i] = std::tanh(x[i]);
        });
    }
}

}  // namespace detail

/// y = act(x). y may be x.
template <class Scalar>
WEFT_NOINLINE void activation_forward(Cpu& cpu, Activation activation, TensorView<const Scalar> x,
                                      TensorView<Scalar> y) {
    using detail::Packet;
    using Kind = Activation::Kind;
    switch (activation.kind) {
        case Kind::linear:
            if (x.data() != y.data()) std::copy(x.begin(), x.end(), y.begin());
            return;
        case Kind::relu:
            return detail::parallel_transform(
                cpu, x.size(), y.data(),
                [](const Packet<Scalar>& p) { return detail::relu<Scalar>(p); }, x.data());
        case Kind::sigmoid:
            return detail::parallel_transform_costly(
                cpu, x.size(), y.data(),
                [](const Packet<Scalar>& p) { return detail::sigmoid<Scalar>(p); }, x.data());
        case Kind::tanh:
            return detail::tanh(cpu, x.size(), x.data(), y.data());
        case Kind::softmax:
            return softmax_forward(cpu, x, y);
        case Kind::leaky_relu:
            return detail::parallel_transform(
                cpu, x.size(), y.data(),
                [zero = detail::broadcast(Scalar(0)),
                 slope = detail::broadcast(static_cast<Scalar>(activation.parameter))](
                    const Packet<Scalar>& p) {
                    return pselect(pcmp_lt(zero, p), p, pmul(p, slope));
                },
                x.data());
        case Kind::elu:
            return detail::parallel_apply(
                cpu, x.size(), y.data(),
                [alpha = static_cast<Scalar>(activation.parameter)](Scalar v) {
                    return v > 0 ? v : alpha * std::expm1(v);
                },
                x.data());
        case Kind::gelu:
            return detail::parallel_apply(
                cpu, x.size(), y.data(),
                [](Scalar v) { return v * detail::normal_distribution(v); }, x.data());
        case Kind::silu:
            return detail::parallel_transform_costly(
                cpu, x.size(), y.data(),
                [](const Packet<Scalar>& p) { return pmul(p, detail::sigmoid<Scalar>(p)); },
                x.data());
    }
}

/// dx = dL/dx from dy = dL/dy and the output y:
///   relu dy [y > 0],   sigmoid dy y (1 - y),   tanh dy (1 - y^2),   softmax as softmax_backward,
///   leaky_relu dy, or negative_slope dy for y <= 0,   elu dy, or dy (y + alpha) for y <= 0.
/// Not for gelu and silu, which need their input. dx may be dy.
template <class Scalar>
WEFT_NOINLINE void activation_backward(Cpu& cpu, Activation activation, TensorView<const Scalar> y,
                                       TensorView<const Scalar> dy, TensorView<Scalar> dx) {
    using detail::Packet;
    using Kind = Activation::Kind;
    const auto one = detail::broadcast(Scalar(1));
    const auto each = [&](const auto& operation) {
        detail::parallel_transform(cpu, y.size(), dx.data(), operation, y.data(), dy.data());
    };
    switch (activation.kind) {
        case Kind::linear:
            if (dx.data() != dy.data()) std::copy(dy.begin(), dy.end(), dx.begin());
            return;
        case Kind::relu:
            return each([&](const Packet<Scalar>& out, const Packet<Scalar>& gradient) {
                const auto zero = detail::broadcast(Scalar(0));
                return pselect(pcmp_lt(zero, out), gradient, zero);
            });
        case Kind::sigmoid:
            return each([&](const Packet<Scalar>& out, const Packet<Scalar>& gradient) {
                return pmul(gradient, pmul(out, psub(one, out)));
            });
        case Kind::tanh:
            return each([&](const Packet<Scalar>& out, const Packet<Scalar>& gradient) {
                return pmul(gradient, psub(one, pmul(out, out)));
            });
        case Kind::softmax:
            return softmax_backward(cpu, y, dy, dx);
        case Kind::leaky_relu:
            return each([zero = detail::broadcast(Scalar(0)),
                         slope = detail::broadcast(static_cast<Scalar>(activation.parameter))](
                            const Packet<Scalar>& out, const Packet<Scalar>& gradient) {
                return pselect(pcmp_lt(zero, out), gradient, pmul(gradient, slope));
            });
        case Kind::elu:
            return detail::parallel_apply(
                cpu, y.size(), dx.data(),
                [alpha = static_cast<Scalar>(activation.parameter)](Scalar out, Scalar gradient) {
                    return out > 0 ? gradient : gradient * (out + alpha);
                },
                y.data(), dy.data());
        case Kind::gelu:
        case Kind::silu:
            assert(false && "takes its derivative from the input");
    }
}

/// dx = dy act'(x) for the activations that need their input, with s = sigmoid(x):
///   gelu  act' = Phi(x) + x phi(x),   silu  act' = s (1 + x (1 - s)).
/// dx may be dy.
template <class Scalar>
WEFT_NOINLINE void activation_backward_from_input(Cpu& cpu, Activation activation,
                                                  TensorView<const Scalar> x,
                                                  TensorView<const Scalar> dy,
                                                  TensorView<Scalar> dx) {
    assert(needs_input(activation));
    if (activation.kind == Activation::Kind::gelu) {
        constexpr auto inverse_sqrt_2_pi = static_cast<Scalar>(0.39894228040143267794);
        return detail::parallel_apply(
            cpu, x.size(), dx.data(),
            [](Scalar v, Scalar gradient) {
                const Scalar density = inverse_sqrt_2_pi * std::exp(Scalar(-0.5) * v * v);
                return gradient * (detail::normal_distribution(v) + v * density);
            },
            x.data(), dy.data());
    }
    const auto one = detail::broadcast(Scalar(1));
    detail::parallel_transform_costly(
        cpu, x.size(), dx.data(),
        [&](const auto& v, const auto& gradient) {
            const auto s = detail::sigmoid<Scalar>(v);
            return pmul(gradient, pmul(s, pmadd(v, psub(one, s), one)));
        },
        x.data(), dy.data());
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
