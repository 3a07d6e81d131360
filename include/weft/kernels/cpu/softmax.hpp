/// \file
/// Softmax on the CPU, forward and backward.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/row_sums.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// The largest of x; NaN where there is one is left to the sums that follow.
template <class Scalar>
WEFT_NOINLINE Scalar row_max(const Scalar* x, Index count) {
    constexpr Index step = packet_size<Scalar>;
    if (count < step) return *std::max_element(x, x + count);
    auto largest = load(x + count - step);
    for (Index i = 0; i + step < count; i += step) {
        largest = pmax(largest, load(x + i));
    }
    return largest_lane<Scalar>(largest);
}

/// y = exp(x - shift); returns sum(y).
template <class Scalar>
WEFT_NOINLINE Scalar exp_and_sum(const Scalar* x, Index count, Scalar shift, Scalar* y) {
    const auto shift_packet = broadcast(shift);
    transform_costly(
        count, y, [&](const Packet<Scalar>& p) { return exp<Scalar>(psub(p, shift_packet)); }, x);
    return sum(y, count);
}

template <class Scalar>
WEFT_NOINLINE void scale(Scalar* x, Index count, Scalar factor) {
    const auto factor_packet = broadcast(factor);
    transform(count, x, [&](const Packet<Scalar>& p) { return pmul(p, factor_packet); }, x);
}

}  // namespace detail

/// Softmax over the last axis, y_c = exp(x_c - max x) / sum_k exp(x_k - max x). y may be x.
template <class Scalar>
WEFT_NOINLINE void softmax_forward(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> y) {
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

/// dx_c = y_c (dy_c - sum_k y_k dy_k) over the last axis. dx may be dy. The sum is off by
/// at most (257 + log2(C)) u sum_k |y_k dy_k|, u = eps / 2.
template <class Scalar>
WEFT_NOINLINE void softmax_backward(Cpu& cpu, TensorView<const Scalar> y,
                                    TensorView<const Scalar> dy, TensorView<Scalar> dx) {
    const Index columns = y.shape().last();
    const Index rows = columns == 0 ? 0 : y.size() / columns;
    const Scalar *const out = y.data(), *const gradient = dy.data();
    detail::for_each_row_to_sum(cpu, rows, columns, [=](Index, const auto& row) {
        const auto projection = detail::broadcast(
            row.template sum_packets<Scalar>([=](Index i, auto size) WEFT_INLINE_LAMBDA {
                return pmul(detail::load_up_to(out + i, size),
                            detail::load_up_to(gradient + i, size));
            }));
        detail::transform(
            columns, dx.data() + row.begin,
            [=](const auto& p, const auto& g)
                WEFT_INLINE_LAMBDA { return pmul(p, psub(g, projection)); },
            out + row.begin, gradient + row.begin);
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
