// The stand-in for cuDNN: sums in double, element by element.
#include "tests/cuda_sim/cudnn.h"

#include "fail.hpp"
#include "memory.hpp"
#include "runtime.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <type_traits>
#include <vector>

using namespace cuda_sim;

struct cudnnContext {
    cudaStream_t stream = nullptr;
    bool has_stream = false;
};
struct cudnnTensorStruct {
    int n = 0, c = 0, h = 0, w = 0;
    std::size_t bytes() const { return sizeof(float) * static_cast<std::size_t>(n * c * h * w); }
};
struct cudnnFilterStruct : cudnnTensorStruct {};
struct cudnnConvolutionStruct {
    int pad[2] = {}, stride[2] = {}, dilation[2] = {};
    int groups = 1;
    cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};

namespace {

void require(bool holds, const char* what) {
    if (!holds) fail(std::string("cudnn: ") + what);
}

/// To 11 significant bits, half to even.
float rounded_to_tf32(float x) {
    if (!std::isfinite(x)) return x;
    auto bits = std::bit_cast<std::uint32_t>(x);
    bits += 0xFFFU + ((bits >> 13) & 1U);
    return std::bit_cast<float>(bits & ~0x1FFFU);
}

/// The number of the kernel that weft takes, and of one without an order.
template <class Algorithm>
constexpr int taken = std::is_same_v<Algorithm, cudnnConvolutionFwdAlgo_t> ? 0 : 1;
template <class Algorithm>
constexpr int unordered = 1 - taken<Algorithm>;

/// Scratch of the kernel that weft takes; one that needs far more comes before it.
constexpr std::size_t scratch_bytes = 1000, too_many_bytes = std::size_t{1} << 40;

/// A convolution, as all that takes part in it says.
struct Sizes {
    cudnnTensorStruct x, y;
    cudnnFilterStruct w;
    cudnnConvolutionStruct convolution;

    bool fit() const {
        const auto length = [&](int axis, int input, int window) {
            const int extent = (window - 1) * convolution.dilation[axis] + 1;
            const int left = input + 2 * convolution.pad[axis] - extent;
            return left < 0 ? 0 : left / convolution.stride[axis] + 1;
        };
        const int groups = convolution.groups;
        return x.n == y.n && w.n == y.c && x.c == w.c * groups && y.c % groups == 0 &&
               y.h == length(0, x.h, w.h) && y.w == length(1, x.w, w.w) && y.h > 0 && y.w > 0;
    }

