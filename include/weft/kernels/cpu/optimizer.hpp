/// \file
/// Updates of the optimisers on the CPU, over a whole arena of parameters at once.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/elementwise.hpp"
#include "weft/kernels/optimizer.hpp"

#include <cassert>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Calls update(load, store) for packets that start at elements i and cover [0, count); load(x) and
/// store(y, packet) read and write the packet at element i of a tensor.
template <class Scalar, class Update>
void update_packets(Cpu& cpu, Index count, const Update& update) {
    parallel_ranges(cpu, count, elementwise_grain / 8, [&](Index begin, Index end) {
        for_each_packet<Scalar>(end - begin, [&](Index i, auto size) WEFT_INLINE_LAMBDA {
            const Index at = begin + i;
            update([=](const auto& x) { return load_up_to<Scalar>(x.data() + at, size); },
                   [=](const auto& y, const auto& packet) {
                       store_up_to(y.data() + at, packet, size);
                   });
        });
    });
}

}  // namespace detail

/// p -= learning_rate * g, elementwise.
template <class Scalar>
void sgd_update(Cpu& cpu, Scalar learning_rate, TensorView<const Scalar> gradient,
                TensorView<Scalar> parameter) {
    assert(gradient.size() == parameter.size());
    const auto rate = detail::broadcast(-learning_rate);
    detail::update_packets<Scalar>(cpu, parameter.size(), [&](const auto& load, const auto& store) {
        store(parameter, pmadd(rate, load(gradient), load(parameter)));
    });
}

///   v = momentum v - learning_rate g,   p += v   or, for Nesterov,
///   p += momentum v - learning_rate g.
template <class Scalar>
void momentum_update(Cpu& cpu, Scalar learning_rate, Scalar momentum, bool nesterov,
                     TensorView<const Scalar> gradient, TensorView<Scalar> velocity,
                     TensorView<Scalar> parameter) {
    assert(gradient.size() == parameter.size() && velocity.size() == parameter.size());
    const auto rate = detail::broadcast(learning_rate), decay = detail::broadcast(momentum);
    detail::update_packets<Scalar>(cpu, parameter.size(), [&](const auto& load, const auto& store) {
        const auto step = pmul(rate, load(gradient));
        const auto v = psub(pmul(decay, load(velocity)), step);
        store(velocity, v);
        const auto change = nesterov ? psub(pmul(decay, v), step) : v;
        store(parameter, padd(load(parameter), change));
    });
}

///   s += (1 - rho)(g^2 - s),   a += (1 - rho)(g - a),
///   d = g learning_rate / sqrt(s - a^2 + epsilon),
///   v = momentum v + d,   p -= v.
/// Without average, a is 0; without velocity, p -= d.
template <class Scalar>
void rmsprop_update(Cpu& cpu, const RMSpropStep<Scalar>& step, TensorView<const Scalar> gradient,
                    TensorView<Scalar> square, TensorView<Scalar> average,
                    TensorView<Scalar> velocity, TensorView<Scalar> parameter) {
    assert(gradient.size() == parameter.size() && square.size() == parameter.size());
    assert(!average || average.size() == parameter.size());
    assert(!velocity || velocity.size() == parameter.size());
    const auto rate = detail::broadcast(step.learning_rate);
    const auto recent = detail::broadcast(step.rate);
    const auto momentum = detail::broadcast(step.momentum);
    const auto epsilon = detail::broadcast(step.epsilon);
    detail::update_packets<Scalar>(cpu, parameter.size(), [&](const auto& load, const auto& store) {
        const auto g = load(gradient);
        auto s = load(square);
        s = pmadd(recent, psub(pmul(g, g), s), s);
        store(square, s);
        auto variance = s;
        if (average) {
            auto a = load(average);
            a = pmadd(recent, psub(g, a), a);
            store(average, a);
            variance = psub(s, pmul(a, a));
        }
        auto change = pdiv(pmul(rate, g), detail::square_root<Scalar>(padd(variance, epsilon)));
        if (velocity) {
            change = padd(pmul(momentum, load(velocity)), change);
            store(velocity, change);
        }
        store(parameter, psub(load(parameter), change));
    });
}

/// p -= decay p,   m += rate_1 (g - m),   v += rate_2 (g^2 - v),
/// p -= alpha m / (sqrt(v) + epsilon)
template <class Scalar>
WEFT_NOINLINE void adam_update(Cpu& cpu, const AdamStep<Scalar>& step,
                               TensorView<const Scalar> gradient, TensorView<Scalar> first_moment,
                               TensorView<Scalar> second_moment, TensorView<Scalar> parameter) {
    assert(gradient.size() == parameter.size() && first_moment.size() == parameter.size());
    assert(second_moment.size() == parameter.size());
    const auto minus_alpha = detail::broadcast(-step.alpha);
    const auto rate_1 = detail::broadcast(step.rate_1);
    const auto rate_2 = detail::broadcast(step.rate_2);
    const auto epsilon = detail::broadcast(step.epsilon);
    const auto decay = detail::broadcast(step.decay);
    detail::update_packets<Scalar>(cpu, parameter.size(), [&](const auto& load, const auto& store) {
        const auto g = load(gradient);
        auto m = load(first_moment), v = load(second_moment), p = load(parameter);
        m = pmadd(rate_1, psub(g, m), m);
        v = pmadd(rate_2, psub(pmul(g, g), v), v);
        store(first_moment, m);
        store(second_moment, v);
        if (step.decay != 0) p = psub(p, pmul(decay, p));
        store(parameter,
              padd(p, pdiv(pmul(minus_alpha, m), padd(detail::square_root<Scalar>(v), epsilon))));
    });
}

// The same with a step whose numbers are on the device. Does nothing if it is stopped.

template <class Scalar>
void sgd_update(Cpu& cpu, const DeviceStep<SGDStep<Scalar>>& step,
                TensorView<const Scalar> gradient, TensorView<Scalar> parameter) {
    if (step.is_stopped()) return;
    sgd_update<Scalar>(cpu, step.numbers->learning_rate, gradient, parameter);
}

template <class Scalar>
void momentum_update(Cpu& cpu, const DeviceStep<SGDStep<Scalar>>& step, bool nesterov,
                     TensorView<const Scalar> gradient, TensorView<Scalar> velocity,
                     TensorView<Scalar> parameter) {
    if (step.is_stopped()) return;
    momentum_update<Scalar>(cpu, step.numbers->learning_rate, step.numbers->momentum, nesterov,
                            gradient, velocity, parameter);
}

template <class Scalar>
void rmsprop_update(Cpu& cpu, const DeviceStep<RMSpropStep<Scalar>>& step,
                    TensorView<const Scalar> gradient, TensorView<Scalar> square,
                    TensorView<Scalar> average, TensorView<Scalar> velocity,
                    TensorView<Scalar> parameter) {
    if (step.is_stopped()) return;
    rmsprop_update<Scalar>(cpu, *step.numbers, gradient, square, average, velocity, parameter);
}

template <class Scalar>
void adam_update(Cpu& cpu, const DeviceStep<AdamStep<Scalar>>& step,
                 TensorView<const Scalar> gradient, TensorView<Scalar> first_moment,
                 TensorView<Scalar> second_moment, TensorView<Scalar> parameter) {
    if (step.is_stopped()) return;
    adam_update<Scalar>(cpu, *step.numbers, gradient, first_moment, second_moment, parameter);
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
