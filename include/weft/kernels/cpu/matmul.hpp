/// \file
/// Matrix product on the CPU: the engine of Dense and of convolutions.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/kernels/cpu/packet.hpp"

#include <utility>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// A matrix operand: element (i, j) is data[i * row_stride + j * column_stride].
template <class Scalar>
struct MatrixOperand {
    const Scalar* data;
    Index row_stride;
    Index column_stride;

    MatrixOperand transposed() const { return {data, column_stride, row_stride}; }
};

/// A dense row-major matrix with that many columns.
template <class Scalar>
MatrixOperand<Scalar> row_major(const Scalar* data, Index columns) {
    return {data, columns, 1};
}

namespace detail {

// The product is computed in tiles of C of block_rows x panel_columns. A tile is cut into register
// blocks of a few rows by two packets, each of which sums block_depth products at a time while a
// panel of B, block_depth x panel_columns, stays in the first-level cache.
template <class Scalar>
struct MatmulBlocking {
    static constexpr Index packets = 2;
    static constexpr Index rows = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 8 : 4;
    static constexpr Index panel_columns = packets * packet_size<Scalar>;
    static constexpr Index block_rows = 256;
    static constexpr Index block_depth = 256;
    /// From so many rows on, a panel of B is used often enough to pay for packing it.
    static constexpr Index pack_from_rows = 64;
};

/// C[Rows, Packets * packet_size] (+)= A[Rows, depth] * B[depth, ...], B's rows contiguous.
template <Index Rows, Index Packets, class Scalar>
WEFT_NOINLINE void multiply_block(Index depth, const Scalar* a, Index a_row, Index a_column,
                                  const Scalar* b, Index b_row, Scalar* c, Index c_row,
                                  bool accumulate) {
    constexpr Index step = packet_size<Scalar>;
    Packet<Scalar> sums[std::size_t{Rows}][std::size_t{Packets}];
    for (auto& row : sums) {
        for (auto& packet : row) packet = broadcast(Scalar(0));
    }
    for (Index k = 0; k < depth; ++k, a += a_column, b += b_row) {
        Packet<Scalar> b_packets[std::size_t{Packets}];
        for (Index p = 0; p < Packets; ++p) b_packets[p] = load(b + p * step);
        for (Index i = 0; i < Rows; ++i) {
            const auto a_packet = broadcast(a[i * a_row]);
            for (Index p = 0; p < Packets; ++p) {
                sums[i][p] = Eigen::internal::pmadd(a_packet, b_packets[p], sums[i][p]);
            }
        }
    }
    for (Index i = 0; i < Rows; ++i, c += c_row) {
        for (Index p = 0; p < Packets; ++p) {
            Scalar* const target = c + p * step;
            if (accumulate) sums[i][p] = Eigen::internal::padd(load(target), sums[i][p]);
            store(target, sums[i][p]);
        }
    }
}

/// C[rows, columns] (+)= block, whose rows are `width` apart.
template <class Scalar>
WEFT_NOINLINE void write_block(Index rows, Index columns, const Scalar* block, Index width,
                               Scalar* c, Index c_row, bool accumulate) {
    for (Index i = 0; i < rows; ++i, block += width, c += c_row) {
        for (Index j = 0; j < columns; ++j) c[j] = accumulate ? c[j] + block[j] : block[j];
    }
}

/// One panel of C: all its rows, in register blocks of 8, 4, 2 and 1 rows. A panel that is not a
/// whole number of packets wide is computed beside C.
template <Index Packets, class Scalar>
void multiply_panel(Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
                    const Scalar* b, Index b_row, Scalar* c, Index c_row, bool accumulate) {
    constexpr Index width = Packets * packet_size<Scalar>;
    Index i = 0;
    const auto blocks_of = [&]<Index Rows>(std::integral_constant<Index, Rows>) {
        for (; i + Rows <= rows; i += Rows) {
            const Scalar* const a_block = a.data + i * a.row_stride;
            Scalar* const c_block = c + i * c_row;
            if (columns == width) {
                multiply_block<Rows, Packets>(depth, a_block, a.row_stride, a.column_stride, b,
                                              b_row, c_block, c_row, accumulate);
            } else {
                Scalar block[std::size_t{Rows * width}];
                multiply_block<Rows, Packets>(depth, a_block, a.row_stride, a.column_stride, b,
                                              b_row, block, width, false);
                write_block(Rows, columns, block, width, c_block, c_row, accumulate);
            }
        }
    };
    blocks_of(std::integral_constant<Index, MatmulBlocking<Scalar>::rows>{});
    if constexpr (MatmulBlocking<Scalar>::rows > 4) blocks_of(std::integral_constant<Index, 4>{});
    blocks_of(std::integral_constant<Index, 2>{});
    blocks_of(std::integral_constant<Index, 1>{});
}

/// C[rows, columns] (+)= A[rows, depth] * B[depth, columns] for at most one panel of columns. B's
/// rows are readable up to a whole packet.
template <class Scalar>
WEFT_NOINLINE void multiply_columns(Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
                                    const Scalar* b, Index b_row, Scalar* c, Index c_row,
                                    bool accumulate) {
    if (columns > packet_size<Scalar>) {
        multiply_panel<2>(rows, columns, depth, a, b, b_row, c, c_row, accumulate);
    } else {
        multiply_panel<1>(rows, columns, depth, a, b, b_row, c, c_row, accumulate);
    }
}

/// Copies B[depth, columns] into rows of `width` contiguous elements, padded with zeros.
template <class Scalar>
WEFT_NOINLINE void pack_panel(Index depth, Index columns, Index width, MatrixOperand<Scalar> b,
                              Scalar* packed) {
    if (columns < width) std::fill_n(packed, depth * width, Scalar(0));
    if (b.column_stride == 1) {
        for (Index k = 0; k < depth; ++k) {
            std::copy_n(b.data + k * b.row_stride, columns, packed + k * width);
        }
    } else {
        for (Index j = 0; j < columns; ++j) {
            const Scalar* column = b.data + j * b.column_stride;
            for (Index k = 0; k < depth; ++k) packed[k * width + j] = column[k * b.row_stride];
        }
    }
}

}  // namespace detail

