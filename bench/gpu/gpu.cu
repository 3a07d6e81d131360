/// \file
/// Time on a GPU, and what the GPU itself can do.
#include "gpu.hpp"

#include "launch.cuh"

#include <gpu/mma.cuh>

#include <algorithm>
#include <array>
#include <cfloat>

namespace weft::bench {
namespace {

namespace cuda = kernels::cuda;

/// An event of a stream, which ends with it.
class Event {
public:
    Event() { cuda::check(cudaEventCreate(&event_), "cudaEventCreate"); }
    ~Event() { cudaEventDestroy(event_); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void record(const Cuda& device) {
        cuda::check(cudaEventRecord(event_, cuda::stream_of(device)), "cudaEventRecord");
    }
    double seconds_since(const Event& start) const {
        float milliseconds = 0;
        cuda::check(cudaEventElapsedTime(&milliseconds, start.event_, event_),
                    "cudaEventElapsedTime");
        return milliseconds / 1e3;
    }

private:
    cudaEvent_t event_ = nullptr;
};

constexpr int steps = 4096;  // of a thread
constexpr int chains = 8;    // that do not wait for each other
constexpr int block_threads = 256;

__device__ void keep(float sum, float* y) {
    if (sum == FLT_MAX) *y = sum;  // never, which the compiler does not know
}

static __global__ void multiply_add(float factor, float* y) {
    std::array<float, chains> sums{};
    for (int i = 0; i < steps; ++i) {
        for (float& sum : sums) sum = sum * factor + 1;
    }
    float all = 0;
    for (const float sum : sums) all += sum;
    keep(all, y);
}

static __global__ void multiply_tiles(float factor, float* y) {
    const float a[4]{factor, factor, factor, factor};
    const float b[2]{factor, factor};
    float tiles[chains][4]{};
    for (int i = 0; i < steps; ++i) {
        for (auto& tile : tiles) cuda::mma_16x8x8(tile, a, b);
    }
    float all = 0;
    for (const auto& tile : tiles) all += tile[0] + tile[1] + tile[2] + tile[3];
    keep(all, y);
}

static __global__ void nothing() {}

/// The least of a few, the first of which warms up.
double least_seconds(const Cuda& device, const std::function<void()>& work) {
    double least = seconds_on_gpu(device, work);
    for (int i = 0; i < 5; ++i) least = std::min(least, seconds_on_gpu(device, work));
    return least;
}

}  // namespace

double seconds_on_gpu(const Cuda& device, const std::function<void()>& work) {
    const cuda::CurrentGpu current = device.context().use();
    Event start, end;
    start.record(device);
    work();
    end.record(device);
    device.synchronize();
    return end.seconds_since(start);
}

GpuCeilings measure_ceilings() {
    Cuda device;
    const cudaDeviceProp& gpu = device.context().properties;
    GpuCeilings found;

    const std::size_t bytes = std::min<std::size_t>(std::size_t{1} << 29, gpu.totalGlobalMem / 8);
    const Cuda::Memory from = device.allocate(bytes);
    Cuda::Memory to = device.allocate(bytes);
    const double copying =
        least_seconds(device, [&] { device.copy_on_device(from.data(), to.data(), bytes); });
    found.memory_gbs = 2e-9 * static_cast<double>(bytes) / copying;

    auto* const y = reinterpret_cast<float*>(to.data());
    const int blocks = 16 * gpu.multiProcessorCount;
    const cuda::Grid grid{dim3(static_cast<unsigned>(blocks)), dim3(block_threads)};
    const double threads = static_cast<double>(blocks) * block_threads;
    const double adding =
        least_seconds(device, [&] { cuda::launch(device, multiply_add, grid, 0.5F, y); });
    found.fp32_gflops = 2e-9 * steps * chains * threads / adding;
    if (gpu.major >= 8) {
        const double multiplying =
            least_seconds(device, [&] { cuda::launch(device, multiply_tiles, grid, 0.5F, y); });
        constexpr double flop_of_warp = 2.0 * 16 * 8 * 8;
        found.tf32_gflops = 1e-9 * flop_of_warp * steps * chains * (threads / 32) / multiplying;
    }

    constexpr int nodes = 100;
    const Cuda::Recording recording = device.record([&] {
        for (int i = 0; i < nodes; ++i) cuda::launch(device, nothing, {dim3(1), dim3(32)});
    });
    found.graph_node_us = 1e6 / nodes * least_seconds(device, [&] { device.repeat(recording); });
    return found;
}

}  // namespace weft::bench
