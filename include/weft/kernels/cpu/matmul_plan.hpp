/// \file
/// The partition of a matrix product: parts for threads, blocks for caches.
#pragma once

#include "weft/kernels/cpu/matmul_packing.hpp"

#include <limits>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// C = epilogue(A B):   A (rows, depth)   B (depth, columns)   C (rows, columns), its rows c_row
/// elements apart.
template <class Scalar>
struct Product {
    Index rows, columns, depth;
    MatrixOperand<Scalar> a, b;
    Scalar* c;
    Index c_row;
    Epilogue<Scalar> epilogue = {};

    /// The part of C from `row` and `column` on, with at most the given numbers of rows and
    /// columns.
    Product part(Index row, Index column, Index most_rows, Index most_columns) const {
        Product p = *this;
        p.rows = std::clamp<Index>(rows - row, 0, most_rows);
        p.columns = std::clamp<Index>(columns - column, 0, most_columns);
        p.a = a.from(row, 0);
        p.b = b.from(0, column);
        p.c = c + row * c_row + column;
        if (epilogue.bias != nullptr) p.epilogue.bias += column;
        return p;
    }

    /// The products from k on, at most `depth` per sum, stored elsewhere, dense.
    Product of_depth(Index k, Index most_depth, Scalar* to) const {
        return {rows, columns, (std::min)(depth - k, most_depth), a.from(0, k), b.from(k, 0),
                to,   columns};
    }

    /// C^T = B^T A^T, stored elsewhere, dense.
    Product swapped(Scalar* to) const {
        return {columns, rows, depth, b.transposed(), a.transposed(), to, rows};
    }
};

/// How one thread computes a product of a given size.
template <class Scalar>
struct ProductPlan {
    using Blocking = MatmulBlocking<Scalar>;

    WEFT_NOINLINE explicit ProductPlan(Product<Scalar> p) : swap(pays_to_swap(p)) {
        const Index size = p.rows * p.columns;
        if (swap) {
            piece = (std::max<Index>)(most_beside / p.rows / Blocking::panel_columns, 1) *
                    Blocking::panel_columns;
            beside = (std::min)(piece, p.columns) * p.rows;
            p = p.part(0, 0, p.rows, piece).swapped(nullptr);
        }
        depth = depth_of_blocks<Scalar>(p.depth);
        for (Index blocks = blocks_of(p.depth, depth); blocks > most_blocks; blocks -= blocks / 2) {
            halves += size;
        }
        columns = (std::min)(round_up(p.columns, Blocking::panel_columns), Blocking::block_columns);
        pack_b = p.b.column_stride != 1 || p.rows >= Blocking::pack_from_rows;
        const bool many_panels = p.columns > Blocking::panel_columns;
        // 256 columns (Zen 4): packing rows of A is 13 % slower for 64 columns, 6 % for 128, 3 % for
        // 256, alike for 512; but 6 to 11 % faster if a row of A has 1024, 2048 or 4096 elements.
        pack_a = many_panels &&
                 (p.a.column_stride != 1 ? depth >= Blocking::pack_from_depth
                                         : p.columns >= 256 && p.rows >= Blocking::pack_from_rows);
        const Index fit = Blocking::block_bytes / static_cast<Index>(sizeof(Scalar)) / depth;
        const Index most =
            (std::max)(fit - (std::min)(columns, fit / 2), Blocking::rows) / Blocking::rows;
        const Index row_blocks = blocks_of(p.rows, Blocking::rows);
        rows = blocks_of(row_blocks, blocks_of(row_blocks, most)) * Blocking::rows;
    }

    /// Elements from one row of packed A to the next; not a power of two, or all register blocks
    /// would meet in the same few lines of a cache.
    Index a_step() const { return depth + 2; }

    /// The elements of packed blocks, and with those of C^T and of halves of C.
    Index packed_size() const { return depth * columns + (pack_a ? rows * a_step() : 0); }
    Index scratch_size() const { return packed_size() + beside + halves; }

    /// Blocks of depth whose sums are added one after another. A deeper product is halved.
    static constexpr Index most_blocks = weft::detail::sum_block;

