// Takes the place of gpu.cpp where weft::cuda is not built.
#include "training.hpp"

std::string gpu_name(const Options&) {
    throw weft::CudaError("--device cuda: built without it; build with -D WEFT_CUDA=ON");
}

Training fit_on_gpu(const Options& options, weft::Model<float>&, const Split&, const Split*) {
    throw weft::CudaError(gpu_name(options));
}
