/// \file
/// Updates of the optimisers on the CPU, over a whole arena of parameters at once.
#pragma once

#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/optimizer.hpp"

namespace weft::kernels {

/// p -= learning_rate * g, elementwise over count parameters.
template <class Scalar>
void sgd_update(Cpu& cpu, Index count, Scalar learning_rate, const Scalar* gradient,
                Scalar* parameter) {
    using namespace Eigen::internal;
    const auto rate = detail::broadcast(-learning_rate);
    detail::parallel_transform(
        cpu, count, parameter, [&](const auto& p, const auto& g) { return pmadd(rate, g, p); },
        parameter, gradient);
}

/// m += (1 - beta_1)(g - m),   v += (1 - beta_2)(g^2 - v),   p -= alpha m / (sqrt(v) + epsilon)
template <class Scalar>
void adam_update(Cpu& cpu, Index count, const AdamStep<Scalar>& step, const Scalar* gradient,
                 Scalar* first_moment, Scalar* second_moment, Scalar* parameter) {
    using namespace Eigen::internal;
    const auto minus_alpha = detail::broadcast(-step.alpha);
    const auto rate_1 = detail::broadcast(Scalar(1) - step.beta_1);
    const auto rate_2 = detail::broadcast(Scalar(1) - step.beta_2);
    const auto epsilon = detail::broadcast(step.epsilon);
    parallel_ranges(cpu, count, detail::elementwise_grain / 4, [&](Index begin, Index end) {
        const auto update = [&](Index i, const auto& load, const auto& store) {
            const auto g = load(gradient + i);
            auto m = load(first_moment + i);
            auto v = load(second_moment + i);
            m = pmadd(rate_1, psub(g, m), m);
            v = pmadd(rate_2, psub(pmul(g, g), v), v);
            store(first_moment + i, m);
            store(second_moment + i, v);
            store(parameter + i,
                  padd(load(parameter + i), pdiv(pmul(minus_alpha, m), padd(psqrt(v), epsilon))));
        };
        constexpr Index width = detail::packet_size<Scalar>;
        Index i = begin;
        for (; i + width <= end; i += width) {
            update(
                i, [](const Scalar* x) { return detail::load(x); },
                [](Scalar* y, const auto& packet) { detail::store(y, packet); });
        }
        if (i < end) {
            update(
                i, [&](const Scalar* x) { return detail::load_partial(x, end - i, Scalar(0)); },
                [&](Scalar* y, const auto& p) { detail::store_partial(y, p, end - i); });
        }
    });
}

}  // namespace weft::kernels
