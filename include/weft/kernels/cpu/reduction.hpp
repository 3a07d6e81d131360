/// \file
/// Sums and scans over tensors on the CPU.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/packet.hpp"

#include <atomic>
#include <bit>
#include <cstdint>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// sums_c = sum_r x_rc for the row-major x (rows, columns). Blocks of 512 rows are summed row by
/// row and then added in pairs, whatever the thread count: off by at most
/// (512 + log2(rows / 512)) u sum_r |x_rc|, u = eps / 2.
template <class Scalar>
WEFT_NOINLINE void column_sums(Cpu& cpu, Index rows, Index columns, const Scalar* x, Scalar* sums) {
    constexpr Index block_rows = 512;
    const Index blocks = (std::max<Index>)(1, detail::blocks_of(rows, block_rows));
    Scalar* const partial =
        blocks == 1 ? sums
                    : reinterpret_cast<Scalar*>(
                          cpu.scratch(static_cast<std::size_t>(blocks * columns) * sizeof(Scalar)));
    const auto add = [columns](Scalar* to, const Scalar* more) {
        detail::transform(
            columns, to, [](const auto& a, const auto& b) { return Eigen::internal::padd(a, b); },
            to, more);
    };
    parallel_for(cpu, blocks, [&](Index block, int) {
        Scalar* const total = partial + block * columns;
        std::fill_n(total, columns, Scalar(0));
        const Index end = (std::min)(rows, (block + 1) * block_rows);
        for (Index row = block * block_rows; row < end; ++row) add(total, x + row * columns);
    });
    if (blocks == 1) return;
    weft::detail::add_in_pairs(blocks, [&](Index to, Index from, Index) {
        add(partial + to * columns, partial + from * columns);
    });
    std::copy_n(partial, columns, sums);
}

/// The sum of all elements in double precision, pairwise: off by at most
/// (256 + log2(n / 256)) 2^-53 sum |x|, which is 3e-14 of it for 10^8 elements.
template <class Scalar>
WEFT_NOINLINE double total(Cpu&, TensorView<const Scalar> x) {
    return weft::detail::pairwise_sum(x.size(), [&](Index begin, Index end) {
        double result = 0;
        for (Index i = begin; i < end; ++i) result += static_cast<double>(x[i]);
        return result;
    });
}

/// Whether every element is finite: no NaN and no infinity. Looks at the bits, so it holds under
/// -ffast-math too.
template <class Scalar>
WEFT_NOINLINE bool all_finite(Cpu& cpu, TensorView<const Scalar> x) {
    using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
    constexpr Bits exponent =
        sizeof(Scalar) == 4 ? Bits{0x7F800000} : static_cast<Bits>(0x7FF0000000000000);
    std::atomic<bool> all = true;
    parallel_ranges(cpu, x.size(), 8192, [&](Index begin, Index end) {
        // Without a branch or a bool in it, compilers make the loop one of vector instructions.
        Bits found = 0;
        for (Index i = begin; i < end; ++i) {
            found |= (std::bit_cast<Bits>(x[i]) & exponent) == exponent ? Bits{1} : Bits{0};
        }
        if (found != 0) all.store(false, std::memory_order_relaxed);
    });
    return all;
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
