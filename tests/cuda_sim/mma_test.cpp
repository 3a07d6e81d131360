// Products on tensor cores, as the simulator does them; and what GPUs without them do.
#include "sim_test.hpp"

#include <gpu/mma.cuh>

#include <bit>
#include <cmath>
#include <limits>

// What nvcc compiles, here for a GPU before sm_80.
#define __CUDA_ARCH__ 750
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
namespace before_sm_80 {
#include "src/cuda/gpu/mma.cuh"
}
#pragma GCC diagnostic pop
#undef __CUDA_ARCH__

using namespace cuda_sim;
using namespace weft::kernels::cuda;
namespace old = before_sm_80::weft::kernels::cuda;

namespace {

/// D (16, 8) = A (16, depth) B (depth, 8) by one warp.
__global__ void product(int depth, const float* A, const float* B, float* D) {
    const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
    float d[4] = {};
    for (int k = 0; k < depth; k += 8) {
        const auto a = [&](int row, int column) { return to_tf32(A[row * depth + k + column]); };
        const auto b = [&](int row, int column) { return to_tf32(B[(k + row) * 8 + column]); };
        const float a_of[4] = {a(g, t), a(g + 8, t), a(g, t + 4), a(g + 8, t + 4)};
        const float b_of[2] = {b(t, g), b(t + 4, g)};
        mma_16x8x8(d, a_of, b_of);
    }
    for (int i = 0; i < 4; ++i) D[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

}  // namespace

TEST_CASE("mma_16x8x8 is the product, to the rounding of its factors") {
    const Fresh fresh;
    constexpr int depth = 24;
    std::vector<float> a(16 * depth), b(depth * 8);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = std::sin(1.0F + static_cast<float>(i));
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = std::cos(2.0F * static_cast<float>(i));
    Stream stream;
    const Floats A(stream, a), B(stream, b), D(stream, 16 * 8);
    REQUIRE(stream.launch(1, 32, 0, product, depth, A.data, B.data, D.data) == cudaSuccess);
    const std::vector<float> d = D.read();
    double largest_error = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        for (std::size_t j = 0; j < 8; ++j) {
            double sum = 0, magnitudes = 0;
            for (std::size_t k = 0; k < depth; ++k) {
                const double term =
                    static_cast<double>(a[i * depth + k]) * static_cast<double>(b[k * 8 + j]);
                sum += term;
                magnitudes += std::abs(term);
            }
            // Each factor is off by at most 2^-11; the sums in float add less than 2^-18.
            const double error = std::abs(sum - static_cast<double>(d[i * 8 + j])) / magnitudes;
            CHECK(error <= 2.02 * 0x1p-11);
            largest_error = std::max(largest_error, error);
        }
    }
    CHECK(largest_error > 0x1p-15);  // it does round
}

static __global__ void one_product(float a_of_all, float* D) {
    float d[4] = {};
    const float a[4] = {a_of_all, 0, 0, 0}, b[2] = {1, 0};
    mma_16x8x8(d, a, b);
    for (int i = 0; i < 4; ++i) D[4 * threadIdx.x + static_cast<unsigned>(i)] = d[i];
}

TEST_CASE("a factor that has not been rounded loses its low bits") {
    const Fresh fresh;
    Stream stream;
    const Floats D(stream, 128);
    REQUIRE(stream.launch(1, 32, 0, one_product, 1 + 0x1.8p-11F, D.data) == cudaSuccess);
    CHECK(D.read()[0] == 4);  // t = 0 to 3, each with a factor of 1
}

TEST_CASE("to_tf32 keeps 11 bits, rounds ties away from 0, keeps NaN and infinity") {
    for (const auto rounded : {&to_tf32, &old::to_tf32}) {
        CHECK(rounded(1.0F) == 1.0F);
        CHECK(rounded(1.0F + 0x1p-11F) == 1.0F + 0x1p-10F);
        CHECK(rounded(-1.0F - 0x1p-11F) == -1.0F - 0x1p-10F);
        CHECK(rounded(1.0F + 0x1.FFp-12F) == 1.0F);
        CHECK(std::isinf(rounded(std::numeric_limits<float>::infinity())));
        CHECK(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
        CHECK(std::isnan(rounded(std::bit_cast<float>(0x7F800001U))));
        CHECK(std::isinf(rounded(std::numeric_limits<float>::max())));
    }
}

static __global__ void product_on_old_gpu(float* D) {
    float d[4] = {};
    const float a[4] = {}, b[2] = {};
    old::mma_16x8x8(d, a, b);
    D[threadIdx.x] = d[0];
}

TEST_CASE("a GPU before sm_80 ends the program") {
    const Fresh fresh;
    CHECK(contains(aborted([] {
                       Stream stream;
                       const Floats D(stream, 32);
                       stream.launch(1, 32, 0, product_on_old_gpu, D.data);
                       stream.wait();
                   }),
                   "__trap"));
}