    bool swap;         ///< compute C^T and transpose it
    Index piece = 0;   ///< with swap: the columns of C that are computed at once
    Index beside = 0;  ///< with swap: the elements of C^T
    Index halves = 0;  ///< the elements of the second halves of sums of a long depth
    bool pack_a, pack_b;
    Index rows, columns, depth;  ///< of a block

private:
    /// Elements of C^T that stay in cache until they are transposed.
    static constexpr Index most_beside = 65536;

    /// Transposing C costs less than transposing B, or than packing A, if C is the smaller. The rows of
    /// C are columns of C^T: they have to fill packets.
    ///
    /// Whole packets, up to 64 rows (Zen 4, packets of 16, depths of 128 and 256): swapped, 16 and 32
    /// rows are 7 and 20 % faster, 48 and 64 rows 2 and 8 %; 4, 8 and 12 rows are 1.7, 1.37 and 1.1
    /// times slower, 20, 24, 28, 40 and 56 rows 1.6, 1.4, 1.25, 1.13 and 1.2 times. 100 rows are 9 %
    /// slower, 128 4 % faster.
    /// A depth of 256: for 10 columns it is 30 % faster at any depth; for 64 columns 14 % slower at
    /// 32, alike from 128 on; for 128 columns 6 % slower at 128, 4 % at 256, 1 % at 500.
    static bool pays_to_swap(const Product<Scalar>& p) {
        const bool plain = !p.epilogue.accumulate && p.epilogue.bias == nullptr && !p.epilogue.relu;
        if (!plain) return false;
        if (p.a.column_stride == 1 && p.b.row_stride == 1 && p.b.column_stride != 1) {
            return p.rows <= 64 && 2 * p.rows <= p.depth && p.rows % packet_size<Scalar> == 0;
        }
        return p.a.row_stride == 1 && p.a.column_stride != 1 && p.b.column_stride == 1 &&
               2 * p.columns <= p.rows && p.depth >= 256 && p.rows * p.columns <= most_beside;
    }
};

/// Below some 10 microseconds of work, another thread costs more than it saves.
inline constexpr Index least_products_of_part = Index{1} << 19;

/// Whether threads read less if they share the depth than if they share C: for few rows, when B is
/// most of the data. Training of `mlp` at batch 32 is 8 % faster so with two threads
/// (Zen 4): each reads the rows of the weights that it updated itself. A product that is repeated
/// alone is 8 % slower so for 32 and 64 rows, 11 % for 96 and 128.
template <class Scalar>
bool pays_to_split_depth(const Product<Scalar>& p) {
    const Index blocks = blocks_of(p.depth, depth_of_blocks<Scalar>(p.depth));
    return p.rows <= 64 && blocks > 1 && blocks <= ProductPlan<Scalar>::most_blocks &&
           p.rows * p.columns * p.depth >= 2 * least_products_of_part;
}

/// The grid of parts that C is cut into, one a thread, of whole register blocks.
struct ProductGrid {
    Index rows, columns;            ///< of the grid
    Index part_rows, part_columns;  ///< of a part
};

/// The grid, of no more parts than threads, whose parts read the least: the one nearest to squares.
template <class Scalar>
WEFT_NOINLINE ProductGrid product_grid(Index rows, Index columns, Index depth, int threads) {
    const Index parts =
        std::clamp<Index>(rows * columns * depth / least_products_of_part, 1, threads);
    constexpr Index height = MatmulBlocking<Scalar>::rows, step = packet_size<Scalar>;
    ProductGrid best{1, 1, round_up(rows, height), round_up(columns, step)};
    Index least = (std::numeric_limits<Index>::max)();
    for (Index across = 1; across <= parts; ++across) {
        const Index down = parts / across;
        const Index part_rows = round_up(blocks_of(rows, down), height);
        const Index part_columns = round_up(blocks_of(columns, across), step);
        // The slowest part decides; among equals, the one that reads least. 64: 1 and 4096 are alike
        // to 1 % with two threads (Zen 4).
        const Index cost = part_rows * part_columns * 64 + part_rows + part_columns;
        if (cost < least) {
            least = cost;
            best = {blocks_of(rows, part_rows), blocks_of(columns, part_columns), part_rows,
                    part_columns};
        }
    }
    return best;
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
