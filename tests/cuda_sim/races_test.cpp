// Under the thread sanitizer: a barrier or an atomic that is missing is reported, at its line, and
// what has them is not. A program of its own, for each report is of another run of it:
//
//     races_test            runs itself for each kernel below, and looks at what is reported
//     races_test KERNEL     runs one
#include "sim/control.hpp"
#include "sim/sanitizers.hpp"

#include <cuda_runtime.h>
#include <gpu/shared.cuh>

#include <cstdio>
#include <string>

using namespace weft::kernels::cuda;

namespace {

constexpr int threads = 64;

template <bool has_barrier>
__global__ void swap_neighbours(float* x) {
    auto& tile = shared<float[threads], 0>();
    const unsigned i = threadIdx.x;
    tile[i] = static_cast<float>(i);
    if (has_barrier) __syncthreads();
    x[blockIdx.x * threads + i] = tile[i ^ 1];  // line of the read
}
constexpr int line_of_read = __LINE__ - 2;

/// As above, but the second write is too early.
template <bool has_barrier>
__global__ void swap_twice(float* x) {
    auto& tile = shared<float[threads], 0>();
    const unsigned i = threadIdx.x;
    for (int turn = 0; turn < 2; ++turn) {
        tile[i] = static_cast<float>(i);  // line of the second write
        __syncthreads();
        x[blockIdx.x * threads + i] = tile[i ^ 1];
        if (has_barrier) __syncthreads();
    }
}
constexpr int line_of_write = __LINE__ - 6;

template <bool has_barrier>
__global__ void swap_in_warp(float* x) {
    auto& tile = shared<float[threads], 0>();
    const unsigned i = threadIdx.x;
    tile[i] = static_cast<float>(i);
    if (has_barrier) {
        __syncwarp();
    } else {
        __shfl_sync(~0U, 0, 0);  // a meeting that orders no memory
    }
    x[blockIdx.x * threads + i] = tile[i ^ 1];
}
constexpr int line_of_warp_read = __LINE__ - 2;

template <bool is_atomic>
__global__ void count(float* x) {
    if (is_atomic) {
        atomicAdd(x, 1.0F);
    } else {
        x[0] += 1;
    }
}
constexpr int line_of_sum = __LINE__ - 3;

/// The last block reads what the others wrote.
template <bool has_fence>
__global__ void last_block(float* x) {
    if (threadIdx.x > 0) return;
    x[2 + blockIdx.x] = 1;
    if (has_fence) __threadfence();
    const float before = atomicAdd(x, 1.0F);
    if (has_fence) __threadfence();
    if (before != static_cast<float>(gridDim.x - 1)) return;
    float sum = 0;
    for (unsigned block = 0; block < gridDim.x; ++block) sum += x[2 + block];
    x[1] = sum;
}
constexpr int line_of_last_read = __LINE__ - 3;

struct Case {
    const char* name;
    void (*right)(float*);
    void (*wrong)(float*);
    int line;
};
const Case cases[]{
    {"barrier", swap_neighbours<true>, swap_neighbours<false>, line_of_read},
    {"second_barrier", swap_twice<true>, swap_twice<false>, line_of_write},
    {"warp", swap_in_warp<true>, swap_in_warp<false>, line_of_warp_read},
    {"atomic", count<true>, count<false>, line_of_sum},
    {"fence", last_block<true>, last_block<false>, line_of_last_read},
};

bool run(void (*kernel)(float*)) {
    void* memory = nullptr;
    cudaStream_t stream = nullptr;
    cudaLaunchConfig_t config{};
    config.gridDim = 3;
    config.blockDim = threads;
    return cudaMalloc(&memory, 3 * threads * sizeof(float)) == cudaSuccess &&
           cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess &&
           cudaMemsetAsync(memory, 0, 3 * threads * sizeof(float), stream) == cudaSuccess &&
           (config.stream = stream,
            cudaLaunchKernelEx(&config, kernel, static_cast<float*>(memory))) == cudaSuccess &&
           cudaStreamSynchronize(stream) == cudaSuccess;
}

/// What the program says when it runs that kernel.
std::string report(const std::string& program, const std::string& kernel) {
    const std::string options = "TSAN_OPTIONS=\"$TSAN_OPTIONS atexit_sleep_ms=0\" ";
    FILE* const output = popen((options + program + " " + kernel + " 2>&1").c_str(), "r");
    std::string text;
    char piece[512];
    while (output != nullptr && std::fgets(piece, sizeof piece, output) != nullptr) text += piece;
    pclose(output);
    return text;
}

}  // namespace

int main(int count, char** arguments) {
    if (count == 2) {
        const std::string wanted = arguments[1];
        for (const Case& c : cases) {
            if (wanted == c.name) return run(c.right) ? 0 : 1;
            if (wanted == std::string("no_") + c.name) return run(c.wrong) ? 0 : 1;
        }
        return 1;
    }
    if (!cuda_sim::watches_threads) {
        std::puts("not built with the thread sanitizer");
        return 77;
    }
    int failures = 0;
    const auto expect = [&](bool is, const std::string& what, const std::string& text) {
        if (!is) std::printf("FAILED: %s\n%s\n", what.c_str(), text.c_str());
        failures += is ? 0 : 1;
    };
    for (const Case& c : cases) {
        const std::string name = c.name, right = report(arguments[0], name);
        const std::string wrong = report(arguments[0], "no_" + name);
        const std::string place = "races_test.cpp:" + std::to_string(c.line);
        expect(right.empty(), name + ": reported where there is no race", right);
        expect(wrong.find("data race") != std::string::npos, name + " missing: not reported",
               wrong);
        expect(wrong.find(place) != std::string::npos, name + " missing: not at " + place, wrong);
    }
    if (failures == 0) std::puts("each race is reported at its line");
    return failures == 0 ? 0 : 1;
}
