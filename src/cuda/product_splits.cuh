/// \file
/// Products whose depth is cut into splits: how the sums of these are added up, in one order whatever
/// the GPU.
#pragma once

#include "last_block.cuh"
#include "product_output.cuh"

#include <gpu/shared.cuh>

namespace weft::kernels::cuda {

/// How many sums a block adds up at once, which it reads from the L2 cache.
inline constexpr int most_added_at_once = 8;
/// The most splits that are added up so, in three rounds. Each takes about as long as a launch, whose
/// kernel would come on top [estimated].
inline constexpr int most_added_in_tree = 512;

/// The depth of a product in parts: so many splits, of so many tiles each. Where there are tickets, as
/// many as splits of all tiles, the blocks of a tile add them up.
struct Splits {
    int count, steps;
    unsigned* tickets = nullptr;
};

/// Adds the block's tiles of so many splits to that of the first of them, and column sums as well.
template <class Tile, class Scalar>
__device__ void add_parts(const Output<Scalar>& parts, int first, int members,
                          const ProductShape& shape) {
    Output<Scalar> sums = parts;
    sums.data += first * parts.split_step;
    if (parts.column_sums != nullptr) sums.column_sums += first * parts.split_step;
    add_tiles<Tile, 16>(sums, members, sums, shape);  // registers for no more
}

/// The block's tile of C from those of its splits, by the block that is last, which it is true for. A
/// tree: the last of some splits adds them up, where the first of them is, and goes on for all.
/// `parts` is that of the first split, and `whole` that of the group.
template <class Tile, class Scalar, class Out>
__device__ bool add_up_splits(Output<Scalar> parts, const Out& whole, const ProductShape& shape,
                              const Splits& splits, int split, unsigned* tickets) {
    int count = splits.count;
    while (count > most_added_at_once) {
        split /= most_added_at_once;
        const int first = split * most_added_at_once;
        const int members = min(most_added_at_once, count - first);
        if (!is_last_block(tickets + split, static_cast<unsigned>(members))) return false;
        add_parts<Tile, Scalar>(parts, first, members, shape);
        count = ceil_div(count, most_added_at_once);
        tickets += count;
        parts.split_step *= most_added_at_once;
    }
    if (!is_last_block(tickets, static_cast<unsigned>(count))) return false;
    add_tiles<Tile, 32>(parts, count, whole, shape);
    return true;
}

/// Rows of threads that add up splits, at most.
inline constexpr int most_lines = 32;

/// C from the sums of splits (group, split, row, column), with column sums as one more row. A block has
/// 32 elements of a group; each row of its threads adds up every so many of the splits, and the first
/// row their sums.
template <class Scalar, class Out>
__global__ void add_splits(const Scalar* parts, int count, ProductShape shape, Out out) {
    auto& sums = shared<Scalar[most_lines][32], 201>();
    const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
    const int size = (shape.rows + (out.column_sums != nullptr ? 1 : 0)) * shape.columns;
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
    out.move_to_group(group, shape.columns);
    if (row == shape.rows) {
        out.column_sums[group * out.column_sums_step + column] = sum;
    } else {
        const int place = row * out.stride + column;
        out.data[place] = out.finish(place, column, sum);
    }
}

}  // namespace weft::kernels::cuda
