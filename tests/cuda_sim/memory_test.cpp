// Memory of the simulated GPU is closed to the host, ends where it says, and holds nothing at first.
#include "sim/sanitizers.hpp"
#include "sim_test.hpp"

#include <cmath>
#include <cstring>

using namespace cuda_sim;

namespace {

__device__ int element() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

struct Range {
    float* data;
    int size;
};

}  // namespace

static __global__ void set(float* x, int first, int last) {
    const int i = first + element();
    if (i < last) x[i] = 1;
}
static __global__ void add_one(const float* x, float* y, int n) {
    const int i = element();
    if (i < n) y[i] = x[i] + 1;
}
static __global__ void set_range(Range range) {
    if (element() < range.size) range.data[element()] = 1;
}

TEST_CASE("what a kernel writes past an allocation, before it or into none") {
    const Fresh fresh;
    const auto write = [](std::size_t size, int first, int last) {
        return aborted([&] {
            Stream stream;
            const Floats before(stream, 100), x(stream, size), after(stream, 100);
            stream.launch(1, static_cast<unsigned>(last - first), 0, set, x.data, first, last);
            cudaStreamSynchronize(stream.handle);
        });
    };
    CHECK(write(64, 0, 64) == "");
    CHECK(contains(write(64, 0, 65), "kernel set, block (0, 0, 0), thread (64, 0, 0): access at"));
    CHECK(contains(write(64, 0, 65), "256 bytes into an allocation of 256"));
    CHECK(write(65, 0, 65) == "");
    CHECK(contains(write(65, 0, 66), "kernel set wrote just before or after an allocation of 260"));
    CHECK(
        contains(write(64, -1, 64), "kernel set wrote just before or after an allocation of 256"));
    CHECK(
        contains(write(1024, -1, 64), "kernel set, block (0, 0, 0), thread (0, 0, 0): access at"));
    CHECK(contains(write(64, 1 << 28, (1 << 28) + 1), "no device memory at"));
}

#if !defined(CUDA_SIM_ASAN)  // whose companion for undefined behaviour sees these first
static __global__ void copy_four(const float* x, float* y) {
    *reinterpret_cast<float4*>(y) = *reinterpret_cast<const float4*>(x);
}

TEST_CASE("four numbers that are read, or written, at once where no multiple of their size is") {
    const Fresh fresh;
    const auto copy = [](int from, int to) {
        return aborted([&] {
            Stream stream;
            const Floats x(stream, 8), y(stream, 8);
            stream.launch(1, 1, 0, copy_four, x.data + from, y.data + to);
            cudaStreamSynchronize(stream.handle);
        });
    };
    CHECK(copy(4, 4) == "");
    for (const auto& [from, to] : {std::pair{1, 4}, {4, 2}, {3, 3}}) {
        CHECK(contains(copy(from, to), "kernel copy_four, block (0, 0, 0), thread (0, 0, 0): "));
        CHECK(contains(copy(from, to), "misaligned address"));
        CHECK(contains(copy(from, to), "expected a multiple of 16"));
    }
}
#endif

TEST_CASE("the host reaches no device memory, before and after kernels") {
    const Fresh fresh;
    const auto touch = [](bool runs) {
        return aborted([&] {
            Stream stream;
            const Floats x(stream, 64);
            if (runs) {
                stream.launch(1, 64, 0, set, x.data, 0, 64);
                cudaStreamSynchronize(stream.handle);
            }
            const volatile float* const data = x.data;
            static_cast<void>(data[3]);
        });
    };
    CHECK(contains(touch(false), "the host touches device memory"));
    CHECK(contains(touch(true), "the host touches device memory"));
}

TEST_CASE("memory that has been freed") {
    const Fresh fresh;
    const auto use = [](bool in_struct, bool waits) {
        return aborted([&] {
            Stream stream;
            float* data = nullptr;
            {
                const Floats x(stream, 64);
                data = x.data;
            }
            if (waits) cudaStreamSynchronize(stream.handle);
            if (in_struct) {
                stream.launch(1, 64, 0, set_range, Range{data, 64});
            } else {
                stream.launch(1, 64, 0, set, data, 0, 64);
            }
            cudaStreamSynchronize(stream.handle);
        });
    };
    for (const bool waits : {false, true}) {
        CHECK(contains(use(false, waits), "kernel set: argument 0 is in device memory that has"));
        CHECK(contains(use(true, waits), "kernel set_range, block (0, 0, 0), thread (0, 0, 0): "));
        CHECK(contains(use(true, waits), "no device memory at"));
    }
    Stream stream;
    Floats x(stream, 64), y(stream, 64);
    CHECK(x.data != y.data);
    CHECK(cudaFreeAsync(x.data, stream.handle) == cudaSuccess);
    CHECK(cudaFreeAsync(x.data, stream.handle) == cudaErrorInvalidValue);
    CHECK(cudaMemsetAsync(x.data, 0, 4, stream.handle) == cudaErrorInvalidValue);
}

