/// \file
/// Convolutions of float by cuDNN.
///
/// Its images are weft's, channels last. Its filters are (filters, window, window, channels), which is
/// weft's matrix (depth, filters) transposed: a pass over them before or behind. It pads an axis by as
/// many zeros in front as behind, so a convolution that has them otherwise is left to weft. What is done
/// to the sums is a kernel of weft's, as of products. A kernel whose sums have no fixed order is not
/// taken.
///
/// These are the functions that cuDNN 9 calls legacy: its graphs have the same kernels and more code.
#include "library_convolutions.cuh"

#include "library_output.cuh"
#include "weft/kernels/cuda/layout.hpp"

#include <cudnn.h>

#include <map>
#include <span>

namespace weft::kernels {
namespace cuda {
namespace {

void check(cudnnStatus_t status, const char* what) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    throw CudaError(concat("cuda: ", what, ": ", cudnnGetErrorString(status)));
}

/// Something of the library's, which it makes and ends.
template <class Handle, cudnnStatus_t (*create)(Handle*), cudnnStatus_t (*destroy)(Handle)>
class Owned {
public:
    explicit Owned(const char* what) { check(create(&handle_), what); }
    ~Owned() { destroy(handle_); }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    Handle get() const { return handle_; }

private:
    Handle handle_ = nullptr;
};

enum class Pass { forward, input_gradient, filter_gradient };

/// More helps few convolutions, and each stream has it by itself.
constexpr std::size_t most_scratch_bytes = std::size_t{256} << 20;

/// What a kernel is chosen by: the pass, images, 6 numbers of each axis, channels, filters, groups, TF32.
using Key = std::array<Index, 18>;

Key key_of(Pass pass, const Convolution& c, Index samples, bool tf32) {
    const WindowAxis &down = c.window.rows, &right = c.window.columns;
    return {static_cast<Index>(pass),
            samples,
            down.input,
            down.window,
            down.stride,
            down.dilation,
            down.before,
            down.output,
            right.input,
            right.window,
            right.stride,
            right.dilation,
            right.before,
            right.output,
            c.window.channels,
            c.filters,
            c.groups,
            tf32};
}

/// A convolution as the library sees it, and its kernel for one pass, if there is one.
class Plan {
public:
    Plan(cudnnHandle_t handle, Pass pass, const Convolution& c, Index samples, bool tf32) {
        const WindowAxis &down = c.window.rows, &right = c.window.columns;
        const int images = narrow(samples), channels = narrow(c.window.channels);
        const int filters = narrow(c.filters);
        check(cudnnSetTensor4dDescriptor(x.get(), CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, images,
                                         channels, narrow(down.input), narrow(right.input)),
              "cudnnSetTensor4dDescriptor");
        check(cudnnSetTensor4dDescriptor(y.get(), CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, images,
                                         filters, narrow(down.output), narrow(right.output)),
              "cudnnSetTensor4dDescriptor");
        check(cudnnSetFilter4dDescriptor(w.get(), CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, filters,
                                         narrow(c.group_channels()), narrow(down.window),
                                         narrow(right.window)),
              "cudnnSetFilter4dDescriptor");
        check(cudnnSetConvolution2dDescriptor(
                  windows.get(), narrow(down.before), narrow(right.before), narrow(down.stride),
                  narrow(right.stride), narrow(down.dilation), narrow(right.dilation),
                  CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
              "cudnnSetConvolution2dDescriptor");
        check(cudnnSetConvolutionGroupCount(windows.get(), narrow(c.groups)),
              "cudnnSetConvolutionGroupCount");
        // The default allows TF32.
        check(
            cudnnSetConvolutionMathType(windows.get(), tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH),
            "cudnnSetConvolutionMathType");
        choose(handle, pass);
    }

    Owned<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor> x{
        "cudnnCreateTensorDescriptor"};
    Owned<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor> y{
        "cudnnCreateTensorDescriptor"};
    Owned<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor> w{
        "cudnnCreateFilterDescriptor"};
    Owned<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor,
          cudnnDestroyConvolutionDescriptor>
        windows{"cudnnCreateConvolutionDescriptor"};
    int algorithm = -1;  ///< a cudnnConvolution...Algo_t of the pass; below 0, there is none
    std::size_t scratch_bytes = 0;

private:
    void choose(cudnnHandle_t handle, Pass pass) {
        switch (pass) {
            case Pass::forward:
                return take_first<cudnnConvolutionFwdAlgoPerf_t>(
                    [&](int most, int* count, cudnnConvolutionFwdAlgoPerf_t* found) {
                        return cudnnGetConvolutionForwardAlgorithm_v7(
                            handle, x.get(), w.get(), windows.get(), y.get(), most, count, found);
                    },
                    [&](cudnnConvolutionFwdAlgo_t each, std::size_t* bytes) {
                        return cudnnGetConvolutionForwardWorkspaceSize(
                            handle, x.get(), w.get(), windows.get(), y.get(), each, bytes);
                    });
            case Pass::input_gradient:
                return take_first<cudnnConvolutionBwdDataAlgoPerf_t>(
                    [&](int most, int* count, cudnnConvolutionBwdDataAlgoPerf_t* found) {
                        return cudnnGetConvolutionBackwardDataAlgorithm_v7(
                            handle, w.get(), y.get(), windows.get(), x.get(), most, count, found);
                    },
                    [&](cudnnConvolutionBwdDataAlgo_t each, std::size_t* bytes) {
                        return cudnnGetConvolutionBackwardDataWorkspaceSize(
                            handle, w.get(), y.get(), windows.get(), x.get(), each, bytes);
                    });
            case Pass::filter_gradient:
                return take_first<cudnnConvolutionBwdFilterAlgoPerf_t>(
                    [&](int most, int* count, cudnnConvolutionBwdFilterAlgoPerf_t* found) {
                        return cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                            handle, x.get(), y.get(), windows.get(), w.get(), most, count, found);
                    },
                    [&](cudnnConvolutionBwdFilterAlgo_t each, std::size_t* bytes) {
                        return cudnnGetConvolutionBackwardFilterWorkspaceSize(
                            handle, x.get(), y.get(), windows.get(), w.get(), each, bytes);
                    });
        }
    }

