/// \file
/// Matrix product on the CPU: the engine of Dense and of convolutions.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/kernels/cpu/matmul_packing.hpp"

#include <cassert>
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

    /// The rows from `row` on and columns from `column` on of C, no more than so many.
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

    /// C^T = B^T A^T, to be stored elsewhere, dense.
    Product swapped(Scalar* to) const {
        return {columns, rows, depth, b.transposed(), a.transposed(), to, rows};
    }
};

/// Blocks of depth that are summed one after another, each in registers, as equal as can be.
template <class Scalar>
Index depth_of_blocks(Index depth) {
    constexpr Index most = MatmulBlocking<Scalar>::block_depth;
    return depth <= most ? std::max<Index>(depth, 1) : blocks_of(depth, blocks_of(depth, most));
}

/// How one thread computes a product of a size.
template <class Scalar>
struct ProductPlan {
    using Blocking = MatmulBlocking<Scalar>;

    WEFT_NOINLINE explicit ProductPlan(Product<Scalar> p) : swap(pays_to_swap(p)) {
        if (swap) {
            piece = std::max<Index>(most_beside / p.rows / Blocking::panel_columns, 1) *
                    Blocking::panel_columns;
            beside = std::min(piece, p.columns) * p.rows;
            p = p.part(0, 0, p.rows, piece).swapped(nullptr);
        }
        depth = depth_of_blocks<Scalar>(p.depth);
        columns = std::min(round_up(p.columns, Blocking::panel_columns), Blocking::block_columns);
        pack_b = p.b.column_stride != 1 || p.rows >= Blocking::pack_from_rows;
        const bool many_panels = p.columns > Blocking::panel_columns;
        pack_a = many_panels &&
                 (p.a.column_stride != 1 ? depth >= Blocking::pack_from_depth
                                         : p.columns >= 256 && p.rows >= Blocking::pack_from_rows);
        const Index fit = Blocking::block_bytes / static_cast<Index>(sizeof(Scalar)) / depth;
        const Index most =
            std::max(fit - std::min(columns, fit / 2), Blocking::rows) / Blocking::rows;
        const Index row_blocks = blocks_of(p.rows, Blocking::rows);
        rows = blocks_of(row_blocks, blocks_of(row_blocks, most)) * Blocking::rows;
    }

    /// Elements from one row of packed A to the next; not a power of two, or all register blocks
    /// would meet in the same few lines of a cache.
    Index a_step() const { return depth + 2; }

    /// The elements of packed blocks, and with those of C^T.
    Index packed_size() const { return depth * columns + (pack_a ? rows * a_step() : 0); }
    Index scratch_size() const { return packed_size() + beside; }

    bool swap;         ///< compute C^T and transpose it
    Index piece = 0;   ///< with swap: the columns of C that are computed at once
    Index beside = 0;  ///< with swap: the elements of C^T
    bool pack_a, pack_b;
    Index rows, columns, depth;  ///< of a block

private:
    /// Elements of C^T that stay in cache until they are transposed.
    static constexpr Index most_beside = 65536;

    /// Transposing C costs less than transposing B, or than packing A, if C is the smaller.
    static bool pays_to_swap(const Product<Scalar>& p) {
        const bool plain = !p.epilogue.accumulate && p.epilogue.bias == nullptr && !p.epilogue.relu;
        if (!plain) return false;
        if (p.a.column_stride == 1 && p.b.row_stride == 1 && p.b.column_stride != 1) {
            return p.rows <= 64 && 2 * p.rows <= p.depth;
        }
        return p.a.row_stride == 1 && p.a.column_stride != 1 && p.b.column_stride == 1 &&
               2 * p.columns <= p.rows && p.depth >= 256 && p.rows * p.columns <= most_beside;
    }
};

/// The product on the calling thread, with plan.packed_size() elements of scratch.
template <class Scalar>
WEFT_NOINLINE void multiply_blocks(const Product<Scalar>& p, const ProductPlan<Scalar>& plan,
                                   Scalar* packed_b) {
    constexpr Index width = MatmulBlocking<Scalar>::panel_columns;
    Scalar* const packed_a = packed_b + plan.depth * plan.columns;
    for (Index column = 0; column < p.columns; column += plan.columns) {
        const Index columns = std::min(plan.columns, p.columns - column);
        for (Index k = 0; k == 0 || k < p.depth; k += plan.depth) {
            const Index depth = std::min(plan.depth, p.depth - k);
            const auto b = p.b.from(k, column);
            const Run whole{0, 0, depth};
            Epilogue<Scalar> epilogue = p.epilogue;
            epilogue.accumulate = epilogue.accumulate || k > 0;
            if (k + depth < p.depth) epilogue = {.accumulate = epilogue.accumulate};

            const bool stream = plan.pack_b && b.column_stride == 1;
            if (stream) pack_panels(depth, columns / width, b, packed_b);
            for (Index row = 0; row < p.rows; row += plan.rows) {
                const Index rows = std::min(plan.rows, p.rows - row);
                const auto a = p.a.from(row, k);
                RowBlocks<Scalar> blocks{a.data, a.row_stride, a.row_stride, a.column_stride};
                if (plan.pack_a) {
                    pack_row_blocks(rows, depth, a, packed_a, plan.a_step());
                    blocks = {packed_a, plan.a_step(), 1, 0};
                }
                for (Index j = 0; j < columns; j += width) {
                    const Index panel = std::min(width, columns - j);
                    const Index padded = round_up(panel, packet_size<Scalar>);
                    const bool pack = plan.pack_b || panel < padded;
                    if (pack && row == 0 && !(stream && panel == width)) {
                        pack_panel(depth, panel, padded, b.from(0, j), packed_b + j * depth);
                    }
                    Epilogue<Scalar> of_panel = epilogue;
                    if (of_panel.bias != nullptr) of_panel.bias += column + j;
                    multiply_columns(rows, panel, Runs{&whole, 1}, {}, blocks,
                                     pack ? packed_b + j * depth : b.data + j,
                                     pack ? padded : b.row_stride, p.c + row * p.c_row + column + j,
                                     p.c_row, of_panel);
                }
            }
        }
    }
}