/// The elements that pack_rows writes for a matrix of that many rows (depth) and columns.
template <class Scalar>
Index packed_size(Index depth, Index columns) {
    constexpr Index width = detail::MatmulBlocking<Scalar>::panel_columns;
    return (columns + width - 1) / width * width * depth;
}

/// Copies rows [first, first + rows) of a matrix of that depth and columns into panels of a few
/// columns each, padded with zeros, in which the product reads it fastest. b is the first of those
/// rows. Pays when one matrix meets many others.
template <class Scalar>
void pack_rows(Index depth, Index first, Index rows, Index columns, MatrixOperand<Scalar> b,
               Scalar* packed) {
    constexpr Index width = detail::MatmulBlocking<Scalar>::panel_columns;
    for (Index column = 0; column < columns; column += width) {
        const MatrixOperand<Scalar> panel{b.data + column * b.column_stride, b.row_stride,
                                          b.column_stride};
        detail::pack_panel(rows, std::min(width, columns - column), width, panel,
                           packed + column * depth + first * width);
    }
}

/// C = A B  or, with accumulate, C += A B, on the calling thread, B packed by pack_rows.
///
///   A (rows, depth)   B (depth, columns)   C (rows, columns), its rows c_row_stride apart
template <class Scalar>
void multiply_packed(Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
                     const Scalar* packed, Scalar* c, Index c_row_stride, bool accumulate) {
    using Blocking = detail::MatmulBlocking<Scalar>;
    constexpr Index width = Blocking::panel_columns;
    for (Index k = 0; k == 0 || k < depth; k += Blocking::block_depth) {
        const Index block_depth = std::min(Blocking::block_depth, depth - k);
        const MatrixOperand<Scalar> block_a{a.data + k * a.column_stride, a.row_stride,
                                            a.column_stride};
        for (Index column = 0; column < columns; column += width) {
            const Index panel_columns = std::min(width, columns - column);
            const Scalar* const panel = packed + column * depth + k * width;
            detail::multiply_columns(rows, panel_columns, block_depth, block_a, panel, width,
                                     c + column, c_row_stride, accumulate || k > 0);
        }
    }
}

