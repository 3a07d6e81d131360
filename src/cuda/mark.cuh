/// \file
/// The mark of a number that is not finite.
#pragma once

#include <cuda_runtime.h>

namespace weft::kernels::cuda {

/// wrong = mark if it is 0 and not null. Threads that come here together bring the same mark. A double
/// and its bits are 0 alike.
__device__ inline void set_mark(double mark, double* wrong) {
    static_assert(sizeof(unsigned long long) == sizeof(double));
    if (wrong == nullptr) return;
    atomicCAS(reinterpret_cast<unsigned long long*>(wrong), 0ULL,
              static_cast<unsigned long long>(__double_as_longlong(mark)));
}

}  // namespace weft::kernels::cuda
