/// \file
/// Cuda: the device that computes on an NVIDIA GPU. Its kernels are in the library weft::cuda; this
/// header includes none of CUDA's.
#pragma once

#include "weft/core/error.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace weft::kernels {

namespace cuda {
struct Beside;     ///< a second stream of a device
struct Context;    ///< a stream of work on one GPU
struct Recording;  ///< a graph of CUDA's
}  // namespace cuda

/// Memory on a GPU, all 0 at first. A copy is deep. Memory is allocated and freed in the order of
/// the stream's work, so no kernel uses freed memory. Throws CudaError when memory runs out.
class CudaMemory {
public:
    CudaMemory() = default;
    CudaMemory(std::shared_ptr<cuda::Context> context, std::size_t size_bytes);
    CudaMemory(const CudaMemory& other);
    CudaMemory(CudaMemory&& other) noexcept;
    CudaMemory& operator=(CudaMemory other) noexcept;
    ~CudaMemory();

    /// size_bytes with undefined contents.
    static CudaMemory undefined(std::shared_ptr<cuda::Context> context, std::size_t size_bytes);

    std::byte* data() { return data_; }
    const std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    std::shared_ptr<cuda::Context> context_;
    std::size_t size_ = 0;
    std::byte* data_ = nullptr;
};

/// What a Cuda is made with.
struct CudaOptions {
    /// Its number, as CUDA counts those that CUDA_VISIBLE_DEVICES leaves: the fastest first, or in the
    /// order of nvidia-smi with CUDA_DEVICE_ORDER=PCI_BUS_ID in the environment.
    int gpu = 0;
    bool tf32 = false;   ///< products of float on tensor cores, factors rounded to 11 bits
    bool graphs = true;  ///< steps of training are recorded, and repeated as one launch
    /// Gradients of weights are computed beside those of inputs. Same bits.
    bool second_stream = true;
    /// Products of dense layers in float are computed by NVIDIA's cuBLASLt, where has_cublaslt().
    bool cublaslt = false;
    /// Convolutions in float are computed by NVIDIA's cuDNN, where has_cudnn() and it has a kernel.
    bool cudnn = false;
};

/// An NVIDIA GPU and a stream of work on it. Kernels run in order while the host goes on. A
/// stream's memory is for its own kernels; call synchronize() before another stream uses it. Copies
/// share the stream, have scratch memory of their own, and may be used by several threads at once.
/// Errors of kernels are thrown later, at a copy to the host or synchronize(); with the environment
/// variable WEFT_CUDA_SYNC set to 1, after each kernel.
class Cuda {
public:
    /// The host cannot read its memory.
    static constexpr bool is_host = false;
    /// Products also compute the steps before and behind them; see kernels/before.hpp.
    static constexpr bool fuses_products = true;
    using Memory = CudaMemory;

    /// A new stream on GPU options.gpu. Throws CudaError if there is no such GPU, a library that is
    /// asked for is not in the build, or tf32 needs a newer GPU, or kernels built for one.
    explicit Cuda(const CudaOptions& options = {});
    Cuda(const Cuda& other) : context_(other.context_), options_(other.options_) {}
    Cuda& operator=(const Cuda& other) {
        context_ = other.context_;
        options_ = other.options_;
        scratch_.reset();
        beside_.reset();
        return *this;
    }

    /// Whether both share a stream, hence memory.
    friend bool operator==(const Cuda& one, const Cuda& other) {
        return one.context_ == other.context_;
    }

    /// Whether weft::cuda was built with cuBLASLt.
    static bool has_cublaslt();
    /// Whether weft::cuda was built with cuDNN.
    static bool has_cudnn();

    const CudaOptions& options() const { return options_; }
    /// A new stream on the same GPU, without the other options.
    Cuda without_options() const { return Cuda({.gpu = options_.gpu}); }
    /// The name that the GPU's maker gave it.
    std::string name() const;

    Memory allocate(std::size_t size_bytes) const {
        require_no_recording("memory");
        return Memory(context_, size_bytes);
    }

    /// At least size_bytes of GPU memory, aligned to 256 bytes, contents undefined, for kernels
    /// started before the next call.
    std::byte* scratch(std::size_t size_bytes) {
        if (scratch_ == nullptr || scratch_->size() < size_bytes) {
            require_no_recording("more scratch");
            scratch_ = std::make_shared<Memory>(Memory::undefined(context_, size_bytes));
        }
        return scratch_->data();
    }

    // ---- Work that is recorded, and repeated as it is ----------------------------------------------

    /// Recorded kernels, and the scratch they use. Their arrays have to exist whenever the
    /// recording is repeated.
    using Recording = std::shared_ptr<const cuda::Recording>;

    /// Whether record may be called: with options().graphs, but not with WEFT_CUDA_SYNC.
    bool records() const;

    /// Records the kernels that body() starts on this device; none runs yet. body() may start
    /// kernels alone, and their scratch must be allocated already. Throws CudaError when body()
    /// allocates memory, copies from or to the host, or waits. Passes on what body() throws.
    template <class Body>
    Recording record(const Body& body) {
        begin_recording();
        try {
            body();
        } catch (...) {
            discard_recording();
            throw;
        }
        return end_recording();
    }

    /// Runs the recorded kernels.
    void repeat(const Recording& recording) const;

    // ---- Work beside other work --------------------------------------------------------------------

    /// A device with a stream and scratch of its own. Its kernels start after those already started
    /// on this device, and run beside later ones. Without the option second_stream, or where each
    /// kernel is waited for (WEFT_CUDA_SYNC), it is this device.
    Cuda& fork();
    /// Kernels started on this device from now on wait for those of fork().
    void join();

    /// Waits until all work of the stream is done. Throws CudaError if any of it failed.
    void synchronize() const;

    /// Copies from the host's memory to the GPU's. The host may change its own at once.
    void copy_to_device(const void* from, void* to, std::size_t size_bytes) const;
    /// Copies from the GPU's memory to the host's, and waits for it.
    void copy_to_host(const void* from, void* to, std::size_t size_bytes) const;
    /// Copies within the GPU's memory.
    void copy_on_device(const void* from, void* to, std::size_t size_bytes) const;

    /// The stream that kernels start on, and the recording that takes them meanwhile; null if none.
    cuda::Context& context() const { return *context_; }
    cuda::Recording* recording() const { return recording_.get(); }

private:
    void require_no_recording(const char* what) const {
        if (recording_ != nullptr) refuse_in_recording(what);
    }
    [[noreturn]] static void refuse_in_recording(const char* what);
    void begin_recording();
    Recording end_recording();
    void discard_recording() noexcept;

    std::shared_ptr<cuda::Context> context_;
    CudaOptions options_;
    std::shared_ptr<CudaMemory> scratch_;  ///< recordings share it
    std::shared_ptr<cuda::Recording> recording_;
    std::shared_ptr<cuda::Beside> beside_;  ///< made when it is needed first
};

/// How many GPUs there are; 0 without a driver.
int cuda_gpus();

}  // namespace weft::kernels

namespace weft {
using kernels::Cuda;
using kernels::cuda_gpus;
using kernels::CudaOptions;
}  // namespace weft
