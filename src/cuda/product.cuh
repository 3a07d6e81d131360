/// \file
/// Products of matrices, C = act(A B + bias), of factors that are plain matrices, or patches.
///
/// Each block has a tile of C, and each thread sums of some of its elements in registers. While a tile
/// of the factors is multiplied, the next one is read. Where C has too few tiles, the depth is cut into
/// splits, whose sums a second kernel adds up.
///
/// Errors: a running sum goes over chain_steps tiles, 1024 products, and is then added to its split's
/// sum. A product goes through at most 1024 + depth / 1024 / splits + splits additions, and with a unit
/// roundoff u the error is below (1024 + depth / 1024 + splits) u times the sum of magnitudes. Of 10^6
/// products that is 2000 u, not 10^6 u. Order, and so bits, follow from the shape alone.
#pragma once

#include "activation.cuh"
#include "product_tile.cuh"

#include <algorithm>
#include <gpu/shared.cuh>

namespace weft::kernels::cuda {

/// Tiles that are summed in one go.
inline constexpr int chain_steps = 1024 / tile_depth;

/// Of each group: C (rows, columns) = A (rows, depth) B (depth, columns).
struct ProductShape {
    int rows, columns, depth, groups = 1;
};

/// Where C goes, and what is done to it.
template <class Scalar>
struct Output {
    Scalar* data;
    int stride, group_step;
    const Scalar* bias;  ///< of each column, or none
    Activation activation;
    bool fours, bias_in_fours;
    std::size_t split_step = 0;

    Output(Scalar* first, int columns, int row, int step_of_group = 0,
           const Scalar* of_columns = nullptr, Activation elementwise = linear)
        : data(first),
          stride(row),
          group_step(step_of_group),
          bias(of_columns),
          activation(elementwise),
          fours(in_fours(first, columns, row, step_of_group)),
          bias_in_fours(bias != nullptr && in_fours(bias, columns)) {}

