/// \file
/// Cuda and CudaMemory.
#include "context.cuh"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace weft::kernels {
namespace cuda {
namespace {

/// What is said where there is no GPU of that number.
void require_gpu(int gpu) {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || count == 0) {
        throw CudaError(concat("Cuda: no NVIDIA GPU can be used here (", cudaGetErrorName(status),
                               ": ", cudaGetErrorString(status), ")"));
    }
    if (gpu < 0 || gpu >= count) {
        throw CudaError(concat("Cuda: gpu is ", gpu, ", expected 0 to ", count - 1));
    }
}

/// Keeps what is given back to it. Else it would go to the driver whenever the host waits, and be asked
/// for again.
auto make_pool(int gpu) {
    cudaMemPoolProps properties{};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = gpu;
    cudaMemPool_t made = nullptr;
    check(cudaMemPoolCreate(&made, &properties), "cudaMemPoolCreate");
    std::shared_ptr<std::remove_pointer_t<cudaMemPool_t>> pool(made, cudaMemPoolDestroy);
    std::uint64_t kept = UINT64_MAX;
    check(cudaMemPoolSetAttribute(made, cudaMemPoolAttrReleaseThreshold, &kept),
          "cudaMemPoolSetAttribute");
    return pool;
}

/// Tells what the kernels are compiled for.
__global__ void empty() {}

/// Kernels for older GPUs, which the driver compiles for newer ones, have no TF32.
void require_tf32(int gpu, const cudaDeviceProp& properties) {
    constexpr int first_major = 8;
    if (properties.major < first_major) {
        throw CudaError(concat("Cuda: tf32 needs compute capability 8.0, ", properties.name,
                               " has ", properties.major, ".", properties.minor));
    }
    const CurrentGpu current(gpu);
    cudaFuncAttributes attributes{};
    check(cudaFuncGetAttributes(&attributes, empty), "cudaFuncGetAttributes");
    const int version = attributes.ptxVersion;
    if (version < 10 * first_major) {
        throw CudaError(concat("Cuda: tf32 needs kernels for compute capability 8.0, those for ",
                               properties.name, " are for ", version / 10, ".", version % 10,
                               "; build weft with CMAKE_CUDA_ARCHITECTURES=", properties.major,
                               properties.minor));
    }
}

}  // namespace

Mailbox::~Mailbox() {
    for (const Part& part : parts_) {
        if (part.sent != nullptr) cudaEventDestroy(part.sent);
        if (part.memory != nullptr) cudaFreeHost(part.memory);
    }
}

void Mailbox::send(const void* from, void* to, std::size_t size_bytes, cudaStream_t stream) {
    const std::lock_guard lock(mutex_);
    for (std::size_t done = 0; done < size_bytes; done += part_bytes) {
        const std::size_t bytes = std::min(part_bytes, size_bytes - done);
        Part& part = parts_[next_];
        next_ = (next_ + 1) % parts_.size();
        if (part.memory == nullptr) {
            void* memory = nullptr;
            check(cudaMallocHost(&memory, part_bytes), "cudaMallocHost");
            part.memory = static_cast<std::byte*>(memory);
        }
        if (part.sent == nullptr) {
            check(cudaEventCreateWithFlags(&part.sent, cudaEventDisableTiming),
                  "cudaEventCreateWithFlags");
        } else if (cudaEventQuery(part.sent) != cudaSuccess) {
            check(cudaEventSynchronize(part.sent), "work on the GPU");
        }
        std::memcpy(part.memory, static_cast<const std::byte*>(from) + done, bytes);
        check(cudaMemcpyAsync(static_cast<std::byte*>(to) + done, part.memory, bytes,
                              cudaMemcpyHostToDevice, stream),
              "cudaMemcpyAsync to the GPU");
        check(cudaEventRecord(part.sent, stream), "cudaEventRecord");
    }
}

Context::Context(int gpu_number) : gpu(gpu_number) {
    require_gpu(gpu);
    check(cudaGetDeviceProperties(&properties, gpu), "cudaGetDeviceProperties");
    const char* const sync = std::getenv("WEFT_CUDA_SYNC");
    waits_for_each = sync != nullptr && std::strcmp(sync, "1") == 0;
}

void Context::begin() {
    const CurrentGpu current(gpu);
    if (stream == nullptr) {  // else it failed later on before
        check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking),
              "cudaStreamCreateWithFlags");
    }
    if (pool == nullptr) pool = make_pool(gpu);
    constexpr std::size_t bytes = most_tickets * sizeof(unsigned);
    std::byte* const memory = take(bytes);
    if (memory == nullptr) throw CudaError("Cuda: no memory on the GPU to begin with");
    tickets = reinterpret_cast<unsigned*>(memory);
    check(cudaMemsetAsync(tickets, 0, bytes, stream), "cudaMemsetAsync");
}

