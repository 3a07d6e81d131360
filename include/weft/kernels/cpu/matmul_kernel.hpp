/// \file
/// The inner loops of the matrix product: blocks of C that are summed in registers.
#pragma once

#include "weft/kernels/cpu/matmul_blocking.hpp"

#include <utility>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// The epilogue of a sum of products s, applied in registers before it is stored as element (i, j)
/// of C:
///   c = act(s + bias_j)  or, with accumulate,  c = act(c + s + bias_j),   act: relu or linear.
template <class Scalar>
struct Epilogue {
    bool accumulate = false;
    const Scalar* bias = nullptr;  ///< one element per column, or null
    bool relu = false;

    /// The epilogue of one part of a sum whose parts are added one after another.
    Epilogue of_part(bool is_first, bool is_last) const {
        Epilogue part{.accumulate = accumulate || !is_first};
        if (is_last) part.bias = bias, part.relu = relu;
        return part;
    }
};

namespace detail {

/// A run of a sum of products: `depth` columns of A and rows of B, from the given offsets on.
struct Run {
    Index a, b, depth;
};

/// A sum of products as its runs, one after another.
struct Runs {
    const Run* first;
    Index count;

    const Run* begin() const { return first; }
    const Run* end() const { return first + count; }
};

/// Rows of A as the register blocks read them: element (i, k) of the block that starts at row r is
/// data[r * block_step + i * row_step + k * column_step]. Packed, with the rows of a block side by
/// side, column_step is 0 and stands for the number of rows of the block.
template <class Scalar>
struct RowBlocks {
    const Scalar* data;
    Index block_step, row_step, column_step;

    using Heights = std::integer_sequence<Index, MatmulBlocking<Scalar>::rows, 4, 3, 2, 1>;
    /// Rows of an unpacked B are far apart, which the processor's own prefetching does not follow.
    static constexpr bool prefetch_b = true;

    /// The rows of one block: element (i, k) is data[offset(i) + k * column_step].
    struct Block {
        const Scalar* data;
        Index row_step, column_step;

        EIGEN_ALWAYS_INLINE Index offset(Index i) const { return i * row_step; }
    };

    template <Index Rows>
    EIGEN_ALWAYS_INLINE Block block(Index row) const {
        return {data + row * block_step, row_step, column_step == 0 ? Rows : column_step};
    }
};

/// Rows of A that begin anywhere: element (i, k) is data[offsets[i] + k * column_step].
template <class Scalar>
struct OffsetRows {
    const Scalar* data;
    const Index* offsets;
    Index column_step;

    /// Without heights that windows hardly ever leave over.
    using Heights = std::integer_sequence<Index, MatmulBlocking<Scalar>::offset_rows, 4, 3, 1>;
    /// The offsets take the registers that it needs.
    static constexpr bool prefetch_b = false;

    /// Like that of RowBlocks; its first offset is the constant 0.
    template <Index Rows>
    struct Block {
        const Scalar* data;
        Index column_step;
        Index offsets[std::size_t{Rows}];

        EIGEN_ALWAYS_INLINE Index offset(Index i) const { return i == 0 ? 0 : offsets[i]; }
    };

