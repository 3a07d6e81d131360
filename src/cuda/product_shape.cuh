/// \file
/// The shape of a product, and which tile of it a block has.
#pragma once

#include "launch.cuh"

namespace weft::kernels::cuda {

/// Of each group: C (rows, columns) = A (rows, depth) B (depth, columns).
struct ProductShape {
    int rows, columns, depth, groups = 1;
};

/// The tile of C that a block has: its place down and across, and its part, a group and split. All
/// blocks are in x of the grid, as y and z have at most 65535.
template <class Tile>
struct BlockTile {
    int tiles_down, tiles_across;
    int down, across, part;

    __device__ explicit BlockTile(const ProductShape& shape)
        : tiles_down(ceil_div(shape.rows, Tile::rows)),
          tiles_across(ceil_div(shape.columns, Tile::columns)) {
        const int block = static_cast<int>(blockIdx.x), column_of_tiles = block / tiles_down;
        down = block % tiles_down;
        across = column_of_tiles % tiles_across;
        part = column_of_tiles / tiles_across;
    }

    __device__ int row() const { return down * Tile::rows; }
    __device__ int column() const { return across * Tile::columns; }
};

}  // namespace weft::kernels::cuda
