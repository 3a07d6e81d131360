/// \file
/// Copies of matrix operands in the order in which the product's inner loops read them.
#pragma once

#include "weft/kernels/cpu/matmul_kernel.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// A matrix operand: element (i, j) is data[i * row_stride + j * column_stride].
template <class Scalar>
struct MatrixOperand {
    const Scalar* data;
    Index row_stride;
    Index column_stride;

    MatrixOperand transposed() const { return {data, column_stride, row_stride}; }

    /// The rows from `row` on and the columns from `column` on.
    MatrixOperand from(Index row, Index column) const {
        return {data + row * row_stride + column * column_stride, row_stride, column_stride};
    }
};

/// A dense row-major matrix with the given number of columns.
template <class Scalar>
MatrixOperand<Scalar> row_major(const Scalar* data, Index columns) {
    return {data, columns, 1};
}

namespace detail {

/// Y = X^T, X (rows, columns) and Y (columns, rows), both with contiguous rows that are so many
/// elements apart.
template <class Scalar>
WEFT_NOINLINE void transpose(Index rows, Index columns, const Scalar* x, Index x_row, Scalar* y,
                             Index y_row) {
    constexpr Index step = packet_size<Scalar>;
    PacketSquare<Scalar> square;
    for (Index i = 0; i < rows; i += step) {
        const Index height = (std::min)(step, rows - i);
        for (Index j = 0; j < columns; j += step, x += step, y += step * y_row) {
            const Index width = (std::min)(step, columns - j);
            if (height == step && width == step) {
                for (Index k = 0; k < step; ++k) square.packet[k] = load(x + k * x_row);
                transpose<Scalar>(square);
                for (Index k = 0; k < step; ++k) store(y + k * y_row, square.packet[k]);
                continue;
            }
            for (Index k = 0; k < step; ++k) {
                square.packet[k] =
                    k < height ? load_up_to(x + k * x_row, width) : broadcast(Scalar(0));
            }
            transpose<Scalar>(square);
            for (Index k = 0; k < width; ++k) store_up_to(y + k * y_row, square.packet[k], height);
        }
        x += step * x_row - round_up(columns, step);
        y += step - round_up(columns, step) * y_row;
    }
}

/// Copies B[depth, columns] into rows of `width` contiguous elements, padded with zeros.
template <class Scalar>
WEFT_NOINLINE void pack_panel(Index depth, Index columns, Index width, MatrixOperand<Scalar> b,
                              Scalar* packed) {
    constexpr Index step = packet_size<Scalar>;
    if (b.column_stride == 1) {
        for (Index k = 0; k < depth; ++k, b.data += b.row_stride, packed += width) {
            for (Index j = 0; j < width; j += step) {
                store(packed + j, load_up_to(b.data + j, columns - j));
            }
        }
        return;
    }
    if (columns < width) std::fill_n(packed, depth * width, Scalar(0));
    if (b.row_stride == 1) return transpose(columns, depth, b.data, b.column_stride, packed, width);
    for (Index j = 0; j < columns; ++j) {
        for (Index k = 0; k < depth; ++k) {
            packed[k * width + j] = b.data[k * b.row_stride + j * b.column_stride];
        }
    }
}

/// Copies B[depth, panels * width] with contiguous rows into whole panels, one behind another, row
/// by row, as it streams in from memory.
template <class Scalar>
WEFT_NOINLINE void pack_panels(Index depth, Index panels, MatrixOperand<Scalar> b, Scalar* packed) {
    constexpr Index width = MatmulBlocking<Scalar>::panel_columns;
    for (Index k = 0; k < depth; ++k, b.data += b.row_stride, packed += width) {
        for (Index panel = 0; panel < panels; ++panel) {
            for (Index j = 0; j < width; j += packet_size<Scalar>) {
                store(packed + panel * depth * width + j, load(b.data + panel * width + j));
            }
        }
    }
}

/// Copies A[rows, depth] into register blocks, block_step elements a row: of each block the
/// elements of column 0, those of column 1, ...
template <class Scalar>
WEFT_NOINLINE void pack_row_blocks(Index rows, Index depth, MatrixOperand<Scalar> a, Scalar* packed,
                                   Index block_step) {
    constexpr Index block = MatmulBlocking<Scalar>::rows;
    Index first = 0;
    if (a.row_stride == 1) {
        // A few blocks at a time: each writes to memory pages of its own.
        const Index whole = rows_in_blocks(block, rows);
        for (Index end = 0; first < whole; first = end) {
            end = (std::min)(whole, first + 16 * block);
            for (Index k = 0; k < depth; ++k) {
                const Scalar* const column = a.data + k * a.column_stride;
                for (Index i = first; i < end; i += block) {
                    std::copy_n(column + i, block, packed + i * block_step + k * block);
                }
            }
        }
    }
    while (first < rows) {
        const Index height = block_height<Scalar>(rows - first);
        const MatrixOperand<Scalar> of_block = a.from(first, 0);
        Scalar* const to = packed + first * block_step;
        first += height;
        if (a.column_stride == 1) {
            transpose(height, depth, of_block.data, a.row_stride, to, height);
            continue;
        }
        for (Index k = 0; k < depth; ++k) {
            const Scalar* const column = of_block.data + k * a.column_stride;
            for (Index r = 0; r < height; ++r) to[k * height + r] = column[r * a.row_stride];
        }
    }
}

}  // namespace detail

/// The elements that pack_rows writes for a matrix of that many rows (depth) and columns.
template <class Scalar>
Index packed_size(Index depth, Index columns) {
    return detail::round_up(columns, detail::MatmulBlocking<Scalar>::panel_columns) * depth;
}

/// Copies rows [first, first + rows) of a matrix of that depth and columns into panels of a few
/// columns each, padded with zeros, in which the product reads it fastest. b is the first of those
/// rows. Pays when one matrix meets many others.
template <class Scalar>
void pack_rows(Index depth, Index first, Index rows, Index columns, MatrixOperand<Scalar> b,
               Scalar* packed) {
    constexpr Index width = detail::MatmulBlocking<Scalar>::panel_columns;
    for (Index column = 0; column < columns; column += width) {
        detail::pack_panel(rows, (std::min)(width, columns - column), width, b.from(0, column),
                           packed + column * depth + first * width);
    }
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
