/// \file
/// The block that finishes last goes on: two stages in one launch.
#pragma once

#include "launch.cuh"

#include <gpu/shared.cuh>

namespace weft::kernels::cuda {

/// Whether the calling block is the last of so many to come here; then it sees what the others wrote
/// before they came. All threads of a block call it. The ticket is 0 before, and after the last.
__device__ inline bool is_last_block(unsigned* ticket, unsigned blocks) {
    auto& is_last = shared<bool, 110>();
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        is_last = atomicAdd(ticket, 1U) == blocks - 1;
        if (is_last) *ticket = 0;
    }
    __syncthreads();
    __threadfence();
    return is_last;
}

}  // namespace weft::kernels::cuda
