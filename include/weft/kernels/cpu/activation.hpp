/// \file
/// Activation functions on the CPU, forward and backward.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/kernels/cpu/packet.hpp"

#include <cmath>

namespace weft::kernels {

namespace detail {

/// Elements of an elementwise kernel that one task handles: enough to outweigh starting a thread.
inline constexpr Index elementwise_grain = 16384;

/// transform over [0, count) in parallel.
template <class Scalar, class Operation, class... Inputs>
void parallel_transform(Cpu& cpu, Index count, Scalar* output, const Operation& operation,
                        const Inputs*... inputs) {
    parallel_ranges(cpu, count, elementwise_grain, [&](Index begin, Index end) {
        transform(end - begin, output + begin, operation, (inputs + begin)...);
    });
}

/// max(x, 0) that keeps NaN, so that a NaN is found in the layer where it arose.
template <class Scalar>
EIGEN_STRONG_INLINE Packet<Scalar> relu(const Packet<Scalar>& x) {
    const auto zero = broadcast(Scalar(0));
    return Eigen::internal::pselect(Eigen::internal::pcmp_lt(x, zero), zero, x);
}

template <class Scalar>
EIGEN_STRONG_INLINE Packet<Scalar> sigmoid(const Packet<Scalar>& x) {
    using namespace Eigen::internal;
    const auto one = broadcast(Scalar(1));
    return pdiv(one, padd(one, pexp(pnegate(x))));
}

template <class Scalar>
void tanh(Cpu& cpu, Index count, const Scalar* x, Scalar* y) {
    if constexpr (Eigen::internal::packet_traits<Scalar>::HasTanh) {
        const auto operation = [](const Packet<Scalar>& p) { return Eigen::internal::ptanh(p); };
        parallel_transform(cpu, count, y, operation, x);
    } else {
        parallel_ranges(cpu, count, elementwise_grain, [&](Index begin, Index end) {
            for (Index i = begin; i < end; ++i) y[i] = std::tanh(x[i]);
        });
    }
}

/// The largest of x; NaN where there is one is left to the sums that follow.
template <class Scalar>
Scalar row_max(const Scalar* x, Index count) {
    Scalar largest = x[0];
    for (Index i = 1; i < count; ++i) largest = std::max(largest, x[i]);
    return largest;
}

/// y = exp(x - shift); returns the sum of y.
template <class Scalar>
Scalar exp_and_sum(const Scalar* x, Index count, Scalar shift, Scalar* y) {
    using namespace Eigen::internal;
    const auto shift_packet = broadcast(shift);
    transform(
        count, y, [&](const Packet<Scalar>& p) { return pexp(psub(p, shift_packet)); }, x);
    return sum(y, count);
}

template <class Scalar>
void scale(Scalar* x, Index count, Scalar factor) {
    const auto factor_packet = broadcast(factor);
    transform(
        count, x, [&](const Packet<Scalar>& p) { return Eigen::internal::pmul(p, factor_packet); },
        x);
}

/// Rows of a matrix with that many columns that one task handles.
inline Index row_grain(Index columns) {
    return std::max<Index>(1, elementwise_grain / 8 / std::max<Index>(1, columns));
}

}  // namespace detail

/// Softmax over the last axis, y_c = exp(x_c - max x) / sum_k exp(x_k - max x). y may be x.
template <class Scalar>
void softmax_forward(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> y) {
    const Index columns = x.shape().last();
    const Index rows = columns == 0 ? 0 : x.size() / columns;
    parallel_ranges(cpu, rows, detail::row_grain(columns), [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            const Scalar* x_row = x.data() + row * columns;
            Scalar* y_row = y.data() + row * columns;
            const Scalar total =
                detail::exp_and_sum(x_row, columns, detail::row_max(x_row, columns), y_row);
            detail::scale(y_row, columns, Scalar(1) / total);
        }
    });
}

