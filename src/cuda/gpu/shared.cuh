/// \file
/// Shared memory.
#pragma once

namespace weft::kernels::cuda {

/// An array of the block's, the same for each of its threads, undefined at first. Each array of a
/// kernel has a tag of its own.
template <class T, int tag>
__device__ T& shared() {
    __shared__ T array;
    return array;
}

}  // namespace weft::kernels::cuda
