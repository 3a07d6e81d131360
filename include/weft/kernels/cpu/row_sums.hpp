/// \file
/// Loops over the rows of a matrix that sum over each row.
///
/// Sums of terms one by one are off by at most (256 + log2(C / 256)) u sum |x| for rows of C terms
/// x, u = eps / 2; sums of packets as those of sum_packets.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/kernels/cpu/packet.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// The number of rows per task of a matrix with `columns` columns.
inline Index row_grain(Index columns) {
    return (std::max<Index>)(1, 2048 / (std::max<Index>)(1, columns));
}

/// A row of up to sum_block elements; begin and end are places in the matrix.
struct ShortRow {
    Index begin, end;

    /// The sum to which add(sum, i) adds the element at i.
    template <class Sum, class Add>
    EIGEN_ALWAYS_INLINE Sum sum(const Add& add) const {
        Sum total{};
        for (Index i = begin; i < end; ++i) add(total, i);
        return total;
    }

    /// The sum of the packets term(i, size), whose lanes from size on are 0.
    template <class Scalar, class Term>
    EIGEN_ALWAYS_INLINE Scalar sum_packets(const Term& term) const {
        return sum_lanes<Scalar>(add_packets<Scalar>(begin, end, term));
    }
};

/// The same of more elements: in blocks, and their sums in pairs.
struct LongRow {
    Index begin, end;

    template <class Sum, class Add>
    Sum sum(const Add& add) const {
        const auto block = [&](Index first, Index last, Sum& total) {
            const Add copy = add;  // which can stay in registers
            total = ShortRow{begin + first, begin + last}.sum<Sum>(copy);
        };
        return weft::detail::sum_in_pairs<Sum>(
            end - begin, weft::detail::CallReference<Index, Index, Sum&>(block), std::plus<>(),
            weft::detail::sum_block);
    }

    template <class Scalar, class Term>
    Scalar sum_packets(const Term& term) const {
        return detail::sum_packets<Scalar>(begin, end, term);
    }
};

/// Calls body(r) for each row of a (rows, columns) matrix, in parallel.
template <class Body>
void for_each_row(Cpu& cpu, Index rows, Index columns, const Body& body) {
    parallel_ranges(cpu, rows, row_grain(columns), [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) body(r);
    });
}

/// Calls body(r, row) likewise; row is a ShortRow or a LongRow. In one loop for both, rows of one
/// column took up to 1.4 times as long (Zen 4, g++ 12).
template <class Body>
void for_each_row_to_sum(Cpu& cpu, Index rows, Index columns, const Body& body) {
    const auto each = [&](auto kind) {
        for_each_row(cpu, rows, columns, [=, &body](Index r) WEFT_INLINE_LAMBDA {
            body(r, decltype(kind){r * columns, (r + 1) * columns});
        });
    };
    columns <= weft::detail::sum_block ? each(ShortRow{}) : each(LongRow{});
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