std::byte* Context::take(std::size_t size_bytes) {
    void* memory = nullptr;
    const auto ask = [&] {
        return cudaMallocFromPoolAsync(&memory, size_bytes, pool.get(), stream);
    };
    cudaError_t status = ask();
    if (status == cudaErrorMemoryAllocation) {
        // What is free may lie in pieces too small for it, or be given back by work of another stream.
        cudaGetLastError();  // or the next launch would report it
        check(cudaDeviceSynchronize(), "work on the GPU");
        check(cudaMemPoolTrimTo(pool.get(), 0), "cudaMemPoolTrimTo");
        status = ask();
    }
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return nullptr;
    }
    check(status, "cudaMallocFromPoolAsync");
    return static_cast<std::byte*>(memory);
}

// Errors of what was not waited for are lost here: a destructor does not throw.
Context::~Context() {
    if (stream == nullptr) return;
    const CurrentGpu current(gpu, std::nothrow);
    if (tickets != nullptr) cudaFreeAsync(tickets, stream);
    cudaStreamSynchronize(stream);
    convolutions.reset();  // its handle has memory on this GPU
    pool.reset();          // of this GPU as well
    cudaStreamDestroy(stream);
}

void Context::synchronize() {
    const CurrentGpu current = use();
    check(cudaStreamSynchronize(stream), "work on the GPU");
}

}  // namespace cuda

CudaMemory CudaMemory::undefined(std::shared_ptr<cuda::Context> context, std::size_t size_bytes) {
    CudaMemory memory;
    memory.context_ = std::move(context);
    if (size_bytes == 0) return memory;
    const cuda::CurrentGpu current = memory.context_->use();
    memory.data_ = memory.context_->take(size_bytes);
    if (memory.data_ == nullptr) {
        throw CudaError(concat("cuda: no memory on the GPU for ", size_bytes, " bytes"));
    }
    memory.size_ = size_bytes;
    return memory;
}

CudaMemory::CudaMemory(std::shared_ptr<cuda::Context> context, std::size_t size_bytes)
    : CudaMemory(undefined(std::move(context), size_bytes)) {
    if (size_ == 0) return;
    const cuda::CurrentGpu current = context_->use();
    cuda::check(cudaMemsetAsync(data_, 0, size_, context_->stream), "cudaMemsetAsync");
}

CudaMemory::CudaMemory(const CudaMemory& other)
    : CudaMemory(undefined(other.context_, other.size_)) {
    if (size_ == 0) return;
    const cuda::CurrentGpu current = context_->use();
    cuda::check(
        cudaMemcpyAsync(data_, other.data_, size_, cudaMemcpyDeviceToDevice, context_->stream),
        "cudaMemcpyAsync on the GPU");
}

CudaMemory::CudaMemory(CudaMemory&& other) noexcept
    : context_(std::move(other.context_)),
      size_(std::exchange(other.size_, 0)),
      data_(std::exchange(other.data_, nullptr)) {}

CudaMemory& CudaMemory::operator=(CudaMemory other) noexcept {
    std::swap(context_, other.context_);
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
}

CudaMemory::~CudaMemory() {
    if (data_ == nullptr) return;
    const cuda::CurrentGpu current(context_->gpu, std::nothrow);
    cudaFreeAsync(data_, context_->stream);
}

Cuda::Cuda(const CudaOptions& options)
    : context_(std::make_shared<cuda::Context>(options.gpu)), options_(options) {
    if (options.cublaslt) context_->products = cuda::open_product_library();
    if (options.cudnn) context_->convolutions = cuda::open_convolution_library();
    if (options.tf32) cuda::require_tf32(context_->gpu, context_->properties);
}

std::string Cuda::name() const { return context_->properties.name; }

void Cuda::synchronize() const {
    require_no_recording("waiting");
    context_->synchronize();
}

void Cuda::copy_to_device(const void* from, void* to, std::size_t size_bytes) const {
    if (size_bytes == 0) return;
    require_no_recording("a copy from the host");
    const cuda::CurrentGpu current = context_->use();
    context_->mailbox.send(from, to, size_bytes, context_->stream);
}

void Cuda::copy_to_host(const void* from, void* to, std::size_t size_bytes) const {
    if (size_bytes == 0) return;
    require_no_recording("a copy to the host");
    const cuda::CurrentGpu current = context_->use();
    cuda::check(cudaMemcpyAsync(to, from, size_bytes, cudaMemcpyDeviceToHost, context_->stream),
                "cudaMemcpyAsync from the GPU");
    synchronize();
}

void Cuda::copy_on_device(const void* from, void* to, std::size_t size_bytes) const {
    if (size_bytes == 0) return;
    const cuda::CurrentGpu current = context_->use();
    cuda::check(
        cudaMemcpyAsync(to, from, size_bytes, cudaMemcpyDeviceToDevice, cuda::stream_of(*this)),
        "cudaMemcpyAsync on the GPU");
}

int cuda_gpus() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

}  // namespace weft::kernels
