/// \file
/// Of a build without cuDNN.
#include "../library_convolutions.cuh"

namespace weft::kernels {

bool Cuda::has_cudnn() { return false; }

namespace cuda {

std::shared_ptr<ConvolutionLibrary> open_convolution_library() {
    throw CudaError("Cuda: weft::cuda was built without cuDNN; -D WEFT_CUDA_CUDNN=ON builds it in");
}

bool convolve_by_library(Cuda&, const Convolution&, Index, const float*, const float*,
                         const Output<float>&) {
    return false;
}
bool input_gradient_by_library(Cuda&, const Convolution&, Index, const float*, const float*,
                               const Output<float>&) {
    return false;
}
bool filter_gradient_by_library(Cuda&, const Convolution&, Index, const float*, const float*,
                                float*) {
    return false;
}

}  // namespace cuda
}  // namespace weft::kernels