    /// Takes the library's first kernel that adds in a fixed order, rounds no factor to 16 bits, and needs
    /// little enough scratch. What is found is of several kinds of arithmetic; scratch is asked for again, as
    /// the kind is the descriptor's.
    template <class Found, class Find, class ScratchOf>
    void take_first(const Find& find, const ScratchOf& scratch_of) {
        std::array<Found, 32> found{};
        int count = 0;
        const cudnnStatus_t status = find(static_cast<int>(found.size()), &count, found.data());
        if (CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED) return;
        check(status, "cudnnGetConvolutionAlgorithm_v7");
        for (const Found& each : std::span(found).first(static_cast<std::size_t>(count))) {
            if (each.status != CUDNN_STATUS_SUCCESS || each.determinism != CUDNN_DETERMINISTIC ||
                each.mathType == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) {
                continue;
            }
            std::size_t bytes = 0;
            if (scratch_of(each.algo, &bytes) != CUDNN_STATUS_SUCCESS) continue;
            if (bytes > most_scratch_bytes) continue;
            algorithm = static_cast<int>(each.algo);
            scratch_bytes = bytes;
            return;
        }
    }
};

/// Whether as many zeros behind the axis as before it are the windows' padding.
bool has_even_padding(const WindowAxis& axis) {
    const Index left = axis.input + 2 * axis.before - axis.extent();
    return left >= 0 && left / axis.stride + 1 == axis.output;
}

}  // namespace

/// A library's handle, and what it has chosen, for any thread.
struct ConvolutionLibrary {
    ConvolutionLibrary() = default;
    ~ConvolutionLibrary() {
        plans.clear();
        if (handle != nullptr) cudnnDestroy(handle);
    }
    ConvolutionLibrary(const ConvolutionLibrary&) = delete;
    ConvolutionLibrary& operator=(const ConvolutionLibrary&) = delete;

