/// \file
/// Mean and variance of the columns of a matrix: in a pass of its own, or as a product stores it.
///
/// With d = x - s, s a number of the column, one pass is enough:  mean = s + sum d / R,
/// variance = (sum d^2 - (sum d)^2 / R) / R.  Its cancellation is bounded: (mean - s)^2 <= R variance.
/// So sums in double that are off by e 2^-53 change the variance by at most 2 (R + 1) e 2^-53 of it,
/// and by a few e 2^-53 unless s is far off the others. That d is rounded to Scalar moves mean and
/// deviation by at most u max |d|, u = eps / 2.
#pragma once

#include "columns.cuh"

#include <cmath>

namespace weft::kernels::cuda {

template <class Scalar>
__device__ Scalar inverse_deviation_of(Scalar variance, Scalar epsilon) {
    return Scalar(1) / std::sqrt(variance + epsilon);
}

/// What a batch norm wants of the moments of a batch.
template <class Scalar>
struct Moments {
    Scalar momentum, epsilon;
    Scalar *moving_mean, *moving_variance, *mean, *inverse_deviation;

    /// From the sums of d and d^2 over the rows of column c, shift = s.
    __device__ void finish(int c, double share, double shift, const Sums<2>& sums) const {
        const double d = sums[0] * share;
        const auto of_batch = static_cast<Scalar>(shift + d);
        const auto variance = static_cast<Scalar>((sums[1] - sums[0] * d) * share);
        mean[c] = of_batch;
        inverse_deviation[c] = inverse_deviation_of(variance, epsilon);
        moving_mean[c] = momentum * moving_mean[c] + (1 - momentum) * of_batch;
        moving_variance[c] = momentum * moving_variance[c] + (1 - momentum) * variance;
    }
};

/// In a pass of its own over x (rows, columns). s is of the first row.
template <class Scalar>
void take_moments(Cuda& device, Index rows, Index columns, const Scalar* x,
                  const Moments<Scalar>& moments) {
    const double share = 1 / static_cast<double>(rows == 0 ? 1 : rows);
    sum_columns<2>(
        device, rows, columns,
        [=] __device__(int i, int c, Sums<2>& sums) {
            const auto d = static_cast<double>(x[i] - x[c]);
            sums[0] += d;
            sums[1] += d * d;
        },
        [=] __device__(int c, const Sums<2>& sums) {
            moments.finish(c, share, rows == 0 ? 0 : static_cast<double>(x[c]), sums);
        });
}

/// The same where tiles of x are stored. Each has sums of its own, with s of its first row; they are
/// added up as a tree, most_of_node at a time, with s of the first:
///   sum (d + e) = sum d + n e,   sum (d + e)^2 = sum d^2 + e (2 sum d + n e).
/// A sum goes through at most 128 terms of a thread, 4 threads, and 32 nodes at each of the levels.
template <class Scalar>
struct TileMoments {
    static constexpr int most_of_node = 32;

    Moments<Scalar> moments;
    bool is_wanted = false;
    double* parts = nullptr;  ///< (row tiles, columns of all groups, 2); null: not here
    unsigned* tickets = nullptr;

    /// Tickets for a column of so many tiles.
    __host__ __device__ static int tickets_of(int tiles) {
        int count = 0;
        while (tiles > 1) count += tiles = ceil_div(tiles, most_of_node);
        return count;
    }
};

/// The sums of the block's lines of threads, on the first line.
template <class Tile>
__device__ Sums<2> sums_of_lines(Sums<2> sums) {
    constexpr int width = Tile::columns, lines = Tile::threads / width;
    if constexpr (lines > 1) {
        auto& of_threads = shared<double[2][std::size_t{Tile::threads}], 220>();
        const int thread = static_cast<int>(threadIdx.x);
        __syncthreads();  // sums before these may still be read
        for (int k = 0; k < 2; ++k) of_threads[k][thread] = sums[k];
        __syncthreads();
        if (thread < width) {
            for (int line = 1; line < lines; ++line) {
                for (int k = 0; k < 2; ++k) sums[k] += of_threads[k][line * width + thread];
            }
        }
    }
    return sums;
}

/// Of a block that has stored its tile of x (rows, columns), of that group. All threads call it.
template <class Tile, class Scalar>
__device__ void take_moments_of_tile(const TileMoments<Scalar>& of, const Scalar* x, int stride,
                                     int rows, int columns, int group, int groups) {
    constexpr int width = Tile::columns, lines = Tile::threads / width;
    const int line = static_cast<int>(threadIdx.x) / width;
    const int c = static_cast<int>(blockIdx.y) * width + static_cast<int>(threadIdx.x) % width;
    const int in_all = group * columns + c, all = groups * columns;
    int count = ceil_div(rows, Tile::rows), block = static_cast<int>(blockIdx.x), unit = Tile::rows;
    unsigned* tickets =
        of.tickets + (group * static_cast<int>(gridDim.y) + static_cast<int>(blockIdx.y)) *
                         TileMoments<Scalar>::tickets_of(count);
    Sums<2> sums;
    if (c < columns) {
        const int first = block * unit;
        const Scalar shift = x[first * stride + c];
        for (int r = first + line; r < min(first + unit, rows); r += lines) {
            const auto d = static_cast<double>(x[r * stride + c] - shift);
            sums[0] += d;
            sums[1] += d * d;
        }
    }
    sums = sums_of_lines<Tile>(sums);
    while (count > 1) {
        constexpr int most = TileMoments<Scalar>::most_of_node;
        // A node's sums lie where those of its first tile were.
        const int tiles = unit / Tile::rows;
        if (line == 0 && c < columns) {
            double* const part = of.parts + (static_cast<Index>(block) * tiles * all + in_all) * 2;
            for (int k = 0; k < 2; ++k) part[k] = sums[k];
        }
        block /= most;
        const int first = block * most, end = min(first + most, count);
        if (!is_last_block(tickets + block, static_cast<unsigned>(end - first))) return;
        sums = {};
        if (c < columns) {
            const auto shift = static_cast<double>(x[first * unit * stride + c]);
            for (int node = first + line; node < end; node += lines) {
                const volatile double* const part =
                    of.parts + (static_cast<Index>(node) * tiles * all + in_all) * 2;
                const double n = min(unit, rows - node * unit), sum = part[0];
                const double e = static_cast<double>(x[node * unit * stride + c]) - shift;
                sums[0] += sum + n * e;
                sums[1] += part[1] + e * (2 * sum + n * e);
            }
        }
        sums = sums_of_lines<Tile>(sums);
        count = ceil_div(count, most);
        tickets += count;
        unit *= most;
    }
    if (line == 0 && c < columns) {
        of.moments.finish(in_all, 1 / static_cast<double>(rows), static_cast<double>(x[c]), sums);
    }
}

}  // namespace weft::kernels::cuda
