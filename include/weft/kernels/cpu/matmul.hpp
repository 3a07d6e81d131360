/// \file
/// Matrix product on the CPU, used by Dense and convolutions.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/kernels/cpu/matmul_plan.hpp"
#include "weft/kernels/cpu/matmul_sums.hpp"

#include <cassert>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// The product on the calling thread, with plan.packed_size() elements of scratch.
template <class Scalar>
WEFT_NOINLINE void multiply_blocks(const Product<Scalar>& p, const ProductPlan<Scalar>& plan,
                                   Scalar* packed_b) {
    constexpr Index width = MatmulBlocking<Scalar>::panel_columns;
    Scalar* const packed_a = packed_b + plan.depth * plan.columns;
    for (Index column = 0; column < p.columns; column += plan.columns) {
        const Index columns = (std::min)(plan.columns, p.columns - column);
        for (Index k = 0; k == 0 || k < p.depth; k += plan.depth) {
            const Index depth = (std::min)(plan.depth, p.depth - k);
            const auto b = p.b.from(k, column);
            const Run whole{0, 0, depth};
            const auto epilogue = p.epilogue.of_part(k == 0, k + depth >= p.depth);

            const bool stream = plan.pack_b && b.column_stride == 1;
            if (stream) pack_panels(depth, columns / width, b, packed_b);
            for (Index row = 0; row < p.rows; row += plan.rows) {
                const Index rows = (std::min)(plan.rows, p.rows - row);
                const auto a = p.a.from(row, k);
                RowBlocks<Scalar> blocks{a.data, a.row_stride, a.row_stride, a.column_stride};
                if (plan.pack_a) {
                    pack_row_blocks(rows, depth, a, packed_a, plan.a_step());
                    blocks = {packed_a, plan.a_step(), 1, 0};
                }
                for (Index j = 0; j < columns; j += width) {
                    const Index panel = (std::min)(width, columns - j);
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

/// The same, but a product of a long depth is the sum of its halves. The second halves are summed
/// in `halves`, of plan.halves elements.
template <class Scalar>
WEFT_NOINLINE void multiply_halves(const Product<Scalar>& p, const ProductPlan<Scalar>& plan,
                                   Scalar* scratch, Scalar* halves) {
    const Index blocks = blocks_of(p.depth, plan.depth);
    if (blocks <= plan.most_blocks) return multiply(p, plan, scratch);
    const Index middle = blocks / 2 * plan.depth;
    Product<Scalar> first = p;
    first.depth = middle;
    first.epilogue = {.accumulate = p.epilogue.accumulate};
    multiply_halves(first, plan, scratch, halves);
    multiply_halves(p.of_depth(middle, p.depth, halves), plan, scratch,
                    halves + p.rows * p.columns);
    Product<Scalar> whole = p;
    whole.epilogue.accumulate = true;
    add_products<Scalar>(whole, halves, 1);
}

/// The product on threads that share the depth. Its blocks are those of one thread, and so are the
/// bits.
template <class Scalar>
WEFT_NOINLINE void multiply_by_depth(Cpu& cpu, const Product<Scalar>& p) {
    const Index block = depth_of_blocks<Scalar>(p.depth), blocks = blocks_of(p.depth, block);
    const Index size = p.rows * p.columns, threads = cpu.threads();
    // The columns are cut too, so that the threads have the same number of tasks.
    Index across = 1;
    while (blocks * across % threads != 0) ++across;
    const Index part_columns =
        round_up(blocks_of(p.columns, across), MatmulBlocking<Scalar>::panel_columns);
    const Index parts = blocks_of(p.columns, part_columns);
    const auto task = [&](Index i, Scalar* sums) {
        const Index k = i / parts;
        return p.of_depth(k * block, block, sums + k * size)
            .part(0, i % parts * part_columns, p.rows, part_columns);
    };
    const ProductPlan<Scalar> plan(task(0, nullptr));
    const auto memory = cpu.scratch<Scalar>(blocks * size + threads * plan.scratch_size());
    Scalar* const sums = memory.data();
    Scalar* const scratch = sums + blocks * size;
    parallel_for(cpu, blocks * parts, [&](Index i, int worker) {
        multiply(task(i, sums), plan, scratch + worker * plan.scratch_size());
    });
    add_products<Scalar>(p, sums, blocks);
}

}  // namespace detail

/// C = epilogue(A B) on the calling thread, B packed by pack_rows; summed as depth_of_chains
/// says.
///
///   A (rows, depth)   B (depth, columns)   C (rows, columns), its rows c_row_stride apart
template <class Scalar>
WEFT_NOINLINE void multiply_packed(Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
                                   const Scalar* packed, Scalar* c, Index c_row_stride,
                                   const Epilogue<Scalar>& epilogue = {}) {
    if (rows == 0) return;  // c may be null
    constexpr Index width = detail::MatmulBlocking<Scalar>::panel_columns;
    const detail::RowBlocks<Scalar> blocks{a.data, a.row_stride, a.row_stride, a.column_stride};
    const Index chain = detail::depth_of_chains<Scalar>(depth);
    Epilogue<Scalar> of_panel = epilogue;
    for (Index column = 0; column < columns; column += width) {
        for (Index k = 0; k == 0 || k < depth; k += chain) {
            const detail::Run run{k * a.column_stride, k * width, (std::min)(chain, depth - k)};
            detail::multiply_columns(rows, (std::min)(width, columns - column),
                                     detail::Runs{&run, 1}, {}, blocks, packed + column * depth,
                                     width, c + column, c_row_stride,
                                     of_panel.of_part(k == 0, k + chain >= depth));
        }
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
///
/// Blocks of 384 products are summed one after another, 256 blocks too, and what is deeper in
/// halves: off by at most (384 + min(depth / 384, 256) + log2(depth / 98304)) u (|A| |B|)_ij,
/// u = eps / 2. That is 3.9e-5 of |A| |B| in float for a depth of 10^8.
template <class Scalar>
WEFT_NOINLINE void matmul(Cpu& cpu, Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
                          MatrixOperand<Scalar> b, Scalar* c, Index c_row_stride,
                          const Epilogue<Scalar>& epilogue = {}) {
    if (rows == 0 || columns == 0) return;
    if (depth == 0) a.data = b.data = c;  // may be null; nothing is read, but offsets are added
    assert(depth == 0 || (a.column_stride != 0 && b.row_stride != 0 && b.column_stride != 0));
    const detail::Product<Scalar> all{rows, columns, depth, a, b, c, c_row_stride, epilogue};
    if (has_openmp && cpu.threads() > 1 && detail::pays_to_split_depth(all)) {
        return detail::multiply_by_depth(cpu, all);
    }
    const detail::ProductGrid grid =
        detail::product_grid<Scalar>(rows, columns, depth, cpu.threads());
    const detail::ProductPlan<Scalar> plan(all.part(0, 0, grid.part_rows, grid.part_columns));
    const Index parts = grid.rows * grid.columns;
    const auto memory = cpu.scratch<Scalar>(parts * plan.scratch_size());
    Scalar* const scratch = memory.data();
    // Scratch by part, not by worker: there may be more workers than parts.
    parallel_for(cpu, parts, [&](Index part, int) {
        Scalar* const own = scratch + part * plan.scratch_size();
        detail::multiply_halves(
            all.part(part / grid.columns * grid.part_rows, part % grid.columns * grid.part_columns,
                     grid.part_rows, grid.part_columns),
            plan, own, own + plan.packed_size() + plan.beside);
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
