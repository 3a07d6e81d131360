/// \file
/// What the files that implement the runtime API share.
#pragma once

#include "control.hpp"
#include "streams.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace cuda_sim {

/// All of CUDA's state. One thread at a time is within.
struct Runtime {
    static Runtime& get();

    std::recursive_mutex mutex;
    CUstream_st null_stream;
    std::vector<std::unique_ptr<CUstream_st>> streams;
    std::vector<std::shared_ptr<Capture>> captures;
    bool runs_all = false;  ///< one stream after another
    long objects = 0;       ///< that were made, and are there still

    /// Null for a handle that is none.
    CUstream_st* find(cudaStream_t stream);
    /// In the order that is set.
    void run_all();
    /// Of all other streams what need not wait: nothing, all, or some, as the order says.
    void run_others(const CUstream_st& but);
    /// What cannot be recorded makes recordings void, those of other threads too if they are global.
    bool spoils_capture();
};

/// The calling thread's.
int current_gpu();
/// Whether the stream is one of the current GPU.
bool is_current(const CUstream_st& stream);

/// Keeps an error for cudaGetLastError.
cudaError_t keep(cudaError_t status);

/// So many objects of a library more, or less.
inline void count_objects(long change) {
    Runtime& runtime = Runtime::get();
    const std::lock_guard lock(runtime.mutex);
    runtime.objects += change;
}

/// body(runtime), which gives a status, by one thread at a time.
template <class Body>
cudaError_t within(const Body& body) {
    Runtime& runtime = Runtime::get();
    const std::lock_guard lock(runtime.mutex);
    return keep(options().has_gpu ? body(runtime) : cudaErrorNoDevice);
}

/// The same for body(stream).
template <class Body>
cudaError_t on_stream(cudaStream_t handle, const Body& body) {
    return within([&](Runtime& runtime) {
        CUstream_st* const stream = runtime.find(handle);
        return stream == nullptr ? cudaErrorInvalidResourceHandle : body(*stream);
    });
}

}  // namespace cuda_sim