/// dx_c = y_c (dy_c - sum_k y_k dy_k) over the last axis. dx may be dy.
template <class Scalar>
void softmax_backward(Cpu& cpu, TensorView<const Scalar> y, TensorView<const Scalar> dy,
                      TensorView<Scalar> dx) {
    const Index columns = y.shape().last();
    const Index rows = columns == 0 ? 0 : y.size() / columns;
    parallel_ranges(cpu, rows, detail::row_grain(columns), [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
            const Scalar* y_row = y.data() + row * columns;
            const Scalar* dy_row = dy.data() + row * columns;
            Scalar* dx_row = dx.data() + row * columns;
            Scalar projection = 0;
            for (Index c = 0; c < columns; ++c) projection += y_row[c] * dy_row[c];
            for (Index c = 0; c < columns; ++c) dx_row[c] = y_row[c] * (dy_row[c] - projection);
        }
    });
}

/// y = act(x). y may be x.
template <class Scalar>
void activation_forward(Cpu& cpu, Activation activation, TensorView<const Scalar> x,
                        TensorView<Scalar> y) {
    using detail::Packet;
    switch (activation) {
        case Activation::linear:
            if (x.data() != y.data()) std::copy(x.begin(), x.end(), y.begin());
            return;
        case Activation::relu:
            return detail::parallel_transform(
                cpu, x.size(), y.data(),
                [](const Packet<Scalar>& p) { return detail::relu<Scalar>(p); }, x.data());
        case Activation::sigmoid:
            return detail::parallel_transform(
                cpu, x.size(), y.data(),
                [](const Packet<Scalar>& p) { return detail::sigmoid<Scalar>(p); }, x.data());
        case Activation::tanh:
            return detail::tanh(cpu, x.size(), x.data(), y.data());
        case Activation::softmax:
            return softmax_forward(cpu, x, y);
    }
}

/// dx = dL/dx from dy = dL/dy and the output y:
///   relu dy [y > 0],   sigmoid dy y (1 - y),   tanh dy (1 - y^2),   softmax as softmax_backward.
/// dx may be dy.
template <class Scalar>
void activation_backward(Cpu& cpu, Activation activation, TensorView<const Scalar> y,
                         TensorView<const Scalar> dy, TensorView<Scalar> dx) {
    using namespace Eigen::internal;
    using detail::Packet;
    const auto one = detail::broadcast(Scalar(1));
    const auto each = [&](const auto& operation) {
        detail::parallel_transform(cpu, y.size(), dx.data(), operation, y.data(), dy.data());
    };
    switch (activation) {
        case Activation::linear:
            if (dx.data() != dy.data()) std::copy(dy.begin(), dy.end(), dx.begin());
            return;
        case Activation::relu:
            return each([&](const Packet<Scalar>& out, const Packet<Scalar>& gradient) {
                const auto zero = detail::broadcast(Scalar(0));
                return pselect(pcmp_lt(zero, out), gradient, zero);
            });
        case Activation::sigmoid:
            return each([&](const Packet<Scalar>& out, const Packet<Scalar>& gradient) {
                return pmul(gradient, pmul(out, psub(one, out)));
            });
        case Activation::tanh:
            return each([&](const Packet<Scalar>& out, const Packet<Scalar>& gradient) {
                return pmul(gradient, psub(one, pmul(out, out)));
            });
        case Activation::softmax:
            return softmax_backward(cpu, y, dy, dx);
    }
}

/// y = scale x + offset. y may be x.
template <class Scalar>
void scale_and_offset(Cpu& cpu, TensorView<const Scalar> x, Scalar scale, Scalar offset,
                      TensorView<Scalar> y) {
    const auto factor = detail::broadcast(scale), shift = detail::broadcast(offset);
    detail::parallel_transform(
        cpu, x.size(), y.data(),
        [&](const auto& p) { return Eigen::internal::pmadd(p, factor, shift); }, x.data());
}

}  // namespace weft::kernels
