// The simulator runs threads as CUDA does, and ends programs whose threads no GPU could run.
#include "sim_test.hpp"

#include <gpu/mma.cuh>
#include <gpu/shared.cuh>

#include <cmath>
#include <numeric>

using namespace cuda_sim;
using namespace weft::kernels::cuda;

namespace {

std::vector<float> ramp(int n) {
    std::vector<float> values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), 1.0F);
    return values;
}

__device__ int element() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

/// The message of a kernel of one block that is started with so many threads.
template <class... Arguments>
std::string message(void (*kernel)(float*, Arguments...), unsigned threads,
                    Arguments... arguments) {
    return aborted([&] {
        Stream stream;
        const Floats x(stream, ramp(64));
        stream.launch(1, threads, 0, kernel, x.data, arguments...);
        cudaStreamSynchronize(stream.handle);
    });
}

}  // namespace

// ---- What is right ------------------------------------------------------------------------------

static __global__ void write_place(float* y) {
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    y[block * blockDim.x * blockDim.y * blockDim.z + thread] =
        static_cast<float>(100 * blockIdx.z + 10 * threadIdx.z + threadIdx.y);
}

TEST_CASE("each thread of each block runs once, in any order") {
    const Fresh fresh;
    for (const Order order : orders) {
        options().order = order;
        Stream stream;
        const Floats y(stream, 2 * 1 * 3 * 4 * 5 * 2);
        REQUIRE(stream.launch({2, 1, 3}, {4, 5, 2}, 0, write_place, y.data) == cudaSuccess);
        const std::vector<float> values = y.read();
        float sum = 0;
        for (const float value : values) sum += value;
        CHECK(values.back() == 214);
        CHECK(sum == 240 * (100 + 5 + 2));
    }
}

template <int n>
static __global__ void sum_of_block(const float* x, float* y) {
    auto& parts = shared<float[32], 0>();
    float sum = x[element()];
    for (unsigned by = 16; by > 0; by /= 2) sum += __shfl_down_sync(~0U, sum, by);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x != 0) return;
    float total = 0;
    for (int i = 0; i < n / 32; ++i) total += parts[i];
    y[blockIdx.x] = total;
}

TEST_CASE("sums of blocks, by shuffles, shared memory and a barrier") {
    const Fresh fresh;
    for (const Order order : orders) {
        options().order = order;
        Stream stream;
        const Floats x(stream, ramp(3 * 96)), y(stream, 3);
        REQUIRE(stream.launch(3, 96, 0, sum_of_block<96>, x.data, y.data) == cudaSuccess);
        CHECK(y.read() == std::vector<float>{4656, 13872, 23088});
        CHECK(counts().kernels.back() == "sum_of_block<96>");
    }
}

static __global__ void reverse_block(float* x, int n) {
    auto* const tile = reinterpret_cast<float*>(Engine::get().dynamic_shared());
    const int i = static_cast<int>(threadIdx.x);
    tile[i] = x[i];
    __syncthreads();
    x[i] = tile[n - 1 - i];
}

TEST_CASE("dynamic shared memory") {
    const Fresh fresh;
    Stream stream;
    const Floats x(stream, ramp(5));
    REQUIRE(stream.launch(1, 5, 5 * sizeof(float), reverse_block, x.data, 5) == cudaSuccess);
    CHECK(x.read() == std::vector<float>{5, 4, 3, 2, 1});
}

static __global__ void count_blocks(float* x) {
    __syncthreads();
    if (threadIdx.x == 0) atomicAdd(x, 1.0F);
}

TEST_CASE("a grid of many blocks") {
    const Fresh fresh;
    Stream stream;
    const Floats x(stream, std::vector<float>{0});
    REQUIRE(stream.launch(100000, 2, 0, count_blocks, x.data) == cudaSuccess);
    CHECK(x.read()[0] == 100000);
}

