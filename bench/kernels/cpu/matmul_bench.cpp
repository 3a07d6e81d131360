// The matrix product and the two products of its backward pass, by weft and by plain Eigen.
#include "weft/kernels/cpu/matmul.hpp"

#include "bench/support/random_tensor.hpp"
#include "weft/core/eigen.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace weft;

enum class Product { forward, weight_gradient, input_gradient };

/// C = A B with A (m, k), B (k, n);  dB = A^T C;  dA = C B^T.
struct Matrices {
    explicit Matrices(const benchmark::State& state)
        : m(state.range(0)), k(state.range(1)), n(state.range(2)) {}
    Index m, k, n;
    Tensor<float> a = random_tensor({m, k}, 0), b = random_tensor({k, n}, 1),
                  c = random_tensor({m, n}, 2);

    void count(benchmark::State& state) const {
        state.counters["GFLOP/s"] = benchmark::Counter(
            2e-9 * static_cast<double>(m * k * n), benchmark::Counter::kIsIterationInvariantRate);
    }
};

void multiply(Cpu& cpu, Matrices& x, Product product) {
    const auto a = kernels::row_major<float>(x.a.data(), x.k);
    const auto b = kernels::row_major<float>(x.b.data(), x.n);
    const auto c = kernels::row_major<float>(x.c.data(), x.n);
    switch (product) {
        case Product::forward:
            return matmul(cpu, x.m, x.n, x.k, a, b, x.c.data(), x.n);
        case Product::weight_gradient:
            return matmul(cpu, x.k, x.n, x.m, a.transposed(), c, x.b.data(), x.n);
        case Product::input_gradient:
            return matmul(cpu, x.m, x.k, x.n, c, b.transposed(), x.a.data(), x.k);
    }
}

void multiply_eigen(Matrices& x, Product product) {
    auto a = as_matrix(x.a), b = as_matrix(x.b), c = as_matrix(x.c);
    switch (product) {
        case Product::forward:
            c.noalias() = a * b;
            return;
        case Product::weight_gradient:
            b.noalias() = a.transpose() * c;
            return;
        case Product::input_gradient:
            a.noalias() = c * b.transpose();
            return;
    }
}

float result_gap(const Matrices& x, const Matrices& y) {
    float gap = 0;
    for (const auto& [ours, theirs] : {std::pair(&x.a, &y.a), {&x.b, &y.b}, {&x.c, &y.c}}) {
        gap = std::max(gap, (as_matrix(*ours) - as_matrix(*theirs)).cwiseAbs().maxCoeff());
    }
    return gap;
}

void matmul_weft(benchmark::State& state, Product product) {
    Cpu cpu;
    Matrices x(state), y(state);
    multiply(cpu, x, product);
    multiply_eigen(y, product);
    if (!(result_gap(x, y) < 1e-2f)) return state.SkipWithError("differs from Eigen's product");
    for ([[maybe_unused]] const auto _ : state) multiply(cpu, x, product);
    x.count(state);
}

void matmul_eigen(benchmark::State& state, Product product) {
    Eigen::setNbThreads(Cpu().threads());
    Matrices x(state);
    for ([[maybe_unused]] const auto _ : state) multiply_eigen(x, product);
    x.count(state);
}

void shapes(benchmark::internal::Benchmark* benchmark) {
    benchmark->UseRealTime()->Unit(benchmark::kMicrosecond);
    for (const auto& [m, k, n] : std::initializer_list<std::array<Index, 3>>{{32, 784, 128},
                                                                             {32, 128, 10},
                                                                             {32, 6272, 128},
                                                                             {500, 784, 1000},
                                                                             {500, 1000, 800},
                                                                             {1024, 1024, 1024},
                                                                             {25088, 9, 32},
                                                                             {6272, 256, 64},
                                                                             {25088, 576, 64},
                                                                             {6272, 32, 128}}) {
        benchmark->Args({m, k, n});
    }
}

BENCHMARK_CAPTURE(matmul_weft, forward, Product::forward)->Apply(shapes);
BENCHMARK_CAPTURE(matmul_eigen, forward, Product::forward)->Apply(shapes);
BENCHMARK_CAPTURE(matmul_weft, weight_gradient, Product::weight_gradient)->Apply(shapes);
BENCHMARK_CAPTURE(matmul_eigen, weight_gradient, Product::weight_gradient)->Apply(shapes);
BENCHMARK_CAPTURE(matmul_weft, input_gradient, Product::input_gradient)->Apply(shapes);
BENCHMARK_CAPTURE(matmul_eigen, input_gradient, Product::input_gradient)->Apply(shapes);

}  // namespace