/// C = A B  or, with accumulate, C += A B.
///
///   A (rows, depth)   B (depth, columns), either through any strides   C (rows, columns),
///   row-major
///
/// Each element is summed over depth in one order, whatever the sizes of A and C and the number of
/// threads, so a row of C has the same bits alone and within a batch. After a tile of C is
/// complete, while it is in cache, epilogue(tile, rows, columns, first_column) may transform it in
/// place; the tile's rows are c_row_stride apart. C must not overlap A or B.
template <class Scalar, class Epilogue>
void matmul(Cpu& cpu, Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
            MatrixOperand<Scalar> b, Scalar* c, Index c_row_stride, bool accumulate,
            const Epilogue& epilogue) {
    using Blocking = detail::MatmulBlocking<Scalar>;
    constexpr Index step = detail::packet_size<Scalar>;
    const Index row_blocks = (rows + Blocking::block_rows - 1) / Blocking::block_rows;
    const Index panels = (columns + Blocking::panel_columns - 1) / Blocking::panel_columns;
    constexpr std::size_t panel_bytes =
        sizeof(Scalar) * Blocking::block_depth * Blocking::panel_columns;
    std::byte* const scratch = cpu.scratch(static_cast<std::size_t>(cpu.threads()) * panel_bytes);

    parallel_for(cpu, row_blocks * panels, [&](Index task, int worker) {
        auto* const packed =
            reinterpret_cast<Scalar*>(scratch + static_cast<std::size_t>(worker) * panel_bytes);
        const Index row = task / panels * Blocking::block_rows;
        const Index column = task % panels * Blocking::panel_columns;
        const Index tile_rows = std::min(Blocking::block_rows, rows - row);
        const Index tile_columns = std::min(Blocking::panel_columns, columns - column);
        const Index tail = tile_columns % step;
        const bool pack = b.column_stride != 1 || tail > 0 || tile_rows >= Blocking::pack_from_rows;
        const Index width = (tile_columns + step - 1) / step * step;
        Scalar* const tile = c + row * c_row_stride + column;

        for (Index k = 0; k == 0 || k < depth; k += Blocking::block_depth) {
            const Index tile_depth = std::min(Blocking::block_depth, depth - k);
            const MatrixOperand<Scalar> tile_a{a.data + row * a.row_stride + k * a.column_stride,
                                               a.row_stride, a.column_stride};
            const MatrixOperand<Scalar> tile_b{b.data + k * b.row_stride + column * b.column_stride,
                                               b.row_stride, b.column_stride};
            if (pack) detail::pack_panel(tile_depth, tile_columns, width, tile_b, packed);
            const Scalar* const panel = pack ? packed : tile_b.data;
            const Index panel_row = pack ? width : b.row_stride;
            detail::multiply_columns(tile_rows, tile_columns, tile_depth, tile_a, panel, panel_row,
                                     tile, c_row_stride, accumulate || k > 0);
        }
        epilogue(tile, tile_rows, tile_columns, column);
    });
}

/// The product without an epilogue.
template <class Scalar>
void matmul(Cpu& cpu, Index rows, Index columns, Index depth, MatrixOperand<Scalar> a,
            MatrixOperand<Scalar> b, Scalar* c, Index c_row_stride, bool accumulate = false) {
    matmul(cpu, rows, columns, depth, a, b, c, c_row_stride, accumulate,
           [](Scalar*, Index, Index, Index) {});
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