    /// each(place in x, place in w, place in y) for each product.
    template <class Each>
    void for_products(const Each& each) const {
        const int group_filters = y.c / convolution.groups;
        for (int n = 0; n < y.n; ++n) {
            for (int row = 0; row < y.h; ++row) {
                for (int column = 0; column < y.w; ++column) {
                    for (int i = 0; i < w.h; ++i) {
                        const int h = row * convolution.stride[0] + i * convolution.dilation[0] -
                                      convolution.pad[0];
                        if (h < 0 || h >= x.h) continue;
                        for (int j = 0; j < w.w; ++j) {
                            const int at = column * convolution.stride[1] +
                                           j * convolution.dilation[1] - convolution.pad[1];
                            if (at < 0 || at >= x.w) continue;
                            for (int k = 0; k < y.c; ++k) {
                                const int first = k / group_filters * w.c;
                                for (int c = 0; c < w.c; ++c) {
                                    each(((n * x.h + h) * x.w + at) * x.c + first + c,
                                         ((k * w.h + i) * w.w + j) * w.c + c,
                                         ((n * y.h + row) * y.w + column) * y.c + k);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
};

/// result = sum of one * other over the products, at the places that `places` makes of them.
template <class Places>
std::function<void()> sums(const Sizes& sizes, const void* one, const void* other, void* result,
                           std::size_t result_bytes, const Places& places) {
    const bool tf32 = sizes.convolution.math != CUDNN_FMA_MATH;
    return [=] {
        const auto of = [tf32](float value) {
            return static_cast<double>(tf32 ? rounded_to_tf32(value) : value);
        };
        const auto* const a = static_cast<const float*>(one);
        const auto* const b = static_cast<const float*>(other);
        auto* const to = static_cast<float*>(result);
        std::vector<double> totals(result_bytes / sizeof(float));
        sizes.for_products([&](int x, int w, int y) {
            const auto [from_a, from_b, at] = places(x, w, y);
            totals[static_cast<std::size_t>(at)] += of(a[from_a]) * of(b[from_b]);
        });
        for (std::size_t i = 0; i < totals.size(); ++i) to[i] = static_cast<float>(totals[i]);
    };
}

struct Factors {
    int one, other, result;
};

bool is_in_memory(const void* first, std::size_t bytes) {
    return Memory::get().holds(first, bytes, /*is_device=*/true);
}

/// Puts the work on the handle's stream.
template <class Algorithm>
cudnnStatus_t submit(cudnnHandle_t handle, const Sizes& sizes, Algorithm algorithm,
                     const void* alpha, const void* beta, const void* x, const void* w,
                     const void* y, void* workspace, std::size_t workspace_bytes,
                     const void* function, const std::function<void()>& work) {
    require(handle != nullptr && handle->has_stream, "no handle, or none with a stream");
    require(*static_cast<const float*>(alpha) == 1 && *static_cast<const float*>(beta) == 0,
            "the stand-in knows alpha 1 and beta 0");
    if (options().library_refuses) return CUDNN_STATUS_NOT_SUPPORTED;
    require(sizes.fit(), "descriptors do not fit together");
    require(algorithm == taken<Algorithm>,
            "a kernel whose sums have no fixed order, or that needs more scratch");
    require(is_in_memory(x, sizes.x.bytes()) && is_in_memory(w, sizes.w.bytes()) &&
                is_in_memory(y, sizes.y.bytes()),
            "a tensor is not in device memory");
    require(workspace_bytes >= scratch_bytes && is_in_memory(workspace, workspace_bytes),
            "scratch is missing");
    const auto run = [=] {
        std::memset(workspace, 0xFF, workspace_bytes);
        work();
    };
    const cudaError_t status = on_stream(handle->stream, [&](CUstream_st& stream) {
        stream.submit({Work::Kind::kernel, run, function, nullptr, nullptr});
        return cudaSuccess;
    });
    return status == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

/// What is found: kernels without an order, with another rounding, with too much scratch, and one.
template <class Algorithm>
cudnnStatus_t find(cudnnHandle_t handle, const Sizes& sizes, int most, int* count,
                   cudnnFound<Algorithm>* found) {
    require(handle != nullptr, "no handle");
    *count = 0;
    if (!sizes.fit()) return CUDNN_STATUS_BAD_PARAM;
    if (!options().library_has_kernels) return CUDNN_STATUS_NOT_SUPPORTED_SHAPE;
    const cudnnMathType_t math = sizes.convolution.math;
    const cudnnFound<Algorithm> all[] = {
        {Algorithm(6), CUDNN_STATUS_NOT_SUPPORTED, -1, 0, CUDNN_DETERMINISTIC, math, {}},
        {Algorithm(unordered<Algorithm>),
         CUDNN_STATUS_SUCCESS,
         1,
         0,
         CUDNN_NON_DETERMINISTIC,
         math,
         {}},
        {Algorithm(3),
         CUDNN_STATUS_SUCCESS,
         2,
         0,
         CUDNN_DETERMINISTIC,
         CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION,
         {}},
        {Algorithm(4), CUDNN_STATUS_SUCCESS, 3, too_many_bytes, CUDNN_DETERMINISTIC, math, {}},
        {Algorithm(5), CUDNN_STATUS_SUCCESS, 4, 0, CUDNN_DETERMINISTIC, math, {}},
        {Algorithm(taken<Algorithm>),
         CUDNN_STATUS_SUCCESS,
         5,
         scratch_bytes,
         CUDNN_DETERMINISTIC,
         math,
         {}}};
    for (const auto& each : all) {
        if (*count < most) found[(*count)++] = each;
    }
    return CUDNN_STATUS_SUCCESS;
}

template <class Algorithm>
cudnnStatus_t scratch_of(Algorithm algorithm, std::size_t* bytes) {
    if (algorithm == 5) return CUDNN_STATUS_NOT_SUPPORTED;  // though it was found
    *bytes = algorithm == taken<Algorithm> ? scratch_bytes : algorithm == 4 ? too_many_bytes : 0;
    return CUDNN_STATUS_SUCCESS;
}

template <class Struct>
cudnnStatus_t create(Struct** made) {
    *made = new Struct;
    count_objects(1);
    return CUDNN_STATUS_SUCCESS;
}
template <class Struct>
cudnnStatus_t destroy(Struct* made) {
    require(made != nullptr, "nothing is destroyed");
    delete made;
    count_objects(-1);
    return CUDNN_STATUS_SUCCESS;
}

}  // namespace

const char* cudnnGetErrorString(cudnnStatus_t status) {
    switch (status) {
        case CUDNN_STATUS_SUCCESS:
            return "CUDNN_STATUS_SUCCESS";
        case CUDNN_STATUS_NOT_INITIALIZED:
            return "CUDNN_STATUS_NOT_INITIALIZED";
        case CUDNN_STATUS_BAD_PARAM:
            return "CUDNN_STATUS_BAD_PARAM";
        case CUDNN_STATUS_NOT_SUPPORTED:
            return "CUDNN_STATUS_NOT_SUPPORTED";
        case CUDNN_STATUS_NOT_SUPPORTED_SHAPE:
            return "CUDNN_STATUS_NOT_SUPPORTED_SHAPE";
    }
    return "unrecognized";
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
    return options().has_library ? create(handle) : CUDNN_STATUS_NOT_INITIALIZED;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) { return destroy(handle); }
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    handle->stream = stream;
    handle->has_stream = true;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensor) {
    return create(tensor);
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor) {
    return destroy(tensor);
}
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor,
                                         cudnnTensorFormat_t /*format*/, cudnnDataType_t /*type*/,
                                         int n, int c, int h, int w) {
    *tensor = {n, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filter) {
    return create(filter);
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter) {
    return destroy(filter);
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t /*type*/,
                                         cudnnTensorFormat_t /*format*/, int k, int c, int h,
                                         int w) {
    *filter = {{k, c, h, w}};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* convolution) {
    return create(convolution);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convolution) {
    return destroy(convolution);
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t convolution, int pad_h,
                                              int pad_w, int stride_h, int stride_w, int dilation_h,
                                              int dilation_w, cudnnConvolutionMode_t /*mode*/,
                                              cudnnDataType_t /*compute*/) {
    *convolution = {{pad_h, pad_w}, {stride_h, stride_w}, {dilation_h, dilation_w}};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t convolution, int groups) {
    convolution->groups = groups;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convolution,
                                          cudnnMathType_t math) {
    convolution->math = math;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(
    cudnnHandle_t handle, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
    cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y, int most, int* count,
    cudnnConvolutionFwdAlgoPerf_t* found) {
    return find(handle, {*x, *y, *w, *convolution}, most, count, found);
}
cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(
    cudnnHandle_t /*handle*/, cudnnTensorDescriptor_t /*x*/, cudnnFilterDescriptor_t /*w*/,
    cudnnConvolutionDescriptor_t /*convolution*/, cudnnTensorDescriptor_t /*y*/,
    cudnnConvolutionFwdAlgo_t algorithm, std::size_t* bytes) {
    return scratch_of(algorithm, bytes);
}
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha,
                                      cudnnTensorDescriptor_t x_of, const void* x,
                                      cudnnFilterDescriptor_t w_of, const void* w,
                                      cudnnConvolutionDescriptor_t convolution,
                                      cudnnConvolutionFwdAlgo_t algorithm, void* workspace,
                                      std::size_t workspace_bytes, const void* beta,
                                      cudnnTensorDescriptor_t y_of, void* y) {
    const Sizes sizes{*x_of, *y_of, *w_of, *convolution};
    return submit(handle, sizes, algorithm, alpha, beta, x, w, y, workspace, workspace_bytes,
                  reinterpret_cast<const void*>(&cudnnConvolutionForward),
                  sums(sizes, x, w, y, y_of->bytes(),
                       [](int of_x, int of_w, int of_y) { return Factors{of_x, of_w, of_y}; }));
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t handle, cudnnFilterDescriptor_t w, cudnnTensorDescriptor_t dy,
    cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t dx, int most, int* count,
    cudnnConvolutionBwdDataAlgoPerf_t* found) {
    return find(handle, {*dx, *dy, *w, *convolution}, most, count, found);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t /*handle*/, cudnnFilterDescriptor_t /*w*/, cudnnTensorDescriptor_t /*dy*/,
    cudnnConvolutionDescriptor_t /*convolution*/, cudnnTensorDescriptor_t /*dx*/,
    cudnnConvolutionBwdDataAlgo_t algorithm, std::size_t* bytes) {
    return scratch_of(algorithm, bytes);
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                           cudnnFilterDescriptor_t w_of, const void* w,
                                           cudnnTensorDescriptor_t dy_of, const void* dy,
                                           cudnnConvolutionDescriptor_t convolution,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                           std::size_t workspace_bytes, const void* beta,
                                           cudnnTensorDescriptor_t dx_of, void* dx) {
    const Sizes sizes{*dx_of, *dy_of, *w_of, *convolution};
    return submit(handle, sizes, algorithm, alpha, beta, dx, w, dy, workspace, workspace_bytes,
                  reinterpret_cast<const void*>(&cudnnConvolutionBackwardData),
                  sums(sizes, dy, w, dx, dx_of->bytes(),
                       [](int of_x, int of_w, int of_y) { return Factors{of_y, of_w, of_x}; }));
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t handle, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t dy,
    cudnnConvolutionDescriptor_t convolution, cudnnFilterDescriptor_t dw, int most, int* count,
    cudnnConvolutionBwdFilterAlgoPerf_t* found) {
    return find(handle, {*x, *dy, *dw, *convolution}, most, count, found);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t /*handle*/, cudnnTensorDescriptor_t /*x*/, cudnnTensorDescriptor_t /*dy*/,
    cudnnConvolutionDescriptor_t /*convolution*/, cudnnFilterDescriptor_t /*dw*/,
    cudnnConvolutionBwdFilterAlgo_t algorithm, std::size_t* bytes) {
    return scratch_of(algorithm, bytes);
}
cudnnStatus_t cudnnConvolutionBackwardFilter(
    cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_of, const void* x,
    cudnnTensorDescriptor_t dy_of, const void* dy, cudnnConvolutionDescriptor_t convolution,
    cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace, std::size_t workspace_bytes,
    const void* beta, cudnnFilterDescriptor_t dw_of, void* dw) {
    const Sizes sizes{*x_of, *dy_of, *dw_of, *convolution};
    return submit(handle, sizes, algorithm, alpha, beta, x, dw, dy, workspace, workspace_bytes,
                  reinterpret_cast<const void*>(&cudnnConvolutionBackwardFilter),
                  sums(sizes, x, dy, dw, dw_of->bytes(),
                       [](int of_x, int of_w, int of_y) { return Factors{of_x, of_y, of_w}; }));
}
