/// \file
/// A block's part of a product: tiles of both factors in shared memory, and the sums of its threads.
///
/// A tile has a row for each of tile_depth steps along the depth. Column c of row k is kept in place
/// swizzled(k, c), which moves whole blocks of 8. So warps meet no bank twice, neither when they turn
/// factors round that lie along the depth, nor when they read four columns, nor when lanes of a tensor
/// core read 8 columns of 4 rows.
#pragma once

#include "matrix.cuh"

#include <algorithm>
#include <gpu/mma.cuh>

namespace weft::kernels::cuda {

inline constexpr int tile_depth = 16;

/// By how many blocks of 8 columns.
__device__ constexpr int swizzle(int k) { return (k ^ (k >> 2)) & 3; }
__device__ constexpr int swizzled(int k, int c) { return c ^ (swizzle(k) * 8); }

/// The places of a thread in blocks of 8 columns: in block `block ^ j` of four. There are four of
/// them, which a loop that is unrolled keeps in registers.
struct Places {
    int block, within;

    __device__ int at(int j) const { return (block ^ j) * 8 + within; }
};

/// A tile of the product, of so many rows and columns, by so many warps down and across. A warp has
/// its sums in pieces of 16 rows.
template <int rows_, int columns_, int warps_down, int warps_across>
struct Tile {
    static constexpr int rows = rows_, columns = columns_;
    static constexpr int threads = warps_down * warps_across * 32;
    static constexpr int warp_rows = rows / warps_down, warp_columns = columns / warps_across;
    static constexpr int pieces = warp_rows / 16;
    static_assert(warp_rows == 32 && warp_columns % 32 == 0);
    /// Blocks that a multiprocessor has registers for: 128 a thread, or 168 of small blocks.
    static constexpr int blocks_at_once = threads == 256 ? 2 : 384 / threads;
    /// Of a piece in shared memory: rows of 8 more than a multiple of 32 banks.
    static constexpr int piece_stride = warp_columns + 8, piece_size = 16 * piece_stride;
    /// Two tiles of each factor, or a piece of each warp.
    static constexpr int factors_size = tile_depth * (rows + columns);
    static constexpr int pieces_size = threads / 32 * piece_size;
    static constexpr int shared_size = std::max(2 * factors_size, pieces_size);

    static __device__ int lane() { return static_cast<int>(threadIdx.x) % 32; }
    static __device__ int warp() { return static_cast<int>(threadIdx.x) / 32; }
    static __device__ int warp_row() { return warp() / warps_across * warp_rows; }
    static __device__ int warp_column() { return warp() % warps_across * warp_columns; }
};

/// Sums in the common arithmetic: each lane has blocks of 4 x 4, one for each 16 rows and 32 columns.
template <class Tile, class Scalar>
struct ScalarSums {
    static constexpr bool runs_here = true;
    static constexpr int down = Tile::pieces, across = Tile::warp_columns / 32;
    Scalar sums[down][across][4][4];

    static __device__ Scalar factor(Scalar x) { return x; }

    __device__ void clear() {
        for (auto& row : sums)
            for (auto& block : row)
                for (auto& line : block)
                    for (Scalar& sum : line) sum = 0;
    }

    /// Adds the products of a tile of A and one of B.
    __device__ void add(const Scalar* a, const Scalar* b) {
        const int line = Tile::lane() / 8, column = Tile::lane() % 8;
        const Places rows{line / 2, line % 2 * 4}, columns{column / 2, column % 2 * 4};
        a += Tile::warp_row();
        b += Tile::warp_column();
        for (int k = 0; k < tile_depth; ++k) {
            Four<Scalar> of_a[down], of_b[across];
            for (int r = 0; r < down; ++r) {
                of_a[r] = read_four(a + k * Tile::rows + rows.at((r * 2) ^ swizzle(k)));
            }
            for (int c = 0; c < across; ++c) {
                of_b[c] = read_four(b + k * Tile::columns + columns.at(swizzle(k)) + c * 32);
            }
            for (int r = 0; r < down; ++r)
                for (int c = 0; c < across; ++c)
                    for (int i = 0; i < 4; ++i)
                        for (int j = 0; j < 4; ++j)
                            sums[r][c][i][j] += of_a[r].values[i] * of_b[c].values[j];
        }
    }

    /// Writes 16 rows of the warp's sums.
    __device__ void write(int piece, Scalar* to) const {
        to += Tile::lane() / 8 * 4 * Tile::piece_stride + Tile::lane() % 8 * 4;
        for (int c = 0; c < across; ++c) {
            for (int i = 0; i < 4; ++i) {
                Four<Scalar> line;
                for (int j = 0; j < 4; ++j) line.values[j] = sums[piece][c][i][j];
                put_four(to + i * Tile::piece_stride + c * 32, line);
            }
        }
    }
};

/// Sums on tensor cores: factors rounded to 11 significant bits, sums in float.
template <class Tile, class Scalar>
struct TensorSums {
    static constexpr bool runs_here = has_tf32;
    static constexpr int down = Tile::pieces, across = Tile::warp_columns / 8;
    float sums[down][across][4];

    static __device__ float factor(float x) { return to_tf32(x); }

    __device__ void clear() {
        for (auto& row : sums)
            for (auto& block : row)
                for (float& sum : block) sum = 0;
    }

