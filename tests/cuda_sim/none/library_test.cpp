/// \file
/// A build without libraries of NVIDIA's. A program of its own, of the files that such a build has.
#include "weft/core/cuda.hpp"
#include "weft/core/error.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("a library that a build is without is refused, and nothing else") {
    CHECK_FALSE(Cuda::has_cublaslt());
    CHECK_THROWS_WITH_AS(
        Cuda({.cublaslt = true}),
        "Cuda: weft::cuda was built without cuBLASLt; -D WEFT_CUDA_CUBLASLT=ON builds it in",
        CudaError);
    CHECK_FALSE(Cuda::has_cudnn());
    CHECK_THROWS_WITH_AS(
        Cuda({.cudnn = true}),
        "Cuda: weft::cuda was built without cuDNN; -D WEFT_CUDA_CUDNN=ON builds it in", CudaError);
    CHECK_NOTHROW(Cuda({.second_stream = false}));
}
