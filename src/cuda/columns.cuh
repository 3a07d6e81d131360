/// \file
/// Work on the columns of a row-major matrix: sums over rows, in one order whatever the GPU, and
/// passes over elements that know their column.
#pragma once

#include "last_block.cuh"

#include <algorithm>
#include <gpu/shared.cuh>

namespace weft::kernels::cuda {

inline constexpr int column_threads = 256;

/// How a matrix is cut: a block has `width` columns, a power of 2, next to each other, and of these
/// `height` rows at a time. So neighbouring threads read neighbouring elements, of a narrow matrix
/// too. Blocks y share the rows.
struct ColumnPlan {
    int rows, columns, width, row_blocks;

    /// Of a matrix whose elements an int can count. A thread has terms_per_thread rows, more where
    /// that took over most_blocks.
    ColumnPlan(Index all_rows, Index all_columns, int most_width = 32, int most_blocks = 512)
        : rows(narrow(all_rows)), columns(narrow(all_columns)), width(1) {
        constexpr int terms_per_thread = 16, always_allowed = 16;
        narrow(all_rows * all_columns);
        while (width < most_width && width < columns) width *= 2;
        const int most = std::max(most_blocks / std::max(column_blocks(), 1), always_allowed);
        row_blocks = std::clamp(ceil_div(rows, height() * terms_per_thread), 1, most);
    }

    __host__ __device__ int height() const { return column_threads / width; }
    int column_blocks() const { return ceil_div(columns, width); }

    Grid grid() const {
        return {dim3(static_cast<unsigned>(column_blocks()), static_cast<unsigned>(row_blocks)),
                dim3(column_threads)};
    }
    __device__ int column() const {
        return static_cast<int>(blockIdx.x) * width + static_cast<int>(threadIdx.x) % width;
    }

    /// operation(i) for each element i of the thread's column that is the thread's, in order.
    template <class Operation>
    __device__ void each(const Operation& operation) const {
        const int first =
            static_cast<int>(blockIdx.y) * height() + static_cast<int>(threadIdx.x) / width;
        const Index step = static_cast<Index>(gridDim.y) * height();
        for (Index row = first; row < rows; row += step) {
            operation(static_cast<int>(row) * columns + column());
        }
    }
};

/// Some sums of one column.
template <int count>
struct Sums {
    double of[std::size_t{count}] = {};

    __device__ double& operator[](int i) { return of[i]; }
    __device__ double operator[](int i) const { return of[i]; }
};

/// The sums of the block's threads of a column, one of `width`, for those of its first row. A tree of
/// fixed shape.
template <int count>
__device__ Sums<count> sums_of_block(int width, Sums<count> sums) {
    const int thread = static_cast<int>(threadIdx.x);
    auto& of_threads = shared<double[std::size_t{count}][column_threads], 120>();
    __syncthreads();  // sums before these may still be read
    for (int k = 0; k < count; ++k) of_threads[k][thread] = sums[k];
    for (int half = column_threads / 2; half >= width; half /= 2) {
        __syncthreads();
        if (thread >= half) continue;
        for (int k = 0; k < count; ++k) of_threads[k][thread] += of_threads[k][thread + half];
    }
    for (int k = 0; k < count; ++k) sums[k] = of_threads[k][thread];
    return sums;
}

/// finish(c, sums) of each column, on a thread of the block that has all of its rows, or that
/// finishes last of those that share them.
template <int count, class Term, class Finish>
__global__ void sums_of_columns(ColumnPlan plan, Term term, Finish finish, double* block_sums,
                                unsigned* tickets) {
    const int c = plan.column();
    const bool has_sums = static_cast<int>(threadIdx.x) < plan.width && c < plan.columns;
    Sums<count> sums;
    if (c < plan.columns) {
        plan.each([&](int i) { term(i, c, sums); });
    }
    sums = sums_of_block(plan.width, sums);
    if (gridDim.y > 1) {
        const int place = (static_cast<int>(blockIdx.y) * plan.columns + c) * count;
        for (int k = 0; has_sums && k < count; ++k) block_sums[place + k] = sums[k];
        if (!is_last_block(tickets + blockIdx.x, gridDim.y)) return;
        sums = {};
        const int rows = static_cast<int>(gridDim.y);
        for (int row = static_cast<int>(threadIdx.x) / plan.width; c < plan.columns && row < rows;
             row += plan.height()) {
            const volatile double* const of_block = block_sums + (row * plan.columns + c) * count;
            for (int k = 0; k < count; ++k) sums[k] += of_block[k];
        }
        sums = sums_of_block(plan.width, sums);
    }
    if (has_sums) finish(c, sums);
}

/// What sum_columns of so many sums a column needs of memory.
inline std::size_t column_bytes(Index rows, Index columns, int count) {
    const ColumnPlan plan(rows, columns);
    return static_cast<std::size_t>(plan.row_blocks) * static_cast<std::size_t>(columns) *
           static_cast<std::size_t>(count) * sizeof(double);
}

/// For each column c of a (rows, columns) matrix: term(i, c, sums) for each of its elements i, which
/// adds to the sums, then finish(c, sums), on one thread of the device. `memory` has column_bytes.
/// A sum is off by at most (rows / 128 + 100) 2^-53 of the sum of its magnitudes: a thread has 16
/// rows or more, and a tree of 8 additions, up to 64 of blocks, and 8 again follow.
template <int count, class Term, class Finish>
void sum_columns(const Cuda& device, std::byte* memory, Index rows, Index columns, Term term,
                 Finish finish) {
    ColumnPlan plan(rows, columns);
    // With so many columns, blocks enough have all rows.
    if (plan.column_blocks() > Context::most_tickets) plan.row_blocks = 1;
    launch(device, sums_of_columns<count, Term, Finish>, plan.grid(), plan, term, finish,
           reinterpret_cast<double*>(memory), device.context().tickets);
}

/// The same of one matrix, in the device's scratch.
template <int count, class Term, class Finish>
void sum_columns(Cuda& device, Index rows, Index columns, Term term, Finish finish) {
    sum_columns<count>(device, device.scratch(column_bytes(rows, columns, count)), rows, columns,
                       term, finish);
}

template <class Operation>
__global__ void each_of_columns(ColumnPlan plan, Operation operation) {
    if (plan.column() < plan.columns) plan.each(operation(plan.column()));
}

/// operation(c)(i) for each element i of each column c of a (rows, columns) matrix. A thread stays
/// in a column, so it calls operation(c), which gives a function, once for many elements.
template <class Operation>
void for_each_of_columns(const Cuda& device, Index rows, Index columns, Operation operation) {
    constexpr int most_of_grid = 65535;
    const ColumnPlan plan(rows, columns, 32, most_of_grid);
    launch(device, each_of_columns<Operation>, plan.grid(), plan, operation);
}

}  // namespace weft::kernels::cuda
