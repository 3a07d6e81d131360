/// \file
/// Work on the rows of a matrix, each by a team of threads: a warp, or a block for a long row. Which
/// of them depends on the columns alone, so a row has the same bits alone and in a batch.
#pragma once

#include "launch.cuh"

#include <gpu/shared.cuh>
#include <limits>

namespace weft::kernels::cuda {

/// Rows up to this length have a warp: 32 elements a lane.
inline constexpr int longest_row_of_warp = 1024;
inline constexpr int row_block = 256;

/// The threads of one row, this one being the rank-th.
template <int threads>
struct RowTeam {
    int rank;

    /// operation(c) for each column c, every thread on its own ones. They are the same in each call,
    /// so a thread finds what it wrote there before.
    template <class Operation>
    __device__ void each(int columns, const Operation& operation) const {
        for (int c = rank; c < columns; c += threads) operation(c);
    }

    /// Whether column c is one of this thread's.
    __device__ bool has(int c) const { return c % threads == rank; }

    /// All threads' values together, the same on each thread: a tree of fixed shape. operation is
    /// commutative.
    template <class Value, class Operation>
    __device__ Value combine(Value value, const Operation& operation) const {
        for (int distance = 16; distance > 0; distance /= 2) {
            value = operation(value, __shfl_xor_sync(0xFFFFFFFFU, value, distance));
        }
        if constexpr (threads > 32) {
            auto& of_warps = shared<Value[std::size_t{threads / 32}], 110>();
            __syncthreads();  // values before these may still be read
            if (rank % 32 == 0) of_warps[rank / 32] = value;
            __syncthreads();
            value = of_warps[0];
            for (int warp = 1; warp < threads / 32; ++warp) {
                value = operation(value, of_warps[warp]);
            }
        }
        return value;
    }

    /// The sum of all threads' values. In double a row of n columns is off by at most
    /// (n / threads + 12) 2^-53 of the sum of its magnitudes.
    template <class Value>
    __device__ Value sum(Value value) const {
        return combine(value, [](Value a, Value b) { return a + b; });
    }

    /// The largest of x (columns); NaN is passed over, -infinity if there is nothing else.
    template <class Scalar>
    __device__ Scalar largest(int columns, const Scalar* x) const {
        const auto larger = [](Scalar a, Scalar b) { return b > a ? b : a; };
        Scalar result = -std::numeric_limits<Scalar>::infinity();
        each(columns, [&](int c) { result = larger(result, x[c]); });
        return combine(result, larger);
    }
};

template <int threads, class Operation>
__global__ void each_row(int rows, Operation operation) {
    const int thread = static_cast<int>(threadIdx.x);
    const int row = static_cast<int>(blockIdx.x) * (row_block / threads) + thread / threads;
    if (row < rows) operation(row, RowTeam<threads>{thread % threads});
}

/// operation(row, team) on each row of a (rows, columns) matrix, whose elements an int can count. It
/// is a `[=] __device__ (int row, auto team)`.
template <class Operation>
void for_each_row(const Cuda& device, Index rows, Index columns, Operation operation) {
    narrow(rows * columns);
    const int count = narrow(rows);
    const auto grid = [](int blocks) {
        return Grid{dim3(static_cast<unsigned>(blocks)), dim3(row_block)};
    };
    if (columns <= longest_row_of_warp) {
        launch(device, each_row<32, Operation>, grid(ceil_div(count, row_block / 32)), count,
               operation);
    } else {
        launch(device, each_row<row_block, Operation>, grid(count), count, operation);
    }
}

}  // namespace weft::kernels::cuda
