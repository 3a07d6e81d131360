/// \file
/// Where the sums of a product go, and what is done to them on the way.
#pragma once

#include "activation.cuh"
#include "dropping.cuh"
#include "moments.cuh"
#include "product_tile.cuh"
#include "weft/kernels/before.hpp"

#include <cassert>

namespace weft::kernels::cuda {

/// Of each group: C (rows, columns) = A (rows, depth) B (depth, columns).
struct ProductShape {
    int rows, columns, depth, groups = 1;
};

/// Where C goes, and what is done to it.
template <class Scalar>
struct Output {
    static constexpr bool drops_elements = false, takes_moments = false;

    Scalar* data;
    int stride, group_step;
    const Scalar* bias;  ///< of each column, or none
    Activation activation;
    bool fours, bias_in_fours;
    std::size_t split_step = 0;
    /// A relu's output that C is the gradient of, which lies as C does: C is 0 where it is not above 0.
    const Scalar* relu = nullptr;
    Scalar relu_scale = 1;
    bool relu_in_fours = false;
    Scalar* column_sums = nullptr;  ///< of B, where they are wanted
    std::size_t column_sums_step = 0;

    Output(Scalar* first, int columns, int row, int step_of_group = 0,
           const Scalar* of_columns = nullptr, Activation elementwise = linear)
        : data(first),
          stride(row),
          group_step(step_of_group),
          bias(of_columns),
          activation(elementwise),
          fours(in_fours(first, columns)),
          bias_in_fours(bias != nullptr && in_fours(bias, columns)) {}

    /// The same, and the sums of each column of B, if `sums` are not null: group by group.
    Output with_column_sums(Scalar* sums, int columns) const {
        Output both = *this;
        both.column_sums = sums;
        both.column_sums_step = static_cast<std::size_t>(columns);
        return both;
    }

    /// The same, and back through what x came out of. x lies as C does.
    Output through(const Before& before, const Scalar* x, int columns) const {
        assert(before.activation == linear || before.activation == weft::relu);
        Output masked = *this;
        if (before.activation == linear) return masked;
        masked.relu = x;
        masked.relu_scale = static_cast<Scalar>(before.scale());
        masked.relu_in_fours = in_fours(x, columns);
        return masked;
    }

    __device__ void move_to_group(int group, int columns) {
        data += group * group_step;
        if (relu != nullptr) relu += group * group_step;
        if (bias != nullptr) bias += group * columns;
    }

    /// What becomes of the sum in place i of C.
    __device__ Scalar finish(int i, int column, Scalar sum) const {
        if (bias != nullptr) sum += bias[column];
        sum = activate(activation, sum);
        return relu == nullptr ? sum : times_slope(relu[i], sum);
    }
    /// The same of four side by side, of which the first `count` exist.
    __device__ void finish(int i, int column, int count, Four<Scalar>& sums) const {
        if (bias_in_fours) {
            const Four<Scalar> biases = read_four(bias + column);
            for (int j = 0; j < 4; ++j) sums.values[j] += biases.values[j];
        } else if (bias != nullptr) {
            for (int j = 0; j < 4; ++j)
                if (j < count) sums.values[j] += bias[column + j];
        }
        for (Scalar& sum : sums.values) sum = activate(activation, sum);
        if (relu_in_fours) {
            const Four<Scalar> outputs = read_four(relu + i);
            for (int j = 0; j < 4; ++j)
                sums.values[j] = times_slope(outputs.values[j], sums.values[j]);
        } else if (relu != nullptr) {
            for (int j = 0; j < 4; ++j)
                if (j < count) sums.values[j] = times_slope(relu[i + j], sums.values[j]);
        }
    }

private:
    /// A gradient that is not finite stops at 0.
    __device__ Scalar times_slope(Scalar output, Scalar gradient) const {
        return output > 0 ? gradient * relu_scale : Scalar(0);
    }
};

/// The same with dropout behind: of products that are not in groups.
template <class Scalar>
struct DroppingOutput : Output<Scalar> {
    static constexpr bool drops_elements = true;

    Drops<Scalar> drops;
    bool is_dropped = true;  ///< not so of splits

    DroppingOutput(const Output<Scalar>& before, const Dropping& dropping)
        : Output<Scalar>(before), drops(dropping) {}

    __device__ Scalar finish(int i, int column, Scalar sum) const {
        return drop(i, Output<Scalar>::finish(i, column, sum));
    }
    __device__ void finish(int i, int column, int count, Four<Scalar>& sums) const {
        Output<Scalar>::finish(i, column, count, sums);
        for (int j = 0; j < 4; ++j) sums.values[j] = drop(i + j, sums.values[j]);
    }
    __device__ Scalar drop(int i, Scalar y) const {
        if (!is_dropped) return y;
        return drops.keeps(i) ? y * drops.scale : Scalar(0);
    }
};

/// The same, and the moments of the columns, if they are wanted. C has its rows in one piece.
template <class Scalar>
struct MomentsOutput : Output<Scalar> {
    static constexpr bool takes_moments = true;

