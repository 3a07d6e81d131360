/// \file
/// Elementwise kernels on the CPU: operations on packets over ranges of tasks.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/packet.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

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

/// transform_costly over [0, count) in parallel.
template <class Scalar, class Operation, class... Inputs>
void parallel_transform_costly(Cpu& cpu, Index count, Scalar* output, const Operation& operation,
                               const Inputs*... inputs) {
    parallel_ranges(cpu, count, elementwise_grain, [&](Index begin, Index end) {
        transform_costly(end - begin, output + begin, operation, (inputs + begin)...);
    });
}

/// output[i] = operation(inputs[i]...) for [0, count) in parallel, number by number.
template <class Scalar, class Operation, class... Inputs>
void parallel_apply(Cpu& cpu, Index count, Scalar* output, const Operation& operation,
                    const Inputs*... inputs) {
    parallel_ranges(cpu, count, elementwise_grain / 4, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) output[i] = operation(inputs[i]...);
    });
}

}  // namespace detail

/// y = scale x + offset. y may be x.
template <class Scalar>
WEFT_NOINLINE void scale_and_offset(Cpu& cpu, TensorView<const Scalar> x, Scalar scale,
                                    Scalar offset, TensorView<Scalar> y) {
    const auto factor = detail::broadcast(scale), shift = detail::broadcast(offset);
    detail::parallel_transform(
        cpu, x.size(), y.data(), [&](const auto& p) { return pmadd(p, factor, shift); }, x.data());
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
