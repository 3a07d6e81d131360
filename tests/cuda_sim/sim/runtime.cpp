// The runtime API but for memory and graphs: devices, errors, streams, events, launches.
#include "runtime.hpp"

#include "engine.hpp"
#include "fail.hpp"
#include "memory.hpp"
#include "random.hpp"

#include <algorithm>
#include <cstring>
#include <map>

using namespace cuda_sim;

namespace {

thread_local cudaError_t last_error = cudaSuccess;
thread_local int gpu_of_thread = 0;

struct ErrorText {
    cudaError_t error;
    const char *name, *text;
};
constexpr ErrorText errors[]{
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "capture was not initiated in this stream"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
};

const ErrorText& text_of(cudaError_t error) {
    static constexpr ErrorText unknown{cudaSuccess, "unrecognized error code",
                                       "unrecognized error code"};
    const auto found = std::find_if(std::begin(errors), std::end(errors),
                                    [&](const ErrorText& e) { return e.error == error; });
    return found == std::end(errors) ? unknown : *found;
}

constexpr std::size_t shared_without_asking = 48 << 10;

/// Kernels that may have more dynamic shared memory.
std::map<const void*, std::size_t>& shared_limits() {
    static auto& limits = *new std::map<const void*, std::size_t>;
    return limits;
}

bool is_grid(dim3 grid, dim3 block) {
    constexpr unsigned most_x = 0x7FFFFFFF, most_yz = 65535, most_block_z = 64;
    const std::size_t threads = std::size_t{block.x} * block.y * block.z;
    return threads > 0 && block.x <= most_threads && block.y <= most_threads &&
           block.z <= most_block_z && threads <= most_threads && grid.x > 0 && grid.y > 0 &&
           grid.z > 0 && grid.x <= most_x && grid.y <= most_yz && grid.z <= most_yz;
}

void require_device_memory(const Kernel& kernel, int number, const void* argument) {
    if (argument == nullptr) return;
    const Memory::Allocation* const found = Memory::get().find(argument);
    if (found != nullptr && !found->is_freed) return;
    const bool was_device = Memory::get().is_device_address(argument);
    fail(std::string("kernel ") + kernel_name(kernel.function) + ": argument " +
         std::to_string(number) +
         (was_device ? " is in device memory that has been freed" : " is no device memory"));
}

}  // namespace

namespace cuda_sim {

Runtime& Runtime::get() {
    static Runtime& runtime = *new Runtime;
    return runtime;
}

int current_gpu() { return gpu_of_thread; }

bool is_current(const CUstream_st& stream) {
    return &stream == &Runtime::get().null_stream || stream.gpu == gpu_of_thread;
}

long objects_in_use() {
    Runtime& runtime = Runtime::get();
    const std::lock_guard lock(runtime.mutex);
    return runtime.objects;
}

CUstream_st* Runtime::find(cudaStream_t stream) {
    if (stream == nullptr) return &null_stream;
    return std::any_of(streams.begin(), streams.end(),
                       [&](const auto& other) { return other.get() == stream; })
               ? stream
               : nullptr;
}

void Runtime::run_all() {
    const Memory::Opening opening;
    const OrderOf order(streams.size());
    runs_all = true;
    null_stream.run_all();
    for (std::size_t i = 0; i < order.size(); ++i) streams[order[i]]->run_all();
    runs_all = false;
}

void Runtime::run_others(const CUstream_st& but) {
    if (runs_all || options().order == Order::forward) return;
    const bool takes_all = options().order == Order::reverse;
    const OrderOf order(streams.size());
    for (bool has_run = true; has_run;) {  // what one runs may be what another waits for
        has_run = false;
        for (std::size_t i = 0; i < order.size(); ++i) {
            CUstream_st& stream = *streams[order[i]];
            while (&stream != &but && stream.is_ready() && (takes_all || draw() % 2 == 0)) {
                stream.run_next();
                has_run = true;
            }
        }
    }
}

cudaError_t keep(cudaError_t status) {
    if (status != cudaSuccess && status != cudaErrorNotReady) last_error = status;
    return status;
}

cudaError_t set_attribute(const void* function, cudaFuncAttribute attribute, int value) {
    return within([&](Runtime&) {
        if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
            static_cast<std::size_t>(value) > options().shared_bytes) {
            return cudaErrorInvalidValue;
        }
        shared_limits()[function] = static_cast<std::size_t>(value);
        return cudaSuccess;
    });
}

cudaError_t get_attributes(cudaFuncAttributes* attributes) {
    return within([&](Runtime&) {
        *attributes = {options().ptx_version, 10 * options().major + options().minor};
        return cudaSuccess;
    });
}