static __global__ void shuffles(float* y) {
    const auto lane = static_cast<float>(threadIdx.x);
    float* const own = y + 8 * threadIdx.x;
    own[0] = __shfl_sync(~0U, lane, 33);
    own[1] = __shfl_sync(~0U, lane, 3, 8);
    own[2] = __shfl_up_sync(~0U, lane, 2);
    own[3] = __shfl_down_sync(~0U, lane, 5, 16);
    own[4] = __shfl_xor_sync(~0U, lane, 9);
    own[5] = static_cast<float>(__popc(__ballot_sync(~0U, threadIdx.x % 3 == 0)));
    own[6] = static_cast<float>(__any_sync(~0U, threadIdx.x == 7) + 2 * __all_sync(~0U, lane >= 0));
    own[7] = threadIdx.x % 2 == 0 ? __shfl_sync(0x55555555U, lane, 4) : -1;
}

TEST_CASE("operations of a warp") {
    const Fresh fresh;
    for (const Order order : orders) {
        options().order = order;
        Stream stream;
        const Floats y(stream, 8 * 32);
        REQUIRE(stream.launch(1, 32, 0, shuffles, y.data) == cudaSuccess);
        const std::vector<float> values = y.read();
        for (int l = 0; l < 32; ++l) {
            const auto at = values.begin() + 8 * l;
            const std::vector<float> expected{1,
                                              static_cast<float>(l / 8 * 8 + 3),
                                              static_cast<float>(l < 2 ? l : l - 2),
                                              static_cast<float>(l % 16 + 5 < 16 ? l + 5 : l),
                                              static_cast<float>(l ^ 9),
                                              11,
                                              3,
                                              l % 2 == 0 ? 4.0F : -1.0F};
            CHECK(std::vector<float>(at, at + 8) == expected);
        }
    }
}

static __global__ void count_atomically(int* counter, float* y) {
    const int before = atomicAdd(counter, 1);
    y[before] = static_cast<float>(before);
}

TEST_CASE("atomics give what was there before") {
    const Fresh fresh;
    Stream stream;
    const Floats y(stream, 100), counter(stream, 1);
    REQUIRE(cudaMemsetAsync(counter.data, 0, 4, stream.handle) == cudaSuccess);
    int* const count = reinterpret_cast<int*>(counter.data);
    REQUIRE(stream.launch(2, 50, 0, count_atomically, count, y.data) == cudaSuccess);
    const std::vector<float> values = y.read();
    for (std::size_t i = 0; i < 100; ++i) CHECK(values[i] == static_cast<float>(i));
}

// ---- What is wrong ------------------------------------------------------------------------------

static __global__ void barrier_for_some(float*) {
    if (threadIdx.x < 20) __syncthreads();
}
static __global__ void two_barriers(float*) {
    if (threadIdx.x < 20) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}
static __global__ void half_a_warp(float* x) {
    if (threadIdx.x < 16) x[threadIdx.x] = __shfl_down_sync(~0U, x[threadIdx.x], 8);
}
static __global__ void outside_of_mask(float* x) {
    if (threadIdx.x < 16) x[threadIdx.x] = __shfl_down_sync(0xFFFFU, x[threadIdx.x], 8);
}
static __global__ void not_in_own_mask(float* x) {
    x[threadIdx.x] = __shfl_xor_sync(0xFFFFU, x[threadIdx.x], 1);
}
static __global__ void warp_against_barrier(float* x) {
    if (threadIdx.x < 31) {
        x[threadIdx.x] = __shfl_xor_sync(~0U, x[threadIdx.x], 1);
    } else {
        __syncthreads();
    }
}
static __global__ void two_operations(float* x) {
    x[threadIdx.x] = threadIdx.x < 16 ? __shfl_xor_sync(~0U, x[threadIdx.x], 1)
                                      : __shfl_up_sync(~0U, x[threadIdx.x], 1);
}
static __global__ void shuffle_against_vote(float* x) {
    const unsigned got = threadIdx.x < 16 ? __shfl_xor_sync(~0U, 1U, 1) : __ballot_sync(~0U, 1);
    x[threadIdx.x] = static_cast<float>(got);
}
static __global__ void mma_by_half(float* x) {
    float d[4] = {}, a[4] = {}, b[2] = {};
    if (threadIdx.x < 16) mma_16x8x8(d, a, b);
    x[threadIdx.x] = d[0];
}
static __global__ void past_shared_array(float* x) {
    float* const array = shared<float[5], 0>();
    array[threadIdx.x] = x[threadIdx.x];
}
static __global__ void much_shared_memory(float* x) {
    x[0] = shared<float[6000], 0>()[0] + shared<float[8000], 1>()[0];
}
static __global__ void deep_stack(float* x) {
    volatile float large[100000];
    large[threadIdx.x] = x[threadIdx.x];
    x[threadIdx.x] = large[threadIdx.x];
}

