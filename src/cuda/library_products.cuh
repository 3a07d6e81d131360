/// \file
/// Products of float by a library of NVIDIA's, where a device is made with `cublaslt`. A build has
/// library_products.cu, or none/library_products.cu.
#pragma once

#include "product_output.cuh"

namespace weft::kernels::cuda {

/// A factor as it lies in memory; see Matrix.
struct LibraryFactor {
    const float* data;
    int stride;
    bool along_depth;
};

/// C = act(A B + bias) of one group, as multiply has it. False, and nothing is done, where the library
/// has no kernel for it.
bool multiply_by_library(Cuda& device, const ProductShape& shape, const LibraryFactor& a,
                         const LibraryFactor& b, const Output<float>& out);

}  // namespace weft::kernels::cuda
