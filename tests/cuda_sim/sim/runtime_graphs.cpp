// The runtime API's part on events, captures and graphs.
#include "runtime.hpp"

#include <algorithm>

using namespace cuda_sim;

namespace {

void merge(std::vector<std::size_t>& nodes, const std::vector<std::size_t>& more) {
    for (const std::size_t node : more) {
        if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
    }
}

bool is_active(const std::shared_ptr<Capture>& capture) {
    const auto& captures = Runtime::get().captures;
    return std::find(captures.begin(), captures.end(), capture) != captures.end();
}

/// Whether each node comes before the end of the stream that the capture began on.
bool is_joined(const Capture& capture, std::vector<std::size_t> open) {
    std::vector<bool> reached(capture.nodes.size());
    while (!open.empty()) {
        const std::size_t node = open.back();
        open.pop_back();
        if (reached[node]) continue;
        reached[node] = true;
        const auto& before = capture.nodes[node].after;
        open.insert(open.end(), before.begin(), before.end());
    }
    return std::all_of(reached.begin(), reached.end(), [](bool is) { return is; });
}

void run_up_to(const Moment& moment) {
    while (!moment.reached) moment.stream->run_one();
}

/// Waits during a capture for what has been recorded.
cudaError_t wait_in_capture(CUstream_st& stream, const CUevent_st& event) {
    if (!is_active(event.capture)) {
        stream.capture->valid = false;
        return cudaErrorStreamCaptureIsolation;
    }
    if (stream.capture == nullptr) {
        stream.capture = event.capture;
        stream.capture->streams.push_back(&stream);
    }
    if (stream.capture != event.capture) {
        stream.capture->valid = event.capture->valid = false;
        return cudaErrorStreamCaptureIsolation;
    }
    merge(stream.last, event.last);
    return cudaSuccess;
}

}  // namespace

bool Runtime::spoils_capture() {
    bool spoils = false;
    for (const auto& capture : captures) {
        if (capture->mode == cudaStreamCaptureModeRelaxed ||
            (capture->mode == cudaStreamCaptureModeThreadLocal &&
             capture->thread != std::this_thread::get_id())) {
            continue;
        }
        capture->valid = false;
        spoils = true;
    }
    return spoils;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) {
    return within([&](Runtime& runtime) {
        *event = new CUevent_st;
        (*event)->gpu = current_gpu();
        ++runtime.objects;
        return cudaSuccess;
    });
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    return within([&](Runtime& runtime) {
        if (event == nullptr) return cudaErrorInvalidResourceHandle;
        delete event;
        --runtime.objects;
        return cudaSuccess;
    });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
    return on_stream(handle, [&](CUstream_st& stream) {
        if (event->gpu != stream.gpu) return cudaErrorInvalidResourceHandle;
        event->capture = stream.capture;
        event->last = stream.last;
        if (stream.capture != nullptr) return cudaSuccess;
        const auto moment = std::make_shared<Moment>(Moment{&stream});
        event->moment = moment;
        stream.submit({Work::Kind::other, [moment] {
                           moment->reached = true;
                           moment->time = std::chrono::steady_clock::now();
                       }});
        return cudaSuccess;
    });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned /*flags*/) {
    return on_stream(handle, [&](CUstream_st& stream) {
        if (event->capture != nullptr) {
            if (stream.capture == nullptr && !is_active(event->capture)) {
                return cudaErrorInvalidValue;
            }
            return wait_in_capture(stream, *event);
        }
        if (event->moment == nullptr) return cudaSuccess;
        if (stream.capture != nullptr) return wait_in_capture(stream, *event);
        stream.submit({Work::Kind::other, [moment = event->moment] { run_up_to(*moment); }, nullptr,
                       nullptr, event->moment});
        return cudaSuccess;
    });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    return within([&](Runtime&) {
        if (event->capture != nullptr) return cudaErrorStreamCaptureUnsupported;
        ++counts().synchronisations;
        if (event->moment != nullptr) run_up_to(*event->moment);
        return cudaSuccess;
    });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    return within([&](Runtime&) {
        if (event->capture != nullptr) return cudaErrorStreamCaptureUnsupported;
        if (event->moment == nullptr || event->moment->reached) return cudaSuccess;
        event->moment->stream->run_one();  // whoever asks again and again sees it end
        return cudaErrorNotReady;
    });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
    return within([&](Runtime&) {
        if (from->moment == nullptr || to->moment == nullptr) return cudaErrorInvalidResourceHandle;
        if (!from->moment->reached || !to->moment->reached) return cudaErrorNotReady;
        *milliseconds =
            std::chrono::duration<float, std::milli>(to->moment->time - from->moment->time).count();
        return cudaSuccess;
    });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
    return on_stream(handle, [&](CUstream_st& stream) {
        if (handle == nullptr) return cudaErrorStreamCaptureUnsupported;
        if (stream.capture != nullptr) return cudaErrorInvalidValue;
        const auto capture = std::make_shared<Capture>();
        capture->origin = &stream;
        capture->mode = mode;
        capture->thread = std::this_thread::get_id();
        capture->streams = {&stream};
        stream.capture = Runtime::get().captures.emplace_back(capture);
        return cudaSuccess;
    });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
    return on_stream(handle, [&](CUstream_st& stream) {
        *graph = nullptr;
        if (!is_current(stream)) return cudaErrorInvalidResourceHandle;
        const std::shared_ptr<Capture> capture = stream.capture;
        if (capture == nullptr) return cudaErrorInvalidValue;
        if (capture->origin != &stream) return cudaErrorStreamCaptureUnmatched;
        const bool joined = is_joined(*capture, stream.last);
        for (CUstream_st* const other : capture->streams) {
            other->capture = nullptr;
            other->last.clear();
        }
        std::erase(Runtime::get().captures, capture);
        if (!capture->valid) return cudaErrorStreamCaptureInvalidated;
        if (!joined) return cudaErrorStreamCaptureUnjoined;
        *graph = new CUgraph_st{std::move(capture->nodes), stream.gpu};
        return cudaSuccess;
    });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long /*flags*/) {
    return within([&](Runtime& runtime) {
        if (graph->gpu != current_gpu()) return cudaErrorInvalidResourceHandle;
        *executable = new CUgraphExec_st{std::make_shared<const CUgraph_st>(*graph)};
        ++runtime.objects;
        return cudaSuccess;
    });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
    return on_stream(handle, [&](CUstream_st& stream) {
        if (stream.capture != nullptr) return cudaErrorNotSupported;
        if (!is_current(stream)) return cudaErrorInvalidResourceHandle;
        const std::shared_ptr<const CUgraph_st> graph = executable->graph;
        stream.submit({Work::Kind::graph, [graph] { run_graph(graph->nodes); }, nullptr, graph});
        return cudaSuccess;
    });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    return within([&](Runtime&) {
        delete graph;
        return cudaSuccess;
    });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    return within([&](Runtime& runtime) {
        if (executable == nullptr) return cudaErrorInvalidValue;
        delete executable;
        --runtime.objects;
        return cudaSuccess;
    });
}
