/// \file
/// Sums over all elements, in one order whatever the GPU: in double, so that a sum of n terms is off
/// by less than n 2^-53 of the sum of their magnitudes.
#pragma once

#include "last_block.cuh"

#include <algorithm>
#include <gpu/shared.cuh>

namespace weft::kernels::cuda {

/// Threads of a block that reduces, and the most blocks: the last has a thread for the sum of each.
inline constexpr int reduce_threads = 256;
inline constexpr int reduce_blocks = reduce_threads;

/// The sum of the block's values, on its first thread. A tree of fixed shape.
__device__ inline double block_sum(double value) {
    auto& sums = shared<double[reduce_threads / 32], 100>();
    const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
    for (int distance = 16; distance > 0; distance /= 2) {
        value += __shfl_down_sync(0xFFFFFFFFU, value, static_cast<unsigned>(distance));
    }
    __syncthreads();  // a sum before this one may still be read
    if (lane == 0) sums[warp] = value;
    __syncthreads();
    if (threadIdx.x != 0) return 0;
    double sum = 0;
    for (const double of_warp : sums) sum += of_warp;
    return sum;
}

/// finish(sum of term(i)), on one thread of the block that finishes last.
template <class Term, class Finish>
__global__ void reduce_all(int count, Term term, Finish finish, double* block_sums,
                           unsigned* ticket) {
    double sum = 0;
    const auto step = static_cast<Index>(gridDim.x * blockDim.x);
    for (Index i = element(); i < count; i += step) sum += term(static_cast<int>(i));
    sum = block_sum(sum);
    if (gridDim.x > 1) {
        if (threadIdx.x == 0) block_sums[blockIdx.x] = sum;
        if (!is_last_block(ticket, gridDim.x)) return;
        const volatile double* const sums = block_sums;  // not those of a cache
        sum = block_sum(threadIdx.x < gridDim.x ? sums[threadIdx.x] : 0);
    }
    if (threadIdx.x == 0) finish(sum);
}

/// What reduce needs of memory.
inline constexpr std::size_t reduce_bytes = sizeof(double) * reduce_blocks;

/// finish(the sum of term(i) for all i below count), on one thread of the device. `memory` has
/// reduce_bytes.
template <class Term, class Finish>
void reduce(const Cuda& device, std::byte* memory, Index count, Term term, Finish finish) {
    constexpr int terms_per_thread = 8;
    const int n = narrow(count);
    const int blocks = std::clamp(ceil_div(n, reduce_threads * terms_per_thread), 1, reduce_blocks);
    const Grid grid{dim3(static_cast<unsigned>(blocks)), dim3(reduce_threads)};
    launch(device, reduce_all<Term, Finish>, grid, n, term, finish,
           reinterpret_cast<double*>(memory), device.context().tickets);
}

/// The same in the device's scratch.
template <class Term, class Finish>
void reduce(Cuda& device, Index count, Term term, Finish finish) {
    reduce(device, device.scratch(reduce_bytes), count, term, finish);
}

}  // namespace weft::kernels::cuda
