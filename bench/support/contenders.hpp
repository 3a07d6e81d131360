/// \file
/// The libraries that run beside weft in this program, where they were found when it was built.
#pragma once

#include "weft/kernels/cpu/convolution.hpp"

#include <functional>
#include <string>

namespace weft::bench {

#if defined(WEFT_BENCH_ONEDNN)
inline constexpr bool has_onednn = true;
#else
inline constexpr bool has_onednn = false;
#endif
#if defined(WEFT_BENCH_OPENBLAS)
inline constexpr bool has_openblas = true;
#else
inline constexpr bool has_openblas = false;
#endif

/// A matrix in row-major memory, taken as it lies there or transposed.
struct GemmOperand {
    const float* data;
    Index row_stride;
    bool transposed = false;
};

/// C = op(A) op(B):  op(A) (rows, depth)   op(B) (depth, columns)   C (rows, columns), dense.
struct Gemm {
    Index rows, columns, depth;
    GemmOperand a, b;
    float* c;
};

void gemm_eigen(const Gemm& gemm);
void gemm_onednn(const Gemm& gemm);    ///< dnnl_sgemm; only where has_onednn
void gemm_openblas(const Gemm& gemm);  ///< cblas_sgemm; only where has_openblas

std::string onednn_version();    ///< such as "2.6.3"; only where has_onednn
std::string openblas_version();  ///< such as "0.3.21 SkylakeX"; only where has_openblas

enum class ConvolutionPass { forward, input_gradient, filter_gradient };

/// Which layouts oneDNN computes in. The data are NHWC and the filters HWIO, as a user's are;
/// conversions to and from other layouts are part of each call.
enum class OneDnnLayout {
    any,   ///< those that oneDNN likes best for images and filters
    nhwc,  ///< images stay as they are; filters in the layout that oneDNN likes best
};

/// A call of oneDNN's convolution over these arrays: writes y, x or w as the pass says. Only where
/// has_onednn. c has one group.
///
///   x (images, H, W, C)   w (kh, kw, C, F)   y (images, OH, OW, F)
std::function<void()> onednn_convolution(const kernels::Convolution& c, Index images,
                                         ConvolutionPass pass, OneDnnLayout layout, float* x,
                                         float* w, float* y);

/// A call of oneDNN's pooling, the backward one after a forward over the same x: writes y, or x
/// from y, as gradients. Images stay NHWC. Only where has_onednn.
std::function<void()> onednn_pooling(const kernels::Window2D& window, Index images, bool is_max,
                                     bool forward, float* x, float* y);

/// The arrays of batch normalisation: x, y, dy, dx (rows, columns), the others (columns).
struct BatchNormArrays {
    float *x, *y, *dy, *dx, *gamma, *beta, *dgamma, *dbeta;
};

/// A call of oneDNN's batch normalisation in training, the backward one after a forward. rows is a
/// multiple of 32, as of a batch of 32 images. Only where has_onednn.
std::function<void()> onednn_batch_norm(Index rows, Index columns, float epsilon, bool forward,
                                        const BatchNormArrays& arrays);

}  // namespace weft::bench