    TileMoments<Scalar> of_tiles;
};

/// Adds four numbers side by side, of which the first `count` exist.
template <class Scalar>
__device__ void add_four(const Scalar* from, bool fours, int count, Four<Scalar>& sum) {
    if (fours) {
        const Four<Scalar> more = read_four(from);
        for (int j = 0; j < 4; ++j) sum.values[j] += more.values[j];
    } else {
        for (int j = 0; j < 4; ++j)
            if (j < count) sum.values[j] += from[j];
    }
}

/// Four sums side by side to their place, of which the first `count` exist: added to what is there but
/// for the first time, finished the last time.
template <class Scalar, class Out>
__device__ void write_four(Four<Scalar> sum, const Out& out, int row, int column, int count,
                           bool first, bool last) {
    const int i = row * out.stride + column;
    Scalar* const to = out.data + i;
    if (!first) add_four(to, out.fours, count, sum);
    if (last) out.finish(i, column, count, sum);
    if (out.fours) {
        put_four(to, sum);
    } else {
        for (int j = 0; j < 4; ++j)
            if (j < count) to[j] = sum.values[j];
    }
}

/// Writes the block's sums from a piece on, each by way of shared memory, so that lanes write side by
/// side, and the code that finishes a sum is there once a piece.
template <class Tile, int piece = 0, class Sums, class Out, class Scalar>
__device__ void write_sums(const Sums& sums, const Out& out, const ProductShape& shape, bool first,
                           bool last, Scalar* shared_memory) {
    constexpr int fours = Tile::warp_columns / 4;
    Scalar* const staged = shared_memory + Tile::warp() * Tile::piece_size;
    const int row = static_cast<int>(blockIdx.x) * Tile::rows + Tile::warp_row() + piece * 16;
    const int column = static_cast<int>(blockIdx.y) * Tile::columns + Tile::warp_column();
    __syncwarp();
    sums.write(piece, staged);
    __syncwarp();
    for (int i = Tile::lane(); i < 16 * fours; i += 32) {
        const int r = i / fours, c = i % fours * 4;
        if (row + r >= shape.rows || column + c >= shape.columns) continue;
        write_four(read_four(staged + r * Tile::piece_stride + c), out, row + r, column + c,
                   min(4, shape.columns - column - c), first, last);
    }
    if constexpr (piece + 1 < Tile::pieces) {
        write_sums<Tile, piece + 1>(sums, out, shape, first, last, shared_memory);
    }
}

/// The block's tile of C from those of so many splits, of which that of the first is `parts`. A thread
/// reads some fours of a split at once.
template <class Tile, int bytes_at_once, class Scalar, class Out>
__device__ void add_tiles(const Output<Scalar>& parts, int splits, const Out& out,
                          const ProductShape& shape) {
    constexpr int fours = Tile::columns / 4;
    constexpr int at_once = bytes_at_once / static_cast<int>(sizeof(Scalar));
    static_assert(Tile::rows * fours % (Tile::threads * at_once) == 0);
    const int row = static_cast<int>(blockIdx.x) * Tile::rows;
    const int column = static_cast<int>(blockIdx.y) * Tile::columns;
#pragma unroll 1
    for (int i = static_cast<int>(threadIdx.x); i < Tile::rows * fours;
         i += Tile::threads * at_once) {
        Four<Scalar> sums[at_once] = {};
        const auto each = [&](const auto& visit) {
#pragma unroll
            for (int k = 0; k < at_once; ++k) {
                const int place = i + k * Tile::threads;
                const int r = row + place / fours, c = column + place % fours * 4;
                if (r < shape.rows && c < shape.columns) {
                    visit(r, c, min(4, shape.columns - c), sums[k]);
                }
            }
        };
#pragma unroll 1
        for (int split = 0; split < splits; ++split) {
            const Scalar* const part =
                parts.data + static_cast<std::size_t>(split) * parts.split_step;
            each([&](int r, int c, int count, Four<Scalar>& sum) {
                add_four(part + r * parts.stride + c, parts.fours, count, sum);
            });
        }
        each([&](int r, int c, int count, const Four<Scalar>& sum) {
            write_four(sum, out, r, c, count, true, true);
        });
    }
    if (blockIdx.x > 0 || out.column_sums == nullptr) return;
    for (int c = static_cast<int>(threadIdx.x); c < Tile::columns; c += Tile::threads) {
        if (column + c >= shape.columns) return;
        Scalar sum = 0;
        for (int split = 0; split < splits; ++split) {
            sum += parts.column_sums[static_cast<std::size_t>(split) * parts.split_step + c];
        }
        out.column_sums[c] = sum;
    }
}

}  // namespace weft::kernels::cuda
