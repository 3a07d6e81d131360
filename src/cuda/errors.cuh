/// \file
/// Every status of CUDA is looked at.
#pragma once

#include "weft/core/error.hpp"

#include <cuda_runtime.h>

namespace weft::kernels::cuda {

/// Throws CudaError that names what was done, the status and the place, unless that is success.
inline void check(cudaError_t status, const char* what, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
    if (status == cudaSuccess) return;
    throw CudaError(concat("cuda: ", what, ": ", cudaGetErrorName(status), ", ",
                           cudaGetErrorString(status), " (", file, ":", line, ")"));
}

}  // namespace weft::kernels::cuda