    __device__ Scalar finish(int column, Scalar sum) const {
        if (bias != nullptr) sum += bias[column];
        return activate(activation, sum);
    }
    /// Four sums side by side, of which the first `count` exist.
    __device__ void finish(int column, int count, Four<Scalar>& sums) const {
        if (bias_in_fours) {
            const Four<Scalar> biases = read_four(bias + column);
            for (int j = 0; j < 4; ++j) sums.values[j] += biases.values[j];
        } else if (bias != nullptr) {
            for (int j = 0; j < 4; ++j)
                if (j < count) sums.values[j] += bias[column + j];
        }
        for (Scalar& sum : sums.values) sum = activate(activation, sum);
    }
};

/// The depth of a product in parts: so many splits, of so many tiles each.
struct Splits {
    int count, steps;
};

template <class Scalar, int size>
struct alignas(16) SharedTiles {
    Scalar values[size];
};

/// Four sums side by side to their place, of which the first `count` exist: added to what is there but
/// for the first time, finished the last time.
template <class Scalar>
__device__ void write_four(Four<Scalar> sum, const Output<Scalar>& out, int row, int column,
                           int count, bool first, bool last) {
    Scalar* const to = out.data + row * out.stride + column;
    if (!first) {
        if (out.fours) {
            const Four<Scalar> before = read_four(to);
            for (int j = 0; j < 4; ++j) sum.values[j] += before.values[j];
        } else {
            for (int j = 0; j < 4; ++j)
                if (j < count) sum.values[j] += to[j];
        }
    }
    if (last) out.finish(column, count, sum);
    if (out.fours) {
        put_four(to, sum);
    } else {
        for (int j = 0; j < 4; ++j)
            if (j < count) to[j] = sum.values[j];
    }
}

/// Writes the block's sums from a piece on, each by way of shared memory, so that lanes write side by
/// side, and the code that finishes a sum is there once a piece.
template <class Tile, int piece = 0, class Sums, class Scalar>
__device__ void write_sums(const Sums& sums, const Output<Scalar>& out, const ProductShape& shape,
                           bool first, bool last, Scalar* shared_memory) {
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

/// A block's tile of C: (tile down, tile across, group and split).
template <class Tile, class Sums, bool always_fours, class Scalar, class A, class B>
__global__ void __launch_bounds__(Tile::threads,
                                  sizeof(Scalar) == sizeof(float) ? Tile::blocks_at_once : 1)
    product(A a, B b, Output<Scalar> out, ProductShape shape, Splits splits) {
    auto& tiles = shared<SharedTiles<Scalar, Tile::shared_size>, 200>().values;
    const int group = static_cast<int>(blockIdx.z) / splits.count;
    const int split = static_cast<int>(blockIdx.z) % splits.count;
    a.data += group * a.group_step;
    b.data += group * b.group_step;
    out.data += group * out.group_step + static_cast<std::size_t>(blockIdx.z) * out.split_step;
    if (out.bias != nullptr) out.bias += group * shape.columns;

    Carrier<Tile, Tile::rows, A, Scalar, always_fours> of_a(
        a, static_cast<int>(blockIdx.x) * Tile::rows);
    Carrier<Tile, Tile::columns, B, Scalar, always_fours> of_b(
        b, static_cast<int>(blockIdx.y) * Tile::columns);
    Sums sums;
    int step = split * splits.steps;
    // At least one, which is all 0 where there is no depth.
    const int end = max(step + 1, min(step + splits.steps, ceil_div(shape.depth, tile_depth)));
    for (bool first = true; step < end; first = false) {
        const int stop = min(step + chain_steps, end);
        sums.clear();
        of_a.read(a, step * tile_depth);
        of_b.read(b, step * tile_depth);
        for (int parity = 0; step < stop; parity ^= 1) {
            // The other threads read the other tiles, until the next barrier.
            Scalar* const tile_a = tiles + parity * Tile::factors_size;
            Scalar* const tile_b = tile_a + tile_depth * Tile::rows;
            of_a.template write<Sums>(tile_a);
            of_b.template write<Sums>(tile_b);
            __syncthreads();
            if (++step < stop) {
                of_a.read(a, step * tile_depth);
                of_b.read(b, step * tile_depth);
            }
            sums.add(tile_a, tile_b);
        }
        __syncthreads();
        write_sums<Tile>(sums, out, shape, first, step == end, tiles);
        __syncthreads();
    }
}

/// Rows of threads that add up splits, at most.
inline constexpr int most_lines = 32;

/// C from the sums of splits (group, split, row, column). A block has 32 elements of a group; each row
/// of its threads adds up every so many of the splits, and the first row their sums.
template <class Scalar>
__global__ void add_splits(const Scalar* parts, int count, ProductShape shape, Output<Scalar> out) {
    auto& sums = shared<Scalar[most_lines][32], 201>();
    const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
    const int size = shape.rows * shape.columns;
    const int i = static_cast<int>(blockIdx.x) * 32 + x, group = static_cast<int>(blockIdx.y);
    Scalar sum = 0;
    if (i < size) {
        const Scalar* part = parts + static_cast<std::size_t>(group) * count * size + i;
        for (int split = y; split < count; split += static_cast<int>(blockDim.y)) {
            sum += part[static_cast<std::size_t>(split) * size];
        }
    }
    sums[y][x] = sum;
    __syncthreads();
    if (y > 0 || i >= size) return;
    for (int other = 1; other < static_cast<int>(blockDim.y); ++other) sum += sums[other][x];
    const int row = i / shape.columns, column = i % shape.columns;
    out.data += group * out.group_step;
    if (out.bias != nullptr) out.bias += group * shape.columns;
    out.data[row * out.stride + column] = out.finish(column, sum);
}

/// Blocks of a tile that keep a large GPU busy: 8 to 16 warps for each of 132 multiprocessors.
template <class Tile>
inline constexpr int enough_blocks = 132 * std::min(2048 / Tile::threads / 4, 8);

/// The fewest steps of a split. Its sums are written and read once, which is to be no more than half of
/// what it reads of the factors; and of few steps the second launch would take longer.
template <class Tile>
inline constexpr int least_steps = std::max(Tile::rows * Tile::columns / 512, 8);

/// Tiles of the shape, and the most splits of each.
template <class Tile>
Index tiles_of(const ProductShape& shape) {
    return Index{ceil_div(shape.rows, Tile::rows)} * ceil_div(shape.columns, Tile::columns) *
           shape.groups;
}
template <class Tile>
int most_splits(const ProductShape& shape) {
    return std::max(1, ceil_div(shape.depth, tile_depth) / least_steps<Tile>);
}

template <class Tile, template <class, class> class Sums, bool always_fours, class Scalar, class A,
          class B>
void multiply_tiles(Cuda& device, const ProductShape& shape, const A& a, const B& b,
                    const Output<Scalar>& out) {
    const int steps = ceil_div(shape.depth, tile_depth);
    const Index idle = std::max<Index>(1, enough_blocks<Tile> / tiles_of<Tile>(shape));
    const int most = static_cast<int>(std::min<Index>(most_splits<Tile>(shape), idle));
    Splits splits{1, std::max(1, ceil_div(steps, most))};
    splits.count = std::max(1, ceil_div(steps, splits.steps));
    const Grid grid{dim3(static_cast<unsigned>(ceil_div(shape.rows, Tile::rows)),
                         static_cast<unsigned>(ceil_div(shape.columns, Tile::columns)),
                         static_cast<unsigned>(shape.groups * splits.count)),
                    dim3(Tile::threads)};
    const auto kernel = product<Tile, Sums<Tile, Scalar>, always_fours, Scalar, A, B>;
    if (splits.count == 1) return launch(device, kernel, grid, a, b, out, shape, splits);
    const int size = shape.rows * shape.columns;
    auto* const parts = reinterpret_cast<Scalar*>(
        device.scratch(sizeof(Scalar) * static_cast<std::size_t>(size) *
                       static_cast<unsigned>(shape.groups * splits.count)));
    Output<Scalar> of_split(parts, shape.columns, shape.columns);
    of_split.split_step = static_cast<std::size_t>(size);
    of_split.fours = of_split.fours && size % 4 == 0;
    launch(device, kernel, grid, a, b, of_split, shape, splits);
    const Grid second{
        dim3(static_cast<unsigned>(ceil_div(size, 32)), static_cast<unsigned>(shape.groups)),
        dim3(32, static_cast<unsigned>(std::min(splits.count, most_lines)))};
    launch(device, add_splits<Scalar>, second, parts, splits.count, shape, out);
}

using LargeTile = Tile<128, 128, 4, 2>;
using TallTile = Tile<128, 64, 4, 1>;
using MediumTile = Tile<64, 64, 2, 2>;
using NarrowTile = Tile<128, 32, 4, 1>;
using SmallTile = Tile<32, 32, 1, 1>;

/// Whether the tiles, or splits of them, are enough for each multiprocessor.
template <class Tile>
bool fills_gpu(const ProductShape& shape) {
    return tiles_of<Tile>(shape) * most_splits<Tile>(shape) >= 132;
}

/// The larger a tile, the fewer times the factors are read; and the more of it may be unused, and of
/// the GPU.
template <template <class, class> class Sums, class Scalar, class A, class B>
void multiply_with(Cuda& device, const ProductShape& shape, const A& a, const B& b,
                   const Output<Scalar>& out) {
    if (shape.rows <= SmallTile::rows) {
        return multiply_tiles<SmallTile, Sums, false>(device, shape, a, b, out);
    }
    if constexpr (sizeof(Scalar) == sizeof(float)) {
        if (shape.columns <= NarrowTile::columns) {
            return multiply_tiles<NarrowTile, Sums, false>(device, shape, a, b, out);
        }
        if (a.fours && b.fours && shape.rows > MediumTile::rows) {
            const bool even = ceil_div(shape.columns, TallTile::columns) % 2 == 0;
            if (even && fills_gpu<LargeTile>(shape)) {
                return multiply_tiles<LargeTile, Sums, true>(device, shape, a, b, out);
            }
            if (fills_gpu<TallTile>(shape)) {
                return multiply_tiles<TallTile, Sums, true>(device, shape, a, b, out);
            }
        }
    }
    multiply_tiles<MediumTile, Sums, false>(device, shape, a, b, out);
}

/// C = act(A B + bias) of each group. It takes the device's scratch.
template <class Scalar, class A, class B>
void multiply(Cuda& device, const ProductShape& shape, const A& a, const B& b,
              const Output<Scalar>& out) {
    if (shape.rows == 0 || shape.columns == 0 || shape.groups == 0) return;
    narrow(Index{shape.rows} * shape.columns * shape.groups);
    // Tiles and steps go a little beyond the end.
    for (const int extent : {shape.rows, shape.columns, shape.depth}) narrow(Index{extent} + 1024);
    if constexpr (sizeof(Scalar) == sizeof(float)) {
        if (device.options().tf32) return multiply_with<TensorSums>(device, shape, a, b, out);
    }
    multiply_with<ScalarSums>(device, shape, a, b, out);
}

}  // namespace weft::kernels::cuda
