/// \file
/// Sums and scans over tensors on the CPU.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/packet.hpp"

#include <atomic>
#include <bit>
#include <cassert>
#include <cstdint>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Rows whose columns are summed together: they stay in the first-level cache.
inline constexpr Index rows_to_sum = 64;

/// For every packet of columns: starts `count` sums at zero, calls term(i, c, size, sums) for each of
/// the rows [begin, end), then done(c, sums, size). i: position in memory, c: column, size: lanes in
/// use. Several packets of a row are read together.
template <class Scalar, std::size_t count, class Term, class Done>
EIGEN_ALWAYS_INLINE void sum_columns(Index begin, Index end, Index columns, const Term& term,
                                     const Done& done) {
    constexpr Index step = packet_size<Scalar>;
    const auto sum = [&]<std::size_t packets>(std::integral_constant<std::size_t, packets>, Index c,
                                              auto size) WEFT_INLINE_LAMBDA {
        Packet<Scalar> sums[packets][count];
        for (auto& of_packet : sums) {
            for (auto& each : of_packet) each = broadcast(Scalar(0));
        }
        for (Index i = begin * columns + c; i < end * columns; i += columns) {
            for (std::size_t p = 0; p < packets; ++p) {
                const Index shift = static_cast<Index>(p) * step;
                term(i + shift, c + shift, size, sums[p]);
            }
        }
        for (std::size_t p = 0; p < packets; ++p) {
            done(c + static_cast<Index>(p) * step, sums[p], size);
        }
    };
    Index c = 0;
    constexpr std::integral_constant<Index, step> whole;
    for (; c + 4 * step <= columns; c += 4 * step) {
        sum(std::integral_constant<std::size_t, 4>{}, c, whole);
    }
    for (; c + step <= columns; c += step) sum(std::integral_constant<std::size_t, 1>{}, c, whole);
    if (c < columns) sum(std::integral_constant<std::size_t, 1>{}, c, columns - c);
}

}  // namespace detail

/// sums_c = sum_r x_rc, with R = the product of all axes of x but the last. Blocks of 64 rows are
/// summed row by row and then added in pairs, whatever the thread count: off by at most
/// (64 + log2(R / 64)) u sum_r |x_rc|, u = eps / 2.
///
///   x (..., C)   sums (C), C at least 1
template <class Scalar>
WEFT_NOINLINE void column_sums(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> sums) {
    assert(x.shape().last() == sums.size());
    const Index columns = sums.size(), rows = x.size() / columns;
    constexpr Index block_rows = detail::rows_to_sum;
    const Index blocks = (std::max<Index>)(1, detail::blocks_of(rows, block_rows));
    const auto scratch = cpu.scratch<Scalar>(blocks == 1 ? 0 : blocks * columns);
    Scalar* const partial = blocks == 1 ? sums.data() : scratch.data();
    parallel_for(cpu, blocks, [&](Index block, int) {
        detail::sum_columns<Scalar, 1>(
            block * block_rows, (std::min)(rows, (block + 1) * block_rows), columns,
            [x = x.data()](Index i, Index, auto size, auto& sum)
                WEFT_INLINE_LAMBDA { sum[0] = padd(sum[0], detail::load_up_to(x + i, size)); },
            [=](Index c, const auto& sum, auto size) WEFT_INLINE_LAMBDA {
                detail::store_up_to(partial + block * columns + c, sum[0], size);
            });
    });
    if (blocks == 1) return;
    weft::detail::add_in_pairs(blocks, [&](Index to, Index from, Index) {
        Scalar* const sum = partial + to * columns;
        detail::transform(
            columns, sum, [](const auto& a, const auto& b) { return padd(a, b); }, sum,
            static_cast<const Scalar*>(partial + from * columns));
    });
    std::copy_n(partial, columns, sums.data());
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
