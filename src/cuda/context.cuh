/// \file
/// Context: what the copies of a Cuda share.
#pragma once

#include "errors.cuh"
#include "weft/core/cuda.hpp"

#include <array>
#include <mutex>
#include <new>
#include <type_traits>

namespace weft::kernels::cuda {

/// Memory of the host's that a GPU reads by itself, for what is on its way there. Of other memory CUDA
/// does not say when it has been read: cudaMemcpyAsync "might be synchronous". Parts take turns; one is
/// written again when its copy is done.
class Mailbox {
public:
    Mailbox() = default;
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    /// Bytes to the GPU's memory. `from` has been read when it returns. For any thread.
    void send(const void* from, void* to, std::size_t size_bytes, cudaStream_t stream);

private:
    static constexpr std::size_t part_bytes = std::size_t{1} << 17;

    struct Part {
        std::byte* memory = nullptr;  ///< taken when it is needed first
        cudaEvent_t sent = nullptr;
    };

    std::mutex mutex_;
    std::array<Part, 16> parts_;
    std::size_t next_ = 0;
};

/// Makes a GPU the current one of the calling thread while it lives, and then the one before again: a
/// program that uses CUDA itself counts on its own.
class CurrentGpu {
public:
    explicit CurrentGpu(int gpu) : CurrentGpu(gpu, std::nothrow) {
        check(status_, "cudaSetDevice");
    }
    /// The same for destructors, where the driver may be gone already.
    CurrentGpu(int gpu, std::nothrow_t) noexcept : gpu_(gpu), before_(gpu) {
        status_ = cudaGetDevice(&before_);
        if (before_ != gpu_) status_ = cudaSetDevice(gpu_);
    }
    ~CurrentGpu() {
        if (before_ != gpu_) cudaSetDevice(before_);
    }
    CurrentGpu(const CurrentGpu&) = delete;
    CurrentGpu& operator=(const CurrentGpu&) = delete;

private:
    int gpu_, before_;
    cudaError_t status_;
};

struct ProductLibrary;
/// Throws CudaError where the build has none.
std::shared_ptr<ProductLibrary> open_product_library();
struct ConvolutionLibrary;
/// Throws CudaError where the build has none.
std::shared_ptr<ConvolutionLibrary> open_convolution_library();

/// A stream of work on one GPU. It begins when it is used first, so that a device which is made and
/// never asked for anything costs nothing; and ends when neither a device nor memory needs it any more.
struct Context {
    explicit Context(int gpu_number);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    /// Makes the GPU that of the calling thread, which CUDA's functions work on, while the result
    /// lives. Before all else.
    [[nodiscard]] CurrentGpu use() {
        std::call_once(begun_, [this] { begin(); });
        return CurrentGpu(gpu);
    }

    /// Memory in the order of the stream's work; null where it runs out.
    std::byte* take(std::size_t size_bytes);
    void synchronize();

    int gpu;
    cudaDeviceProp properties{};
    cudaStream_t stream = nullptr;
    /// Of the stream's memory, and a second stream's. What was given back stays there for whoever asks
    /// next.
    std::shared_ptr<std::remove_pointer_t<cudaMemPool_t>> pool;
    /// Zeros, with which blocks of a kernel find out which of them is last. Kernels of a stream run
    /// one after another, so all have the same ones.
    unsigned* tickets = nullptr;
    static constexpr int most_tickets = 4096;
    bool waits_for_each = false;  ///< WEFT_CUDA_SYNC
    Mailbox mailbox;
    std::shared_ptr<ProductLibrary> products;          ///< if it is asked for
    std::shared_ptr<ConvolutionLibrary> convolutions;  ///< if it is asked for

private:
    void begin();

    std::once_flag begun_;
};

/// Work that is, or was, recorded.
struct Recording {
    Recording() = default;
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

    std::shared_ptr<Context> context;
    std::shared_ptr<CudaMemory> scratch;  ///< that its kernels use
    cudaStream_t stream = nullptr;        ///< of its own, so that no other work is recorded
    cudaGraphExec_t graph = nullptr;
    std::shared_ptr<Beside> second;     ///< what has the second stream, if there is one
    std::shared_ptr<Recording> beside;  ///< its work, a branch of the same graph
};

/// A place in a stream's work, for others to wait for.
class Event {
public:
    Event() {
        check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming),
              "cudaEventCreateWithFlags");
    }
    ~Event() { cudaEventDestroy(event_); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    /// What `behind` is given from now on waits for all that `stream` was given.
    void order(cudaStream_t stream, cudaStream_t behind) {
        check(cudaEventRecord(event_, stream), "cudaEventRecord");
        check(cudaStreamWaitEvent(behind, event_, 0), "cudaStreamWaitEvent");
    }

private:
    cudaEvent_t event_ = nullptr;
};

/// A second stream of a device, with a context of its own: of tickets, too, each stream needs its own.
struct Beside {
    explicit Beside(const CudaOptions& options) : device(options) {}

    Cuda device;
    Event forked, joined;
    bool is_used = false;  ///< since it was waited for
};

/// Where the device's work goes.
inline cudaStream_t stream_of(const Cuda& device) {
    return device.recording() != nullptr ? device.recording()->stream : device.context().stream;
}

}  // namespace weft::kernels::cuda
