// Streams run when the host waits, in an order that events alone make; graphs keep what they recorded.
#include "sim_test.hpp"

#include <cmath>
#include <thread>

using namespace cuda_sim;

static __global__ void scale(float* x, float factor) { x[threadIdx.x] *= factor; }
static __global__ void add(float* x, float term) { x[threadIdx.x] += term; }

namespace {

/// What the body records on the stream.
template <class Body>
cudaGraphExec_t recorded(Stream& stream, const Body& body) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    REQUIRE(cudaStreamBeginCapture(stream.handle, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    body();
    REQUIRE(cudaStreamEndCapture(stream.handle, &graph) == cudaSuccess);
    REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
    REQUIRE(cudaGraphDestroy(graph) == cudaSuccess);
    return executable;
}

}  // namespace

TEST_CASE("two streams are ordered by an event, and by nothing else") {
    const Fresh fresh;
    Stream first, second;
    const Floats x(first, std::vector<float>{1});
    first.wait();
    cudaEvent_t event = nullptr;
    REQUIRE(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
    first.launch(1, 1, 0, add, x.data, 1.0F);
    SUBCASE("with it") {
        REQUIRE(cudaEventRecord(event, first.handle) == cudaSuccess);
        REQUIRE(cudaStreamWaitEvent(second.handle, event, 0) == cudaSuccess);
        first.launch(1, 1, 0, add, x.data, 100.0F);  // after the event: not waited for
        second.launch(1, 1, 0, scale, x.data, 10.0F);
        second.wait();
        CHECK(x.read()[0] == 120);
    }
    SUBCASE("without") {
        second.launch(1, 1, 0, scale, x.data, 10.0F);
        second.wait();
        CHECK(x.read()[0] == 11);  // the sum came after the product
    }
    CHECK(cudaEventDestroy(event) == cudaSuccess);
}

TEST_CASE("waiting for the device runs streams in the order that is set") {
    const Fresh fresh;
    float results[2] = {};
    for (const Order order : {Order::forward, Order::reverse}) {
        options().order = order;
        Stream first, second;
        const Floats x(first, std::vector<float>{1});
        first.wait();
        first.launch(1, 1, 0, add, x.data, 1.0F);
        second.launch(1, 1, 0, scale, x.data, 10.0F);
        REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
        results[order == Order::reverse] = x.read()[0];
    }
    CHECK(results[0] == 20);
    CHECK(results[1] == 11);
}

TEST_CASE("while a stream is waited for, others are late, or early as far as no event keeps them") {
    const Fresh fresh;
    for (const bool is_ordered : {false, true}) {
        CAPTURE(is_ordered);
        std::vector<float> results;
        for (const Order order : orders) {
            options().order = order;
            Stream first, second;
            const Floats x(first, std::vector<float>{1});
            first.wait();
            cudaEvent_t forked = nullptr, joined = nullptr;
            REQUIRE(cudaEventCreateWithFlags(&forked, cudaEventDisableTiming) == cudaSuccess);
            REQUIRE(cudaEventCreateWithFlags(&joined, cudaEventDisableTiming) == cudaSuccess);
            first.launch(1, 1, 0, add, x.data, 1.0F);
            REQUIRE(cudaEventRecord(forked, first.handle) == cudaSuccess);
            if (is_ordered) {
                REQUIRE(cudaStreamWaitEvent(second.handle, forked, 0) == cudaSuccess);
            }
            second.launch(1, 1, 0, scale, x.data, 10.0F);
            REQUIRE(cudaEventRecord(joined, second.handle) == cudaSuccess);
            if (is_ordered) {
                REQUIRE(cudaStreamWaitEvent(first.handle, joined, 0) == cudaSuccess);
            }
            first.launch(1, 1, 0, add, x.data, 1.0F);
            results.push_back(x.read()[0]);
            second.wait();
            cudaEventDestroy(forked);
            cudaEventDestroy(joined);
        }
        const float late = is_ordered ? 21 : 3, early = is_ordered ? 21 : 12;
        CHECK(results[0] == late);
        CHECK(results[1] == early);
        CHECK((results[2] == late || results[2] == 21 || results[2] == early));
    }
}

TEST_CASE("queries say what is done, and time is measured") {
    const Fresh fresh;
    Stream stream;
    const Floats x(stream, std::vector<float>{1});
    stream.wait();
    cudaEvent_t from = nullptr, to = nullptr;
    REQUIRE(cudaEventCreate(&from) == cudaSuccess);
    REQUIRE(cudaEventCreate(&to) == cudaSuccess);
    REQUIRE(cudaEventRecord(from, stream.handle) == cudaSuccess);
    stream.launch(1, 1, 0, add, x.data, 1.0F);
    REQUIRE(cudaEventRecord(to, stream.handle) == cudaSuccess);
    float milliseconds = -1;
    CHECK(cudaEventElapsedTime(&milliseconds, from, to) == cudaErrorNotReady);
    CHECK(cudaEventQuery(to) == cudaErrorNotReady);
    CHECK(cudaStreamQuery(stream.handle) == cudaErrorNotReady);
    while (cudaEventQuery(to) == cudaErrorNotReady) {
    }
    CHECK(cudaStreamQuery(stream.handle) == cudaSuccess);
    CHECK(cudaGetLastError() == cudaSuccess);
    CHECK(cudaEventSynchronize(to) == cudaSuccess);
    CHECK(cudaEventElapsedTime(&milliseconds, from, to) == cudaSuccess);
    CHECK(milliseconds > 0);
    CHECK(counts().synchronisations == 2);
    cudaEventDestroy(from);
    cudaEventDestroy(to);
}

TEST_CASE("a graph does at each launch what was recorded, with the arguments of then") {
    const Fresh fresh;
    Stream stream;
    const Floats x(stream, std::vector<float>{1});
    float factor = 2;
    const cudaGraphExec_t graph = recorded(stream, [&] {
        stream.launch(1, 1, 0, scale, x.data, factor);
        stream.launch(1, 1, 0, add, x.data, 1.0F);
    });
    CHECK(counts().kernels.empty());
    factor = 100;
    for (int i = 0; i < 2; ++i) REQUIRE(cudaGraphLaunch(graph, stream.handle) == cudaSuccess);
    CHECK(x.read()[0] == 7);  // and not 10101: the factor is in the graph
    CHECK(counts().kernels == std::vector<std::string>{"scale", "add", "scale", "add"});
    CHECK(counts().graphs == 2);
    REQUIRE(cudaGraphExecDestroy(graph) == cudaSuccess);
}

TEST_CASE("branches of a graph run in any order, and meet") {
    const Fresh fresh;
    std::vector<float> results;
    for (const Order order : orders) {
        options().order = order;
        Stream stream, branch;
        const Floats x(stream, std::vector<float>{1});
        cudaEvent_t fork = nullptr, join = nullptr;
        REQUIRE(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming) == cudaSuccess);
        REQUIRE(cudaEventCreateWithFlags(&join, cudaEventDisableTiming) == cudaSuccess);
        const cudaGraphExec_t graph = recorded(stream, [&] {
            stream.launch(1, 1, 0, add, x.data, 1.0F);
            REQUIRE(cudaEventRecord(fork, stream.handle) == cudaSuccess);
            REQUIRE(cudaStreamWaitEvent(branch.handle, fork, 0) == cudaSuccess);
            stream.launch(1, 1, 0, scale, x.data, 10.0F);
            branch.launch(1, 1, 0, add, x.data, 3.0F);  // races with the line before
            REQUIRE(cudaEventRecord(join, branch.handle) == cudaSuccess);
            REQUIRE(cudaStreamWaitEvent(stream.handle, join, 0) == cudaSuccess);
            stream.launch(1, 1, 0, scale, x.data, 100.0F);
        });
        REQUIRE(cudaGraphLaunch(graph, stream.handle) == cudaSuccess);
        results.push_back(x.read()[0]);
        cudaGraphExecDestroy(graph);
        cudaEventDestroy(fork);
        cudaEventDestroy(join);
    }
    CHECK(results[0] == 2300);
    CHECK(results[1] == 5000);
    CHECK((results[2] == 2300 || results[2] == 5000));
}

TEST_CASE("what cannot be recorded spoils the recording") {
    const Fresh fresh;
    Stream stream, other;
    const Floats x(stream, std::vector<float>{1});
    cudaEvent_t event = nullptr;
    REQUIRE(cudaEventCreate(&event) == cudaSuccess);
    cudaGraph_t graph = nullptr;
    REQUIRE(cudaStreamBeginCapture(stream.handle, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    stream.launch(1, 1, 0, add, x.data, 1.0F);
    void* memory = nullptr;
    auto expected = cudaErrorStreamCaptureInvalidated;
    SUBCASE("waiting for the stream") {
        CHECK(cudaStreamSynchronize(stream.handle) == cudaErrorStreamCaptureUnsupported);
    }
    SUBCASE("waiting for the device") {
        CHECK(cudaDeviceSynchronize() == cudaErrorStreamCaptureUnsupported);
    }
    SUBCASE("asking for the stream") {
        CHECK(cudaStreamQuery(stream.handle) == cudaErrorStreamCaptureUnsupported);
    }
    SUBCASE("memory") { CHECK(cudaMalloc(&memory, 4) == cudaErrorStreamCaptureUnsupported); }
    SUBCASE("a branch that does not come back") {
        REQUIRE(cudaEventRecord(event, stream.handle) == cudaSuccess);
        REQUIRE(cudaStreamWaitEvent(other.handle, event, 0) == cudaSuccess);
        other.launch(1, 1, 0, add, x.data, 1.0F);
        expected = cudaErrorStreamCaptureUnjoined;
    }
    SUBCASE("an event of work that is not recorded") {
        REQUIRE(cudaEventRecord(event, other.handle) == cudaSuccess);
        CHECK(cudaStreamWaitEvent(stream.handle, event, 0) == cudaErrorStreamCaptureIsolation);
    }
    CHECK(cudaStreamEndCapture(stream.handle, &graph) == expected);
    CHECK(graph == nullptr);
    CHECK(x.read()[0] == 1);
    cudaEventDestroy(event);
}

TEST_CASE("launches that no GPU takes") {
    const Fresh fresh;
    Stream stream;
    const Floats x(stream, std::vector<float>{1});
    const auto launch = [&](dim3 blocks, dim3 threads, std::size_t shared_bytes) {
        return stream.launch(blocks, threads, shared_bytes, scale, x.data, 1.0F);
    };
    CHECK(launch(1, 1025, 0) == cudaErrorInvalidConfiguration);
    CHECK(launch(1, 0, 0) == cudaErrorInvalidConfiguration);
    CHECK(launch(0, 1, 0) == cudaErrorInvalidConfiguration);
    CHECK(launch({1, 65536}, 1, 0) == cudaErrorInvalidConfiguration);
    CHECK(launch(1, {1, 1, 65}, 0) == cudaErrorInvalidConfiguration);
    CHECK(counts().kernels.empty());
    CHECK(launch(1, 1, 48 << 10) == cudaSuccess);
    CHECK(launch(1, 1, (48 << 10) + 1) == cudaErrorInvalidValue);
    const auto attribute = cudaFuncAttributeMaxDynamicSharedMemorySize;
    CHECK(cudaFuncSetAttribute(scale, attribute, 100 << 10) == cudaSuccess);
    CHECK(launch(1, 1, 100 << 10) == cudaSuccess);
    CHECK(launch(1, 1, (100 << 10) + 1) == cudaErrorInvalidValue);
    CHECK(cudaFuncSetAttribute(scale, attribute, 228 << 10) == cudaErrorInvalidValue);
    CHECK(x.read()[0] == 1);
    CHECK(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(&stream)) ==
          cudaErrorInvalidResourceHandle);
}

TEST_CASE("the GPU says what it is, or that it is not there") {
    const Fresh fresh;
    options().name = "another";
    options().major = 7;
    int count = -1, value = -1;
    cudaDeviceProp properties;
    CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
    CHECK(count == 1);
    CHECK(cudaGetDeviceProperties(&properties, 0) == cudaSuccess);
    CHECK(std::string(properties.name) == "another");
    CHECK(properties.multiProcessorCount == 132);
    CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0) == cudaSuccess);
    CHECK(value == 7);
    CHECK(cudaSetDevice(1) == cudaErrorInvalidDevice);
    options().has_gpu = false;
    CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
    CHECK(count == 0);
    CHECK(cudaSetDevice(0) == cudaErrorNoDevice);
    CHECK(std::string(cudaGetErrorName(cudaErrorNoDevice)) == "cudaErrorNoDevice");
    CHECK(std::string(cudaGetErrorString(cudaErrorNoDevice)) ==
          "no CUDA-capable device is detected");
}

TEST_CASE("threads of the host may use it at the same time") {
    const Fresh fresh;
    const auto work = [] {
        Stream stream;
        const Floats x(stream, std::vector<float>(32, 1));
        for (int i = 0; i < 50; ++i) {
            stream.launch(1, 32, 0, add, x.data, 1.0F);
            if (i % 7 == 0) stream.wait();
        }
        for (const float value : x.read()) CHECK(value == 51);
    };
    std::thread first(work), second(work);
    first.join();
    second.join();
    CHECK(counts().kernels.size() == 100);
}
