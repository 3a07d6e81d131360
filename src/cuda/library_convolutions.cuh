/// \file
/// Convolutions of float by a library of NVIDIA's, where a device is made with `cudnn`. A build has
/// library_convolutions.cu, or none/library_convolutions.cu.
///
/// All give false, and do nothing, where the library is not asked for or has no kernel: weft's own is
/// run then. Tensors are of `samples` images.
#pragma once

#include "product_output.cuh"
#include "weft/kernels/convolution.hpp"

namespace weft::kernels::cuda {

/// Y = act(windows of X times W + b), where `y` says: all filters are one group of columns.
bool convolve_by_library(Cuda& device, const Convolution& c, Index samples, const float* x,
                         const float* w, const Output<float>& y);
/// dX of the gradients G of the outputs, where `dx` says.
bool input_gradient_by_library(Cuda& device, const Convolution& c, Index samples, const float* g,
                               const float* w, const Output<float>& dx);
/// dW, without the gradient of the bias.
bool filter_gradient_by_library(Cuda& device, const Convolution& c, Index samples, const float* x,
                                const float* g, float* dw);

inline bool convolve_by_library(Cuda&, const Convolution&, Index, const double*, const double*,
                                const Output<double>&) {
    return false;
}
inline bool input_gradient_by_library(Cuda&, const Convolution&, Index, const double*,
                                      const double*, const Output<double>&) {
    return false;
}
inline bool filter_gradient_by_library(Cuda&, const Convolution&, Index, const double*,
                                       const double*, double*) {
    return false;
}

}  // namespace weft::kernels::cuda