/// The product on the calling thread, with plan.scratch_size() elements of scratch.
template <class Scalar>
WEFT_NOINLINE void multiply(const Product<Scalar>& p, const ProductPlan<Scalar>& plan,
                            Scalar* scratch) {
    if (!plan.swap) return multiply_blocks(p, plan, scratch);
    Scalar* const c = scratch + plan.packed_size();
    for (Index column = 0; column < p.columns; column += plan.piece) {
        const Product<Scalar> piece = p.part(0, column, p.rows, plan.piece);
        multiply_blocks(piece.swapped(c), plan, scratch);
        transpose(piece.columns, piece.rows, c, piece.rows, piece.c, piece.c_row);
    }
}

/// The grid of parts that C is cut into, one a thread, of whole register blocks.
struct ProductGrid {
    Index rows, columns;            ///< of the grid
    Index part_rows, part_columns;  ///< of a part
};

/// The grid, of no more parts than threads, whose parts read the least: the one nearest to squares.
template <class Scalar>
WEFT_NOINLINE ProductGrid product_grid(Index rows, Index columns, Index depth, int threads) {
    // Below some 10 microseconds of work, another thread costs more than it does.
    constexpr Index least_products = Index{1} << 19;
    const Index parts = std::clamp<Index>(rows * columns * depth / least_products, 1, threads);
    constexpr Index height = MatmulBlocking<Scalar>::rows, step = packet_size<Scalar>;
    ProductGrid best{1, 1, round_up(rows, height), round_up(columns, step)};
    Index least = std::numeric_limits<Index>::max();
    for (Index across = 1; across <= parts; ++across) {
        const Index down = parts / across;
        const Index part_rows = round_up(blocks_of(rows, down), height);
        const Index part_columns = round_up(blocks_of(columns, across), step);
        // The slowest part decides; among equals, the one that reads least.
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

/// C = epilogue(A B) on the calling thread, B packed by pack_rows.
///
///   A (rows, depth)   B (depth, columns)   C (rows, columns), its rows c_row_stride apart
template <class Scalar>
WEFT_NOINLINE void multiply_packed(Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
                                   const Scalar* packed, Scalar* c, Index c_row_stride,
                                   const Epilogue<Scalar>& epilogue = {}) {
    constexpr Index width = detail::MatmulBlocking<Scalar>::panel_columns;
    const detail::Run whole{0, 0, depth};
    const detail::RowBlocks<Scalar> blocks{a.data, a.row_stride, a.row_stride, a.column_stride};
    Epilogue<Scalar> of_panel = epilogue;
    for (Index column = 0; column < columns; column += width) {
        detail::multiply_columns(rows, std::min(width, columns - column), detail::Runs{&whole, 1},
                                 {}, blocks, packed + column * depth, width, c + column,
                                 c_row_stride, of_panel);
        if (of_panel.bias != nullptr) of_panel.bias += width;
    }
}

/// C = epilogue(A B).
///
///   A (rows, depth)   B (depth, columns), through any strides but 0   C (rows, columns),
///   row-major
///
/// Each element is summed over depth in one order, whatever the sizes of A and C and the number of
/// threads, so a row of C has the same bits alone and within a batch. C must not overlap A or B.
template <class Scalar>
WEFT_NOINLINE void matmul(Cpu& cpu, Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
                          MatrixOperand<Scalar> b, Scalar* c, Index c_row_stride,
                          const Epilogue<Scalar>& epilogue = {}) {
    if (rows == 0 || columns == 0) return;
    assert(depth == 0 || (a.column_stride != 0 && b.row_stride != 0 && b.column_stride != 0));
    const detail::Product<Scalar> all{rows, columns, depth, a, b, c, c_row_stride, epilogue};
    const detail::ProductGrid grid =
        detail::product_grid<Scalar>(rows, columns, depth, cpu.threads());
    const detail::ProductPlan<Scalar> plan(all.part(0, 0, grid.part_rows, grid.part_columns));
    const Index parts = grid.rows * grid.columns;
    auto* const scratch = reinterpret_cast<Scalar*>(
        cpu.scratch(static_cast<std::size_t>(parts * plan.scratch_size()) * sizeof(Scalar)));
    // Scratch by part, not by worker: there may be more workers than parts.
    parallel_for(cpu, parts, [&](Index part, int) {
        multiply(
            all.part(part / grid.columns * grid.part_rows, part % grid.columns * grid.part_columns,
                     grid.part_rows, grid.part_columns),
            plan, scratch + part * plan.scratch_size());
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