TEST_CASE("a kernel's argument that is an address of the host's") {
    const Fresh fresh;
    const std::string text = aborted([] {
        Stream stream;
        float own[64];
        stream.launch(1, 64, 0, set, own, 0, 64);
    });
    CHECK(contains(text, "kernel set: argument 0 is no device memory"));
}

TEST_CASE("what was never written is NaN") {
    const Fresh fresh;
    Stream stream;
    const Floats x(stream, 70), y(stream, 70);
    REQUIRE(stream.launch(1, 70, 0, add_one, x.data, y.data, 70) == cudaSuccess);
    for (const float value : y.read()) CHECK(std::isnan(value));
}

TEST_CASE("copies: of the kind that they say, within allocations") {
    const Fresh fresh;
    Stream stream;
    const Floats x(stream, 64), y(stream, 64);
    float host[64] = {};
    const auto copy = [&](void* to, const void* from, std::size_t size, cudaMemcpyKind kind) {
        return cudaMemcpyAsync(to, from, size, kind, stream.handle);
    };
    CHECK(copy(x.data, host, 256, cudaMemcpyHostToDevice) == cudaSuccess);
    CHECK(copy(x.data, host, 256, cudaMemcpyDefault) == cudaSuccess);
    CHECK(copy(y.data, x.data, 256, cudaMemcpyDeviceToDevice) == cudaSuccess);
    CHECK(copy(host, y.data, 256, cudaMemcpyDeviceToHost) == cudaSuccess);
    CHECK(copy(x.data, host, 256, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
    CHECK(copy(host, x.data, 256, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
    CHECK(copy(y.data, x.data, 256, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
    CHECK(copy(x.data, host, 260, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
    CHECK(copy(host, x.data + 1, 256, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
    CHECK(copy(x.data, nullptr, 256, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
    CHECK(cudaMemsetAsync(x.data + 63, 0, 8, stream.handle) == cudaErrorInvalidValue);
    CHECK(cudaMemsetAsync(host, 0, 8, stream.handle) == cudaErrorInvalidValue);
    CHECK(cudaGetLastError() == cudaErrorInvalidValue);
    CHECK(counts().copies_to_device == 2);
    CHECK(counts().copies_on_device == 1);
    CHECK(counts().copies_to_host == 1);
    CHECK(counts().fills == 0);
    CHECK(counts().allocations == 2);
    CHECK(counts().synchronisations == 0);
}

TEST_CASE(
    "memory of the host's is read when the stream runs; what is not pinned is written at the "
    "call") {
    const Fresh fresh;
    Stream stream;
    const Floats x(stream, 1), y(stream, 1);
    void* memory = nullptr;
    REQUIRE(cudaMallocHost(&memory, sizeof(float)) == cudaSuccess);
    float* const pinned = static_cast<float*>(memory);
    CHECK(std::isnan(*pinned));
    float own = *pinned = 1;
    const auto copy = [&](void* to, const void* from) {
        CHECK(cudaMemcpyAsync(to, from, sizeof(float), cudaMemcpyDefault, stream.handle) ==
              cudaSuccess);
    };
    copy(x.data, pinned);
    copy(y.data, &own);
    own = *pinned = 2;
    CHECK(x.read()[0] == 2);  // the changed value: the buffer was reused too early
    CHECK(y.read()[0] == 2);  // which nothing rules out here either

    *pinned = -1;
    copy(pinned, y.data);
    CHECK(*pinned == -1);  // not there yet
    stream.wait();
    CHECK(*pinned == 2);

    REQUIRE(stream.launch(1, 1, 0, add_one, x.data, pinned, 1) == cudaSuccess);
    stream.wait();
    CHECK(*pinned == 3);  // kernels reach it
    CHECK(cudaFreeHost(pinned + 1) == cudaErrorInvalidValue);
    CHECK(cudaFreeHost(pinned) == cudaSuccess);
}

TEST_CASE("memory ends, and allocations fail when they are told to") {
    const Fresh fresh;
    const std::size_t before = memory_in_use();
    options().memory_bytes = before + 1000;
    void *first = nullptr, *second = nullptr;
    CHECK(cudaMalloc(&first, 600) == cudaSuccess);
    CHECK(cudaMalloc(&second, 600) == cudaErrorMemoryAllocation);
    CHECK(second == nullptr);
    CHECK(cudaPeekAtLastError() == cudaErrorMemoryAllocation);
    CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
    CHECK(cudaGetLastError() == cudaSuccess);
    std::size_t free = 0, total = 0;
    CHECK(cudaMemGetInfo(&free, &total) == cudaSuccess);
    CHECK(total == before + 1000);
    CHECK(free == 400);

    options().failing_allocation = 2;
    CHECK(cudaMalloc(&second, 100) == cudaSuccess);
    CHECK(cudaFree(second) == cudaSuccess);
    CHECK(cudaMalloc(&second, 100) == cudaErrorMemoryAllocation);
    CHECK(cudaMalloc(&second, 100) == cudaSuccess);
    CHECK(cudaFree(second) == cudaSuccess);
    CHECK(cudaFree(first) == cudaSuccess);
    CHECK(cudaFree(nullptr) == cudaSuccess);
    CHECK(memory_in_use() == before);
}