cudaError_t launch(const cudaLaunchConfig_t& config, std::shared_ptr<Kernel> kernel) {
    return on_stream(config.stream, [&](CUstream_st& stream) {
        if (!is_grid(kernel->grid, kernel->block)) return cudaErrorInvalidConfiguration;
        const auto limit = shared_limits().find(kernel->function);
        const bool has_asked = limit != shared_limits().end();
        if (kernel->shared_bytes > (has_asked ? limit->second : shared_without_asking)) {
            return cudaErrorInvalidValue;
        }
        if (has_asked) kernel->most_shared_bytes = options().shared_bytes;
        if (config.numAttrs > 0) return cudaErrorNotSupported;
        if (!is_current(stream)) return cudaErrorInvalidResourceHandle;
        kernel->for_each_pointer(&require_device_memory);
        const auto run = [kernel] {
            Engine::get().run(*kernel);
            Memory::get().check_fences(kernel_name(kernel->function));
        };
        stream.submit({Work::Kind::kernel, run, kernel->function, nullptr});
        return cudaSuccess;
    });
}

}  // namespace cuda_sim

const char* cudaGetErrorName(cudaError_t error) { return text_of(error).name; }
const char* cudaGetErrorString(cudaError_t error) { return text_of(error).text; }
cudaError_t cudaPeekAtLastError() { return last_error; }
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) {
    *count = options().has_gpu ? options().gpus : 0;
    return within([](Runtime&) { return cudaSuccess; });
}
cudaError_t cudaSetDevice(int device) {
    return within([&](Runtime&) {
        if (device < 0 || device >= options().gpus) return cudaErrorInvalidDevice;
        gpu_of_thread = device;
        return cudaSuccess;
    });
}
cudaError_t cudaGetDevice(int* device) {
    return within([&](Runtime&) {
        *device = gpu_of_thread;
        return cudaSuccess;
    });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    return within([&](Runtime&) {
        if (device < 0 || device >= options().gpus) return cudaErrorInvalidDevice;
        const Options& gpu = options();
        *properties = {};
        gpu.name.copy(properties->name, sizeof properties->name - 1);
        properties->totalGlobalMem = gpu.memory_bytes;
        properties->sharedMemPerBlock = shared_without_asking;
        properties->sharedMemPerBlockOptin = gpu.shared_bytes;
        properties->major = gpu.major;
        properties->minor = gpu.minor;
        properties->multiProcessorCount = gpu.multiprocessors;
        properties->maxThreadsPerBlock = most_threads;
        properties->warpSize = warp_lanes;
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    cudaDeviceProp gpu;
    if (const cudaError_t status = cudaGetDeviceProperties(&gpu, device)) return status;
    switch (attribute) {
        case cudaDevAttrMaxThreadsPerBlock:
            *value = gpu.maxThreadsPerBlock;
            break;
        case cudaDevAttrWarpSize:
            *value = gpu.warpSize;
            break;
        case cudaDevAttrMultiProcessorCount:
            *value = gpu.multiProcessorCount;
            break;
        case cudaDevAttrComputeCapabilityMajor:
            *value = gpu.major;
            break;
        case cudaDevAttrComputeCapabilityMinor:
            *value = gpu.minor;
            break;
        case cudaDevAttrMaxSharedMemoryPerBlockOptin:
            *value = static_cast<int>(gpu.sharedMemPerBlockOptin);
            break;
        case cudaDevAttrMemoryPoolsSupported:
            *value = 1;
            break;
        default:
            return keep(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
    return within([](Runtime& runtime) {
        if (runtime.spoils_capture()) return cudaErrorStreamCaptureUnsupported;
        ++counts().synchronisations;
        runtime.run_all();
        return cudaSuccess;
    });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
    return within([&](Runtime& runtime) {
        *stream = runtime.streams.emplace_back(std::make_unique<CUstream_st>()).get();
        (*stream)->gpu = gpu_of_thread;
        counts().gpus.insert(gpu_of_thread);
        ++runtime.objects;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
    return within([&](Runtime& runtime) {
        if (handle == nullptr || runtime.find(handle) == nullptr) {
            return cudaErrorInvalidResourceHandle;
        }
        handle->run_all();
        std::erase_if(runtime.streams, [&](const auto& other) { return other.get() == handle; });
        --runtime.objects;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
    return on_stream(handle, [](CUstream_st& stream) {
        if (stream.capture != nullptr) {
            stream.capture->valid = false;
            return cudaErrorStreamCaptureUnsupported;
        }
        ++counts().synchronisations;
        stream.run_all();
        return cudaSuccess;
    });
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
    return on_stream(handle, [](CUstream_st& stream) {
        if (stream.capture != nullptr) {
            stream.capture->valid = false;
            return cudaErrorStreamCaptureUnsupported;
        }
        if (stream.queue.empty()) return cudaSuccess;
        stream.run_one();  // whoever asks again and again sees it end
        return cudaErrorNotReady;
    });
}
