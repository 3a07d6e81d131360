/// \file
/// Of a build without cuBLASLt.
#include "../library_products.cuh"

namespace weft::kernels {

bool Cuda::has_cublaslt() { return false; }

namespace cuda {

std::shared_ptr<ProductLibrary> open_product_library() {
    throw CudaError(
        "Cuda: weft::cuda was built without cuBLASLt; -D WEFT_CUDA_CUBLASLT=ON builds it in");
}

bool multiply_by_library(Cuda&, const ProductShape&, const LibraryFactor&, const LibraryFactor&,
                         const Output<float>&) {
    return false;
}

}  // namespace cuda
}  // namespace weft::kernels
