/// \file
/// Products of matrices, C = act(A B + bias), of factors that are plain matrices, or patches.
///
/// Each block has a tile of C, and each thread sums of some of its elements in registers. While a tile
/// of the factors is multiplied, the next one is read. Where C has too few tiles, the depth is cut into
/// splits, whose sums the blocks that finish last add up, or a second kernel.
///
/// Errors: a running sum goes over chain_steps tiles, 1024 products, and is then added to its split's
/// sum. A product goes through at most 1024 + depth / 1024 / splits + splits additions, and with a unit
/// roundoff u the error is below (1024 + depth / 1024 + splits) u times the sum of magnitudes. Of 10^6
/// products that is 2000 u, not 10^6 u. Order, and so bits, follow from the shape alone.
#pragma once

#include "library_products.cuh"
#include "product_splits.cuh"

#include <algorithm>
#include <gpu/shared.cuh>

namespace weft::kernels::cuda {

/// Tiles that are summed in one go.
inline constexpr int chain_steps = 1024 / tile_depth;

template <class Scalar, int size>
struct alignas(16) SharedTiles {
    Scalar values[size];
};

/// A block's tile of C: (tile down, tile across, group and split). `out` takes what a split has, and
/// `whole` the sums of splits that are added up at once.
template <class Tile, class Sums, bool always_fours, class Scalar, class A, class B, class Out>
__global__ void __launch_bounds__(Tile::threads,
                                  sizeof(Scalar) == sizeof(float) && !Out::drops_elements
                                      ? Tile::blocks_at_once
                                      : 1)  // random numbers take registers
    product(A a, B b, Out out, Out whole, ProductShape shape, Splits splits) {
    // Else half of all time to compile would go into kernels that such a GPU never runs.
    if constexpr (!Sums::runs_here) return __trap();
    auto& tiles = shared<SharedTiles<Scalar, Tile::shared_size>, 200>().values;
    const int group = static_cast<int>(blockIdx.z) / splits.count;
    const int split = static_cast<int>(blockIdx.z) % splits.count;
    a.data += group * a.group_step;
    b.data += group * b.group_step;
    const int column = static_cast<int>(blockIdx.y) * Tile::columns;
    out.move_to_group(group, shape.columns);
    out.data += blockIdx.z * out.split_step;
    if (out.column_sums != nullptr) {
        out.column_sums += blockIdx.z * out.column_sums_step + column;
    }

    Carrier<Tile, Tile::rows, A, Scalar, always_fours> of_a(
        a, static_cast<int>(blockIdx.x) * Tile::rows);
    Carrier<Tile, Tile::columns, B, Scalar, always_fours> of_b(b, column);
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
        if constexpr (B::sums_columns) {
            if (out.column_sums == nullptr || blockIdx.x > 0) continue;
            of_b.write_column_sums(tiles, out.column_sums,
                                   min(Tile::columns, shape.columns - column), first);
        }
    }
    const bool is_split = !always_fours && splits.tickets != nullptr;
    if (!Out::takes_moments && !is_split) return;
    whole.move_to_group(group, shape.columns);
    if (is_split) {
        const unsigned tile = (group * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
        out.data -= split * out.split_step;
        if (out.column_sums != nullptr) {
            out.column_sums -= split * out.split_step;
            whole.column_sums += group * whole.column_sums_step + column;
        }
        unsigned* const tickets = splits.tickets + tile * static_cast<unsigned>(splits.count);
        if (!add_up_splits<Tile, Scalar>(out, whole, shape, splits, split, tickets)) return;
        __syncthreads();  // all of the tile is stored
    }
    if constexpr (Out::takes_moments) {
        if (whole.of_tiles.parts == nullptr) return;
        take_moments_of_tile<Tile>(whole.of_tiles, whole.data, whole.stride, shape.rows,
                                   shape.columns, group, shape.groups);
    }
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

/// The device's scratch: so many bytes, and behind them what the tiles have of the moments, where they
/// are wanted and the kernel that has whole tiles can add them up.
template <class Tile, class Out>
std::byte* prepare_moments(Cuda& device, std::size_t bytes, const ProductShape& shape,
                           bool has_tiles, Out& out) {
    if constexpr (Out::takes_moments) {
        const int tiles = ceil_div(shape.rows, Tile::rows);
        const Index tickets = Index{out.of_tiles.tickets_of(tiles)} * shape.groups *
                              ceil_div(shape.columns, Tile::columns);
        if (out.of_tiles.is_wanted && has_tiles && tickets <= Context::most_tickets / 2) {
            const std::size_t first = (bytes + 255) / 256 * 256;
            std::byte* const memory =
                device.scratch(first + 2 * sizeof(double) * static_cast<std::size_t>(tiles) *
                                           static_cast<unsigned>(shape.columns * shape.groups));
            out.of_tiles.parts = reinterpret_cast<double*>(memory + first);
            // The other half is of splits.
            out.of_tiles.tickets = device.context().tickets + Context::most_tickets / 2;
            return memory;
        }
    }
    return bytes > 0 ? device.scratch(bytes) : nullptr;
}

/// In a pass of their own where the kernel did not.
template <class Out>
void finish_moments(Cuda& device, const ProductShape& shape, const Out& out) {
    if constexpr (Out::takes_moments) {
        const TileMoments of = out.of_tiles;
        if (!of.is_wanted || of.parts != nullptr) return;
        take_moments(device, shape.rows, Index{shape.columns} * shape.groups, out.data, of.moments);
    }
}

template <class Tile, template <class, class> class Sums, bool always_fours, class Scalar, class A,
          class B, class Out>
void multiply_tiles(Cuda& device, const ProductShape& shape, const A& a, const B& b, Out out) {
    const int steps = ceil_div(shape.depth, tile_depth);
    const Index idle = std::max<Index>(1, enough_blocks<Tile> / tiles_of<Tile>(shape));
    const int most = static_cast<int>(std::min<Index>(most_splits<Tile>(shape), idle));
    Splits splits{1, std::max(1, ceil_div(steps, most))};
    splits.count = std::max(1, ceil_div(steps, splits.steps));
    const Grid grid{dim3(static_cast<unsigned>(ceil_div(shape.rows, Tile::rows)),
                         static_cast<unsigned>(ceil_div(shape.columns, Tile::columns)),
                         static_cast<unsigned>(shape.groups * splits.count)),
                    dim3(Tile::threads)};
    // All in x would take divisions, and registers that the kernel does not have.
    constexpr unsigned most_blocks = 65535;
    if (grid.blocks.y > most_blocks || grid.blocks.z > most_blocks) {
        throw CudaError(concat("cuda: a product has ", shape.columns, " columns and ", shape.groups,
                               " groups, expected at most ", Index{most_blocks} * Tile::columns,
                               " and ", most_blocks));
    }
    const auto kernel = product<Tile, Sums<Tile, Scalar>, always_fours, Scalar, A, B, Out>;
    const int size = (shape.rows + (out.column_sums != nullptr ? 1 : 0)) * shape.columns;
    const std::size_t parts_bytes = splits.count == 1
                                        ? 0
                                        : sizeof(Scalar) * static_cast<std::size_t>(size) *
                                              static_cast<unsigned>(shape.groups * splits.count);
    // Tiles in splits are fewer than tickets. Large tiles have no registers left.
    const bool adds_at_once = !always_fours && splits.count <= most_added_in_tree;
    std::byte* const memory =
        prepare_moments<Tile>(device, parts_bytes, shape, splits.count == 1 || adds_at_once, out);
    if (splits.count == 1) {
        launch(device, kernel, grid, a, b, out, out, shape, splits);
        return finish_moments(device, shape, out);
    }
    auto* const parts = reinterpret_cast<Scalar*>(memory);
    Out of_split = out;
    static_cast<Output<Scalar>&>(of_split) = {parts, shape.columns, shape.columns};
    if constexpr (Out::drops_elements) of_split.is_dropped = false;
    of_split.split_step = static_cast<std::size_t>(size);
    if (out.column_sums != nullptr) {
        of_split.column_sums = parts + shape.rows * shape.columns;
        of_split.column_sums_step = of_split.split_step;
    }
    if (adds_at_once) splits.tickets = device.context().tickets;
    launch(device, kernel, grid, a, b, of_split, out, shape, splits);
    if (!adds_at_once) {
        const Grid second{
            dim3(static_cast<unsigned>(ceil_div(size, 32)), static_cast<unsigned>(shape.groups)),
            dim3(32, static_cast<unsigned>(std::min(splits.count, most_lines)))};
        launch(device, add_splits<Scalar, Out>, second, parts, splits.count, shape, out);
    }
    finish_moments(device, shape, out);
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

/// By a tile that leaves no registers to draw random numbers: they are drawn in a pass of its own.
template <class Tile, template <class, class> class Sums, class Scalar, class A, class B, class Out>
void multiply_large(Cuda& device, const ProductShape& shape, const A& a, const B& b,
                    const Out& out) {
    using OfTile = std::conditional_t<Out::drops_elements, Output<Scalar>, Out>;
    multiply_tiles<Tile, Sums, true, Scalar, A, B, OfTile>(device, shape, a, b, out);
    if constexpr (Out::drops_elements) {
        for_each(device, Index{shape.rows} * shape.columns,
                 [out] __device__(int i) { out.data[i] = out.drop(i, out.data[i]); });
    }
}

/// The larger a tile, the fewer times the factors are read; and the more of it may be unused, and of
/// the GPU.
template <template <class, class> class Sums, class Scalar, class A, class B, class Out>
void multiply_with(Cuda& device, const ProductShape& shape, const A& a, const B& b,
                   const Out& out) {
    if (shape.rows <= SmallTile::rows) {
        return multiply_tiles<SmallTile, Sums, false, Scalar>(device, shape, a, b, out);
    }
    if constexpr (sizeof(Scalar) == sizeof(float)) {
        if (shape.columns <= NarrowTile::columns) {
            return multiply_tiles<NarrowTile, Sums, false, Scalar>(device, shape, a, b, out);
        }
        if (a.fours && b.fours && shape.rows > MediumTile::rows) {
            const bool even = ceil_div(shape.columns, TallTile::columns) % 2 == 0;
            if (even && fills_gpu<LargeTile>(shape)) {
                return multiply_large<LargeTile, Sums, Scalar>(device, shape, a, b, out);
            }
            if (fills_gpu<TallTile>(shape)) {
                return multiply_large<TallTile, Sums, Scalar>(device, shape, a, b, out);
            }
        }
    }
    multiply_tiles<MediumTile, Sums, false, Scalar>(device, shape, a, b, out);
}

/// Whether a factor lies in memory as it is.
template <class Factor>
inline constexpr bool is_in_memory = false;
template <bool along_depth>
inline constexpr bool is_in_memory<Matrix<float, along_depth>> = true;
template <>
inline constexpr bool is_in_memory<SummedMatrix<float>> = true;

/// C = act(A B + bias) of each group. It takes the device's scratch.
template <class Scalar, class A, class B, class Out = Output<Scalar>>
void multiply(Cuda& device, const ProductShape& shape, const A& a, const B& b, const Out& out) {
    if (shape.rows == 0 || shape.columns == 0 || shape.groups == 0) return;
    narrow(Index{shape.rows} * shape.columns * shape.groups);
    // Tiles and steps go a little beyond the end.
    for (const int extent : {shape.rows, shape.columns, shape.depth}) narrow(Index{extent} + 1024);
    if constexpr (is_in_memory<A> && is_in_memory<B> && std::is_same_v<Out, Output<float>>) {
        if (device.context().products != nullptr &&
            multiply_by_library(device, shape, {a.data, a.stride, A::along_depth},
                                {b.data, b.stride, B::along_depth}, out)) {
            return;
        }
    }
    if constexpr (sizeof(Scalar) == sizeof(float)) {
        if (device.options().tf32)
            return multiply_with<TensorSums, Scalar>(device, shape, a, b, out);
    }
    multiply_with<ScalarSums, Scalar>(device, shape, a, b, out);
}

}  // namespace weft::kernels::cuda
