/// \file
/// What tests of the simulator share.
#pragma once

#include "sim/control.hpp"

#include <cuda_runtime.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <list>
#include <string>
#include <vector>

namespace cuda_sim {

constexpr Order orders[]{Order::forward, Order::reverse, Order::shuffled};

/// Sets back all that a test has set.
struct Fresh {
    Fresh() { reset(); }
    ~Fresh() { reset(); }
    static void reset() {
        options() = {};
        counts() = {};
        cudaGetLastError();
    }
};

/// What body() writes to stderr before it aborts, in a child process; nothing if it does not abort.
template <class Body>
std::string aborted(const Body& body) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    fflush(nullptr);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        body();
        _exit(0);
    }
    close(ends[1]);
    std::string text;
    char piece[512];
    for (ssize_t n = 0; (n = read(ends[0], piece, sizeof piece)) > 0;) {
        text.append(piece, static_cast<std::size_t>(n));
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? text : "";
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A stream, and memory of so many floats on the device.
struct Stream {
    cudaStream_t handle = nullptr;
    Stream() { REQUIRE(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking) == cudaSuccess); }
    ~Stream() { cudaStreamDestroy(handle); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    template <class... Parameters, class... Arguments>
    cudaError_t launch(dim3 blocks, dim3 threads, std::size_t shared_bytes,
                       void (*kernel)(Parameters...), Arguments... arguments) {
        cudaLaunchConfig_t config{};
        config.gridDim = blocks;
        config.blockDim = threads;
        config.dynamicSmemBytes = shared_bytes;
        config.stream = handle;
        return cudaLaunchKernelEx(&config, kernel, arguments...);
    }
    void wait() { REQUIRE(cudaStreamSynchronize(handle) == cudaSuccess); }
};

struct Floats {
    Stream& stream;
    std::size_t size;
    float* data = nullptr;

    Floats(Stream& stream_, std::size_t size_) : stream(stream_), size(size_) {
        void* memory = nullptr;
        REQUIRE(cudaMallocAsync(&memory, size * sizeof(float), stream.handle) == cudaSuccess);
        data = static_cast<float*>(memory);
    }
    Floats(Stream& stream_, const std::vector<float>& values) : Floats(stream_, values.size()) {
        static std::list<std::vector<float>> sent;  // read when the stream runs
        sent.push_back(values);
        REQUIRE(cudaMemcpyAsync(data, sent.back().data(), size * sizeof(float),
                                cudaMemcpyHostToDevice, stream.handle) == cudaSuccess);
    }
    ~Floats() { cudaFreeAsync(data, stream.handle); }
    Floats(const Floats&) = delete;
    Floats& operator=(const Floats&) = delete;

    std::vector<float> read() const {
        std::vector<float> values(size);
        REQUIRE(cudaMemcpyAsync(values.data(), data, size * sizeof(float), cudaMemcpyDeviceToHost,
                                stream.handle) == cudaSuccess);
        return values;
    }
};

}  // namespace cuda_sim
