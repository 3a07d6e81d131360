/// \file
/// Work of a Cuda that is recorded, and work beside other work.
#include "context.cuh"

namespace weft::kernels {
namespace cuda {

// Work of the graph that still runs keeps what it needs.
Recording::~Recording() {
    const CurrentGpu current(context->gpu, std::nothrow);
    if (graph != nullptr) cudaGraphExecDestroy(graph);
    if (stream != nullptr) cudaStreamDestroy(stream);
    if (second == nullptr) return;
    // Scratch of the branch is given back in the order of the second stream, which does not know of the
    // graph by itself.
    try {
        second->forked.order(context->stream, second->device.context().stream);
    } catch (const CudaError&) {
        cudaGetLastError();
    }
}

}  // namespace cuda

bool Cuda::records() const { return options_.graphs && !context_->waits_for_each; }

void Cuda::refuse_in_recording(const char* what) {
    throw CudaError(concat("Cuda: ", what,
                           " was asked for while work is recorded, expected kernels "
                           "alone; Cuda({.graphs = false}) records no steps of training"));
}

void Cuda::begin_recording() {
    require_no_recording("another recording");
    const cuda::CurrentGpu current = context_->use();
    auto recording = std::make_shared<cuda::Recording>();
    recording->context = context_;
    cuda::check(cudaStreamCreateWithFlags(&recording->stream, cudaStreamNonBlocking),
                "cudaStreamCreateWithFlags");
    if (beside_ != nullptr) {
        recording->beside = std::make_shared<cuda::Recording>();
        recording->beside->context = context_;
        cuda::check(cudaStreamCreateWithFlags(&recording->beside->stream, cudaStreamNonBlocking),
                    "cudaStreamCreateWithFlags");
        recording->second = beside_;
    }
    cuda::check(cudaStreamBeginCapture(recording->stream, cudaStreamCaptureModeThreadLocal),
                "cudaStreamBeginCapture");
    if (beside_ != nullptr) beside_->device.recording_ = recording->beside;
    recording_ = std::move(recording);
}

Cuda::Recording Cuda::end_recording() {
    const cuda::CurrentGpu current = context_->use();
    const std::shared_ptr<cuda::Recording> recording = std::exchange(recording_, nullptr);
    recording->scratch = scratch_;
    if (recording->beside != nullptr) {
        recording->beside->scratch = beside_->device.scratch_;
        beside_->device.recording_.reset();
    }
    cudaGraph_t graph = nullptr;
    cuda::check(cudaStreamEndCapture(recording->stream, &graph), "cudaStreamEndCapture");
    const cudaError_t status = cudaGraphInstantiate(&recording->graph, graph, 0);
    cudaGraphDestroy(graph);
    cuda::check(status, "cudaGraphInstantiate");
    return recording;
}

void Cuda::discard_recording() noexcept {
    const cuda::CurrentGpu current(context_->gpu, std::nothrow);
    const std::shared_ptr<cuda::Recording> recording = std::exchange(recording_, nullptr);
    if (recording->beside != nullptr) beside_->device.recording_.reset();
    cudaGraph_t graph = nullptr;
    if (cudaStreamEndCapture(recording->stream, &graph) == cudaSuccess) cudaGraphDestroy(graph);
}

void Cuda::repeat(const Recording& recording) const {
    const cuda::CurrentGpu current = context_->use();
    cuda::check(cudaGraphLaunch(recording->graph, context_->stream), "cudaGraphLaunch");
}

Cuda& Cuda::fork() {
    if (!options_.second_stream || context_->waits_for_each) return *this;
    const cuda::CurrentGpu current = context_->use();
    if (beside_ == nullptr) {
        require_no_recording("a second stream");
        CudaOptions options = options_;
        options.second_stream = false;
        auto beside = std::make_shared<cuda::Beside>(options);
        beside->device.context_->pool = context_->pool;
        (void)beside->device.context_->use();  // which begins its stream
        beside_ = std::move(beside);
    }
    Cuda& device = beside_->device;
    beside_->forked.order(cuda::stream_of(*this), cuda::stream_of(device));
    beside_->is_used = true;
    return device;
}

void Cuda::join() {
    if (beside_ == nullptr || !std::exchange(beside_->is_used, false)) return;
    const cuda::CurrentGpu current = context_->use();
    beside_->joined.order(cuda::stream_of(beside_->device), cuda::stream_of(*this));
}

}  // namespace weft::kernels