    std::mutex mutex;                ///< also of the handle, whose stream is set before each call
    cudnnHandle_t handle = nullptr;  ///< made when it is needed first
    std::map<Key, Plan> plans;
};

std::shared_ptr<ConvolutionLibrary> open_convolution_library() {
    return std::make_shared<ConvolutionLibrary>();
}

namespace {

/// Calls run(handle, plan, memory for the filters as the library has them, memory for the plan), on the
/// device's stream. If the library refuses to run what it has chosen, it is not asked again.
template <class Run>
bool run_by_library(Cuda& device, Pass pass, const Convolution& c, Index samples, const Run& run) {
    Context& context = device.context();
    if (context.convolutions == nullptr || samples == 0) return false;
    if (!has_even_padding(c.window.rows) || !has_even_padding(c.window.columns)) return false;
    const CurrentGpu current = context.use();
    ConvolutionLibrary& library = *context.convolutions;
    const std::lock_guard lock(library.mutex);
    if (library.handle == nullptr) check(cudnnCreate(&library.handle), "cudnnCreate");
    const bool tf32 = device.options().tf32;
    const Key key = key_of(pass, c, samples, tf32);
    Plan& plan =
        library.plans.try_emplace(key, library.handle, pass, c, samples, tf32).first->second;
    if (plan.algorithm < 0) return false;
    const std::size_t filters = static_cast<std::size_t>(c.depth() * c.filters) * sizeof(float);
    const std::size_t filter_bytes = (filters + 255) / 256 * 256;
    std::byte* const memory = device.scratch(filter_bytes + plan.scratch_bytes);
    check(cudnnSetStream(library.handle, stream_of(device)), "cudnnSetStream");
    const cudnnStatus_t status =
        run(library.handle, std::as_const(plan), reinterpret_cast<float*>(memory),
            plan.scratch_bytes > 0 ? memory + filter_bytes : nullptr);
    if (CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED) {
        plan.algorithm = -1;
        return false;
    }
    check(status, "a convolution by cuDNN");
    if (context.waits_for_each) context.synchronize();
    return true;
}

/// y = x^T.   x (rows, columns)
void transpose(Cuda& device, Index rows, Index columns, const float* x, float* y) {
    transpose_samples<float>(device, {x, {1, rows, columns}}, {y, {1, columns, rows}});
}

constexpr float one = 1, zero = 0;

}  // namespace

bool convolve_by_library(Cuda& device, const Convolution& c, Index samples, const float* x,
                         const float* w, const Output<float>& y) {
    const auto run = [&](cudnnHandle_t handle, const Plan& plan, float* filters, void* scratch) {
        transpose(device, c.depth(), c.filters, w, filters);
        return cudnnConvolutionForward(handle, &one, plan.x.get(), x, plan.w.get(), filters,
                                       plan.windows.get(),
                                       static_cast<cudnnConvolutionFwdAlgo_t>(plan.algorithm),
                                       scratch, plan.scratch_bytes, &zero, plan.y.get(), y.data);
    };
    if (!run_by_library(device, Pass::forward, c, samples, run)) return false;
    if (y.bias == nullptr && y.activation == linear) return true;
    finish_sums(device, narrow(samples * c.window.positions()), narrow(c.filters), y);
    return true;
}

bool input_gradient_by_library(Cuda& device, const Convolution& c, Index samples, const float* g,
                               const float* w, const Output<float>& dx) {
    const auto run = [&](cudnnHandle_t handle, const Plan& plan, float* filters, void* scratch) {
        transpose(device, c.depth(), c.filters, w, filters);
        return cudnnConvolutionBackwardData(
            handle, &one, plan.w.get(), filters, plan.y.get(), g, plan.windows.get(),
            static_cast<cudnnConvolutionBwdDataAlgo_t>(plan.algorithm), scratch, plan.scratch_bytes,
            &zero, plan.x.get(), dx.data);
    };
    if (!run_by_library(device, Pass::input_gradient, c, samples, run)) return false;
    if (dx.relu == nullptr) return true;
    const Index pixels = samples * c.window.rows.input * c.window.columns.input;
    finish_sums(device, narrow(pixels), narrow(c.window.channels), dx);
    return true;
}

bool filter_gradient_by_library(Cuda& device, const Convolution& c, Index samples, const float* x,
                                const float* g, float* dw) {
    const auto run = [&](cudnnHandle_t handle, const Plan& plan, float* filters, void* scratch) {
        const cudnnStatus_t status = cudnnConvolutionBackwardFilter(
            handle, &one, plan.x.get(), x, plan.y.get(), g, plan.windows.get(),
            static_cast<cudnnConvolutionBwdFilterAlgo_t>(plan.algorithm), scratch,
            plan.scratch_bytes, &zero, plan.w.get(), filters);
        if (status == CUDNN_STATUS_SUCCESS) transpose(device, c.filters, c.depth(), filters, dw);
        return status;
    };
    return run_by_library(device, Pass::filter_gradient, c, samples, run);
}

}  // namespace cuda

bool Cuda::has_cudnn() { return true; }

}  // namespace weft::kernels
