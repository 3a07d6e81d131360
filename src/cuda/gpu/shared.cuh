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

/// The shared memory behind a kernel's arrays, of as many bytes as its launch asks for.
template <class T>
__device__ T* dynamic_shared() {
    extern __shared__ __align__(16) unsigned char dynamic_memory[];
    return reinterpret_cast<T*>(dynamic_memory);
}

}  // namespace weft::kernels::cuda