    __device__ void add(const float* a, const float* b) {
        const int group = Tile::lane() / 4, of_group = Tile::lane() % 4;
        const Places places{of_group, group};
        a += of_group * Tile::rows + Tile::warp_row();
        b += of_group * Tile::columns + Tile::warp_column();
#pragma unroll 1
        for (int k = 0; k < tile_depth; k += 8) {
            float of_a[down][4], of_b[across][2];
            for (int i = 0; i < 2; ++i) {
                const int step = k + i * 4;
                for (int r = 0; r < down; ++r) {
                    for (int half = 0; half < 2; ++half) {
                        of_a[r][i * 2 + half] =
                            a[step * Tile::rows + places.at((r * 2 + half) ^ (step / 4))];
                    }
                }
                for (int c = 0; c < across; ++c) {
                    of_b[c][i] =
                        b[step * Tile::columns + c / 4 * 32 + places.at((c % 4) ^ (step / 4))];
                }
            }
            for (int r = 0; r < down; ++r)
                for (int c = 0; c < across; ++c) mma_16x8x8(sums[r][c], of_a[r], of_b[c]);
        }
    }

    __device__ void write(int piece, float* to) const {
        to += Tile::lane() / 4 * Tile::piece_stride + Tile::lane() % 4 * 2;
        for (int c = 0; c < across; ++c) {
            for (int half = 0; half < 2; ++half) {
                const float* const pair = sums[piece][c] + half * 2;
                *reinterpret_cast<float2*>(to + half * 8 * Tile::piece_stride + c * 8) =
                    make_float2(pair[0], pair[1]);
            }
        }
    }
};

/// What a thread carries of a factor from the device's memory to a tile: fours as they lie, or where
/// they cannot be read at once, numbers one by one: four lanes four side by side where Source::reads_by_lanes.
template <class Tile, int extent, class Source, class Scalar, bool always_fours>
class Carrier {
public:
    static constexpr int count = extent * tile_depth / 4 / Tile::threads;

    __device__ Carrier(const Source& source, int first)
        : by_lanes_(reads_by_lanes && !source.fours) {
        for (int i = 0; i < outers; ++i) {
            outer_[i] = source.outer(first + column() + (Source::along_depth ? i * columns : i));
        }
    }

    /// Reads what lies from step k on.
    __device__ void read(const Source& source, int k) {
        k += row();
        if constexpr (Source::along_depth) {
            if (always_fours || source.fours) {
                const auto inner = source.inner(k);
                for (int j = 0; j < count; ++j) carried_[j] = source.four(outer_[j], inner);
            } else {
                typename Source::Inner inners[4];
                for (int i = 0; i < 4; ++i) inners[i] = source.inner(k + i * step());
                for (int j = 0; j < count; ++j) {
                    for (int i = 0; i < 4; ++i) {
                        carried_[j].values[i] = source.at(outer_[j], inners[i]);
                    }
                }
            }
        } else {
            for (int j = 0; j < count; ++j) {
                const auto inner = source.inner(k + j * rows);
                if (always_fours || source.fours) {
                    carried_[j] = source.four(outer_[0], inner);
                } else {
                    for (int i = 0; i < outers; ++i)
                        carried_[j].values[i] = source.at(outer_[i], inner);
                }
            }
        }
    }

    template <class Sums>
    __device__ void write(Scalar* tile) {
        for (int j = 0; j < count; ++j) {
            Four<Scalar> factors;
            if constexpr (Source::sums_columns) {
                for (int i = 0; i < 4; ++i) sums_.values[i] += carried_[j].values[i];
            }
            for (int i = 0; i < 4; ++i) factors.values[i] = Sums::factor(carried_[j].values[i]);
            if constexpr (Source::along_depth) {
                for (int i = 0; i < 4; ++i) {
                    const int k = row() + i * step(), c = column() + j * columns;
                    tile[k * extent + swizzled(k, c)] = factors.values[i];
                }
            } else {
                const int k = row() + j * rows;
                put_four(tile + k * extent + swizzled(k, column()), factors);
            }
        }
    }

    /// The sums of what the threads carried of each column, line by line of threads, to their places:
    /// added to what is there but for the first time. Of a matrix not along the depth. All threads of
    /// the block call it.
    __device__ void write_column_sums(Scalar* memory, Scalar* to, int columns_there, bool first) {
        static_assert(!Source::along_depth);
        put_four(memory + row() * extent + column(), sums_);
        sums_ = {};
        __syncthreads();
        for (int c = thread(); c < columns_there; c += Tile::threads) {
            Scalar sum = 0;
            for (int line = 0; line < rows; ++line) sum += memory[line * extent + c];
            to[c] = first ? sum : to[c] + sum;
        }
        __syncthreads();
    }

private:
    /// How many rows, or columns, of the tile all threads write together.
    static constexpr int columns = Tile::threads / (tile_depth / 4);
    static constexpr int rows = Tile::threads / (extent / 4);
    static constexpr int outers = Source::along_depth ? count : (always_fours ? 1 : 4);

    static __device__ int thread() { return static_cast<int>(threadIdx.x); }
    /// The tile's row, and column, of the thread's first number.
    __device__ int row() const {
        if constexpr (!Source::along_depth) return thread() / (extent / 4);
        const int quarter = thread() % (tile_depth / 4);
        return by_lanes() ? quarter : quarter * 4;
    }
    static __device__ int column() {
        return Source::along_depth ? thread() / (tile_depth / 4) : thread() % (extent / 4) * 4;
    }

    /// Whether four lanes read four numbers side by side, and not each lane four.
    __device__ bool by_lanes() const { return reads_by_lanes && by_lanes_; }
    __device__ int step() const { return by_lanes() ? 4 : 1; }

    static constexpr bool reads_by_lanes = Source::reads_by_lanes && !always_fours;
    bool by_lanes_;
    typename Source::Outer outer_[outers];
    Four<Scalar> carried_[count];
    Four<Scalar> sums_ = {};  ///< of columns
};

}  // namespace weft::kernels::cuda