TEST_CASE("a barrier that not all threads reach") {
    const Fresh fresh;
    for (const Order order : orders) {
        options().order = order;
        const std::string text = message(barrier_for_some, 64);
        CHECK(contains(text, "kernel barrier_for_some, block (0, 0, 0)"));
        CHECK(contains(text, "a barrier that not all threads reach"));
        CHECK(contains(text, "has returned"));
        CHECK(contains(text, "sim_test.cpp:"));
        CHECK(contains(message(two_barriers, 64), "wait at two barriers"));
    }
}

TEST_CASE("masks that do not say who comes") {
    const Fresh fresh;
    for (const Order order : orders) {
        options().order = order;
        CHECK(contains(message(half_a_warp, 32), "a lane of the mask does not come"));
        CHECK(contains(message(warp_against_barrier, 32), "is at __syncthreads"));
        CHECK(contains(message(outside_of_mask, 32), "which does not take part"));
        CHECK(contains(message(not_in_own_mask, 32), "not in its own mask"));
        CHECK(contains(message(two_operations, 32), "in different operations"));
        CHECK(contains(message(shuffle_against_vote, 32), "in different operations"));
        CHECK(contains(message(mma_by_half, 32), "a lane of the mask does not come"));
        CHECK(contains(message(mma_by_half, 16), "needs all 32 lanes"));
    }
}

TEST_CASE("shared memory is written past an array, or is too much") {
    const Fresh fresh;
    CHECK(message(past_shared_array, 5) == "");
    CHECK(contains(message(past_shared_array, 6), "20 bytes in shared memory"));
    CHECK(contains(message(much_shared_memory, 1), "too much shared memory: 56000 bytes"));
}

TEST_CASE("a thread whose arrays are too large for its stack") {
    const Fresh fresh;
    CHECK(contains(message(deep_stack, 1), "thread (0, 0, 0): the thread's stack overflows"));
}

static __global__ void forgets_a_barrier(const float* x, float* y) {
    auto& tile = shared<float[64], 0>();
    const int i = static_cast<int>(threadIdx.x);
    tile[i] = x[i];
    y[i] = tile[i / 2 * 2 + 1 - i % 2];  // the neighbour's
}
static __global__ void adds_across_blocks(float* y) {
    y[0] = y[0] * 2 + static_cast<float>(blockIdx.x);
}

TEST_CASE("what depends on the order of threads or blocks differs between orders" *
          doctest::skip(watches_threads)) {  // which would report these races
    const Fresh fresh;
    std::vector<std::vector<float>> swapped, sums;
    for (const Order order : orders) {
        options().order = order;
        Stream stream;
        const Floats x(stream, ramp(64)), y(stream, 64), sum(stream, std::vector<float>{0});
        stream.launch(1, 64, 0, forgets_a_barrier, x.data, y.data);
        stream.launch(4, 1, 0, adds_across_blocks, sum.data);
        swapped.push_back(y.read());
        sums.push_back(sum.read());
    }
    CHECK(std::isnan(swapped[0][0]));  // thread 0 is before thread 1
    CHECK(std::isnan(swapped[1][1]));
    CHECK(sums[0] != sums[1]);
    CHECK(sums[0] != sums[2]);
}

TEST_CASE("a function of the GPU that the host calls") {
    const Fresh fresh;
    CHECK(contains(aborted([] { __syncthreads(); }), "called by the host"));
}
