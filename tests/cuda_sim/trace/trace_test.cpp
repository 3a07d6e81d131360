// The counts of memory transactions, on kernels for which they are known.
#include "trace.hpp"

#include "tests/cuda_sim/sim_test.hpp"

#include <gpu/shared.cuh>

using namespace cuda_sim;
using namespace weft::kernels::cuda;

namespace {

__device__ int element() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

/// What the kernel asks for, started on so many blocks of 64 threads with 64 KiB each of x and y.
Traffic traced(void (*kernel)(const float*, float*), const char* name, unsigned blocks = 2) {
    Stream stream;
    const Floats x(stream, 1 << 14), y(stream, 1 << 14);
    trace() = {};
    REQUIRE(stream.launch(blocks, 64, 0, kernel, x.data, y.data) == cudaSuccess);
    stream.wait();
    return traffic(name);
}

}  // namespace

static __global__ void copy(const float* x, float* y) { y[element()] = x[element()]; }
static __global__ void copy_shifted(const float* x, float* y) { y[element()] = x[element() + 1]; }
static __global__ void transpose(const float* x, float* y) { y[element() * 64] = x[element()]; }
static __global__ void broadcast(const float* x, float* y) { y[element()] = x[5]; }
static __global__ void copy_vectors(const float* x, float* y) {
    reinterpret_cast<float4*>(y)[element()] = reinterpret_cast<const float4*>(x)[element()];
}
static __global__ void scale_vectors(const float* x, float* y) {
    float4 four = reinterpret_cast<const float4*>(x)[element()];
    four.x *= 2;
    four.w += four.y;
    reinterpret_cast<float4*>(y)[element()] = four;
}
static __global__ void copy_bytes(const float* x, float* y) {
    reinterpret_cast<char*>(y)[element()] = reinterpret_cast<const char*>(x)[element()];
}

TEST_CASE("sectors of loads and stores") {
    const Fresh fresh;
    const Traffic all = traced(copy, "copy");
    CHECK(all.requests == 8);  // four warps, a load and a store each
    CHECK(all.sectors == 32);
    CHECK(all.ideal_sectors == 32);
    CHECK(all.shared_requests == 0);
    CHECK(trace().at("copy").size() == 2);

    const Traffic shifted = traced(copy_shifted, "copy_shifted");
    CHECK(shifted.sectors == 4 * (5 + 4));
    CHECK(shifted.ideal_sectors == 32);

    const Traffic scattered = traced(transpose, "transpose");
    CHECK(scattered.sectors == 4 * (4 + 32));
    CHECK(scattered.coalescing() == doctest::Approx(32.0 / 144));

    const Traffic same = traced(broadcast, "broadcast");
    CHECK(same.sectors == 4 * (1 + 4));
    CHECK(same.coalescing() == 1);

    const Traffic vectors = traced(copy_vectors, "copy_vectors");
    CHECK(vectors.requests == 8);
    CHECK(vectors.sectors == 8 * 16);
    CHECK(vectors.coalescing() == 1);

    const Traffic scaled = traced(scale_vectors, "scale_vectors");
    CHECK(scaled.requests == 8);
    CHECK(scaled.sectors == 8 * 16);

    const Traffic bytes = traced(copy_bytes, "copy_bytes");
    CHECK(bytes.sectors == 8);
    CHECK(bytes.coalescing() == 1);
}

template <int stride, int tag>
static __global__ void through_shared(const float* x, float* y) {
    auto& tile = shared<float[64 * 33], tag>();
    const int i = static_cast<int>(threadIdx.x);
    tile[i] = x[i];
    __syncthreads();
    y[i] = tile[i % 32 * stride];
}
static __global__ void shared_vectors(const float* x, float* y) {
    auto& tile = shared<float4[64], 10>();
    const int i = static_cast<int>(threadIdx.x);
    tile[i] = reinterpret_cast<const float4*>(x)[i];
    __syncthreads();
    reinterpret_cast<float4*>(y)[i] = tile[63 - i];
}

TEST_CASE("passes of shared memory") {
    const Fresh fresh;
    const Traffic plain = traced(through_shared<1, 1>, "through_shared<1, 1>", 1);
    CHECK(plain.requests == 4);
    CHECK(plain.shared_requests == 4);
    CHECK(plain.shared_passes == 4);
    CHECK(plain.conflicts() == 1);
    CHECK(traced(through_shared<0, 1>, "through_shared<0, 1>", 1).conflicts() == 1);
    CHECK(traced(through_shared<33, 1>, "through_shared<33, 1>", 1).conflicts() == 1);
    const Traffic two = traced(through_shared<2, 1>, "through_shared<2, 1>", 1);
    CHECK(two.shared_passes == 2 * (1 + 2));
    const Traffic column = traced(through_shared<32, 1>, "through_shared<32, 1>", 1);
    CHECK(column.shared_passes == 2 * (1 + 32));
    CHECK(column.ideal_passes == 4);
    CHECK(contains(trace_report(), "16.50 of the least  through_shared<32, 1>"));

    const Traffic vectors = traced(shared_vectors, "shared_vectors", 1);
    CHECK(vectors.shared_passes == 2 * 2 * 4);
    CHECK(vectors.conflicts() == 1);
}

static __global__ void uneven_loops(const float* x, float* y) {
    float sum = 0;
    for (int i = 0; i < element() % 4; ++i) sum += x[i * 64 + element()];
    y[element()] = sum;
}

TEST_CASE("lanes that leave a loop earlier") {
    const Fresh fresh;
    const Traffic uneven = traced(uneven_loops, "uneven_loops", 1);
    CHECK(uneven.requests == 2 * (3 + 1));
    CHECK(uneven.sectors == 2 * (3 * 4 + 4));
    CHECK(uneven.ideal_sectors == 2 * (3 + 2 + 1 + 4));  // 24, 16, 8 lanes, then all
}