    template <Index Rows>
    EIGEN_ALWAYS_INLINE Block<Rows> block(Index row) const {
        Block<Rows> result{data + offsets[row], column_step, {}};
        for (Index i = 1; i < Rows; ++i) result.offsets[i] = offsets[row + i] - offsets[row];
        return result;
    }
};

/// The number of repetitions of a product with the same runs, and the steps of A and C between
/// them.
struct Repeats {
    Index count = 1, a_step = 0, c_step = 0;
};

/// The number of rows for blocks of the given height: as many as fit. But if blocks of 6 would
/// leave one or two rows, blocks of 4 take the last 7 or 8, since one or two rows take as long as
/// four.
constexpr Index rows_in_blocks(Index height, Index rows) {
    const Index left = rows % height;
    const bool are_halved = height == 6 && rows > height && (left == 1 || left == 2);
    return rows - left - (are_halved ? height : 0);
}

/// The number of rows of the first block when `rows` rows are cut into blocks.
template <class Scalar>
constexpr Index block_height(Index rows) {
    constexpr Index most = MatmulBlocking<Scalar>::rows;
    if (rows_in_blocks(most, rows) > 0) return most;
    return rows >= 4 ? 4 : rows;
}

/// C[Rows, Packets * packet_size] from the runs of A and B, all loads of B whole packets. Of a
/// single packet only `width` columns of C are there. `next_block`, the first row of another block of
/// C, is prefetched for writing while the sums are computed.
template <Index Rows, Index Packets, bool PrefetchB, class BlockOfA, class Scalar>
EIGEN_ALWAYS_INLINE void multiply_block(Runs runs, const BlockOfA& a, const Scalar* b, Index b_row,
                                        Scalar* c, Index c_row, const Scalar* next_block,
                                        Index width, const Epilogue<Scalar>& epilogue) {
    constexpr Index step = packet_size<Scalar>;
    const auto load_columns = [&](const Scalar* x, Index p) {
        return Packets == 1 ? load_partial(x, width) : load(x + p * step);
    };

    for (Index i = 0; i < Rows; ++i) {
        for (Index p = 0; p < Packets; ++p)
            WEFT_PREFETCH_TO_WRITE(next_block + i * c_row + p * step);
    }
    // 24 rows, of a B in place. If B has 4 MiB, for 64 rows of C: none are 15 % slower, 6 are 3 %, 96
    // are 2 %. If B is in L2, a single row of C is 20 % faster without; several are alike (Zen 4).
    const Index ahead = b_row > Packets * step ? 24 * b_row : 0;
    Packet<Scalar> sums[std::size_t{Rows}][std::size_t{Packets}];
    for (auto& row : sums) {
        for (auto& packet : row) packet = broadcast(Scalar(0));
    }
    for (const Run& run : runs) {
        const Scalar* a_k = a.data + run.a;
        const Scalar* b_k = b + run.b;
        for (Index k = 0; k < run.depth; ++k, a_k += a.column_step, b_k += b_row) {
            Packet<Scalar> b_packets[std::size_t{Packets}];
            for (Index p = 0; p < Packets; ++p) {
                if constexpr (PrefetchB) WEFT_PREFETCH(b_k + ahead + p * step);
                b_packets[p] = load(b_k + p * step);
                // Otherwise compilers load it once more for each row.
                WEFT_KEEP_IN_REGISTER(b_packets[p]);
            }
            for (Index i = 0; i < Rows; ++i) {
                auto a_packet = broadcast(a_k[a.offset(i)]);
                WEFT_KEEP_IN_REGISTER(a_packet);
                for (Index p = 0; p < Packets; ++p) {
                    sums[i][p] = pmadd(a_packet, b_packets[p], sums[i][p]);
                }
            }
        }
    }

    // Loops of constant length over the array alone keep it in registers.
    if (epilogue.accumulate) {
        for (Index i = 0; i < Rows; ++i) {
            for (Index p = 0; p < Packets; ++p) {
                sums[i][p] = padd(load_columns(c + i * c_row, p), sums[i][p]);
            }
        }
    }
    if (epilogue.bias != nullptr) {
        for (Index p = 0; p < Packets; ++p) {
            const auto bias = load_columns(epilogue.bias, p);
            for (Index i = 0; i < Rows; ++i) sums[i][p] = padd(sums[i][p], bias);
        }
    }
    if (epilogue.relu) {
        for (Index i = 0; i < Rows; ++i) {
            for (Index p = 0; p < Packets; ++p) sums[i][p] = relu<Scalar>(sums[i][p]);
        }
    }
    for (Index i = 0; i < Rows; ++i) {
        for (Index p = 0; p < Packets; ++p) {
            Scalar* const target = c + i * c_row + p * step;
            if constexpr (Packets == 1) {
                store_partial(target, sums[i][p], width);
            } else {
                store(target, sums[i][p]);
            }
        }
    }
}

/// One panel of C, all its rows: Packets packets wide, or of a single packet the first width
/// columns. B's rows are readable up to a whole packet. A is RowBlocks or OffsetRows, and its blocks
/// have those heights, the first ones as often as they fit and pay.
template <Index Packets, Index... Heights, class RowsOfA, class Scalar>
WEFT_FLATTEN WEFT_NOINLINE void multiply_panel(std::integer_sequence<Index, Heights...>, Index rows,
                                               Index width, Runs runs, Repeats repeats, RowsOfA a,
                                               const Scalar* b, Index b_row, Scalar* c, Index c_row,
                                               Epilogue<Scalar> epilogue) {
    // A long sum leaves time to fetch its own block of C, a short one that of the next. 64: on Zen 4,
    // always the one or the other is within 1 %, for products and convolutions of depths 9 to 300.
    const bool is_long = runs.count > 0 && runs.count * runs.first->depth >= 64;
    for (Index r = 0; r < repeats.count; ++r, a.data += repeats.a_step, c += repeats.c_step) {
        Index i = 0;
        const auto multiply_blocks_of =
            [&]<Index Rows>(std::integral_constant<Index, Rows>) WEFT_INLINE_LAMBDA {
                for (const Index end = i + rows_in_blocks(Rows, rows - i); i < end; i += Rows) {
                    Scalar* const block = c + i * c_row;
                    const Scalar* const next =
                        i + Rows < rows ? block + Rows * c_row : c + repeats.c_step;
                    multiply_block<Rows, Packets, RowsOfA::prefetch_b>(
                        runs, a.template block<Rows>(i), b, b_row, block, c_row,
                        is_long ? block : next, width, epilogue);
                }
            };
        (multiply_blocks_of(std::integral_constant<Index, Heights>{}), ...);
    }
}

/// The same for 1 to panel_columns columns.
template <class RowsOfA, class Scalar>
WEFT_NOINLINE void multiply_columns(Index rows, Index columns, Runs runs, Repeats repeats,
                                    const RowsOfA& a, const Scalar* b, Index b_row, Scalar* c,
                                    Index c_row, Epilogue<Scalar> epilogue) {
    using Blocking = MatmulBlocking<Scalar>;
    constexpr typename RowsOfA::Heights heights;
    if (columns == Blocking::panel_columns) {
        return multiply_panel<Blocking::packets>(heights, rows, columns, runs, repeats, a, b, b_row,
                                                 c, c_row, epilogue);
    }
    constexpr Index step = packet_size<Scalar>;
    for (Index j = 0; j < columns; j += step) {
        multiply_panel<1>(heights, rows, (std::min)(step, columns - j), runs, repeats, a, b + j,
                          b_row, c + j, c_row, epilogue);
        if (epilogue.bias != nullptr) epilogue.bias += step;
    }
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
