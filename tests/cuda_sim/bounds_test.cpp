// An index beyond an array of a thread's own, or of a block's, is found in kernels that are compiled
// with -fsanitize=bounds, as weft's are here.
#include "gpu/shared.cuh"
#include "sim_test.hpp"

using namespace cuda_sim;

static __global__ void sum_own(const float* x, float* y, int count) {
    struct {
        float values[4];
    } own;
    for (int i = 0; i < 4; ++i) own.values[i] = x[i];
    float sum = 0;
    for (int i = 0; i < count; ++i) sum += own.values[i];
    *y = sum;
}
static __global__ void turn_in_shared(const float* x, float* y, int distance) {
    auto& of_threads = weft::kernels::cuda::shared<float[8], 900>();
    const int i = static_cast<int>(threadIdx.x);
    of_threads[i] = x[i];
    __syncthreads();
    y[i] = of_threads[i + distance];
}

TEST_CASE("an index beyond an array of a thread's own, or in shared memory, ends the program") {
    const Fresh fresh;
    const auto run = [](unsigned threads, auto kernel, int number) {
        return aborted([&] {
            Stream stream;
            const Floats x(stream, {1, 2, 3, 4, 5, 6, 7, 8}), y(stream, 8);
            stream.launch(1, threads, 0, kernel, x.data, y.data, number);
            cudaStreamSynchronize(stream.handle);
        });
    };
    CHECK(run(1, sum_own, 4) == "");
    CHECK(contains(run(1, sum_own, 5), "kernel sum_own, block (0, 0, 0), thread (0, 0, 0): "));
    CHECK(contains(run(1, sum_own, 5), "index 4 is beyond the array, at "));
    CHECK(contains(run(1, sum_own, 5), "bounds_test.cpp:"));
    CHECK(run(7, turn_in_shared, 1) == "");
    CHECK(contains(run(8, turn_in_shared, 1), "index 8 is beyond the array, at "));
    CHECK(contains(run(8, turn_in_shared, -1), "index -1 is beyond the array, at "));
}
