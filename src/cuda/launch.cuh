/// \file
/// How kernels are started.
#pragma once

#include "context.cuh"
#include "weft/core/shape.hpp"

#include <climits>

namespace weft::kernels::cuda {

/// n as kernels count, in 32 bits. Throws CudaError where it does not fit.
inline int narrow(Index n) {
    if (n < 0 || n > INT_MAX) {
        throw CudaError(concat("cuda: ", n, " elements, expected at most ", INT_MAX));
    }
    return static_cast<int>(n);
}

/// n / d, rounded up.
__host__ __device__ constexpr int ceil_div(int n, int d) { return n / d + (n % d != 0 ? 1 : 0); }

/// Blocks, and the threads of each.
struct Grid {
    dim3 blocks, threads;
};

/// Starts kernel(arguments...) behind all work of the device before. Without blocks down or across
/// there is nothing to do.
template <class... Parameters>
void launch(const Cuda& device, void (*kernel)(Parameters...), const Grid& grid,
            const std::type_identity_t<Parameters>&... arguments) {
    if (grid.blocks.x == 0 || grid.blocks.y == 0) return;
    Context& context = device.context();
    const CurrentGpu current = context.use();
    cudaLaunchConfig_t config{};
    config.gridDim = grid.blocks;
    config.blockDim = grid.threads;
    config.stream = stream_of(device);
    check(cudaLaunchKernelEx(&config, kernel, arguments...), "starting a kernel");
    if (context.waits_for_each) context.synchronize();
}

/// The element of the calling thread, in a grid over elements.
__device__ inline int element() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

template <class Operation>
__global__ void each(int count, Operation operation) {
    const int i = element();
    if (i < count) operation(i);
}

/// operation(i) for each i below count, all at once. It is a `[=] __device__ (int i)`.
template <class Operation>
void for_each(const Cuda& device, Index count, Operation operation) {
    constexpr int threads = 256;
    const int n = narrow(count);
    const Grid grid{dim3(static_cast<unsigned>(ceil_div(n, threads))), dim3(threads)};
    launch(device, each<Operation>, grid, n, operation);
}

}  // namespace weft::kernels::cuda
