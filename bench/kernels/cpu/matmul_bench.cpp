// The matrix product and the two products of its backward pass, by weft, plain Eigen, oneDNN and
// OpenBLAS.
#include "weft/kernels/cpu/matmul.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/contenders.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/dense.hpp"

#include <string_view>
#include <vector>

namespace {

using namespace weft;
using namespace weft::bench;

enum class Product { forward, weight_gradient, input_gradient };

/// C = A B with A (m, k), B (k, n);  dB = A^T C;  dA = C B^T.
struct Problem {
    Product product;
    Index m, k, n;
    Tensor<float> a = random_tensor({m, k}, 0), b = random_tensor({k, n}, 1),
                  c = random_tensor({m, n}, 2);

    Gemm gemm() {
        switch (product) {
            case Product::weight_gradient:
                return {k, n, m, {a.data(), k, true}, {c.data(), n}, b.data()};
            case Product::input_gradient:
                return {m, k, n, {c.data(), n}, {b.data(), n, true}, a.data()};
            case Product::forward:
                break;
        }
        return {m, n, k, {a.data(), k}, {b.data(), n}, c.data()};
    }

    Work work() const {
        const auto elements = static_cast<double>(m * k + k * n + m * n);
        return {.flop = 2.0 * static_cast<double>(m * k * n), .bytes = 4 * elements};
    }
};

void gemm_weft(const Gemm& gemm) {
    thread_local Cpu cpu;
    const auto operand = [](const GemmOperand& x) {
        const auto matrix = kernels::row_major(x.data, x.row_stride);
        return x.transposed ? matrix.transposed() : matrix;
    };
    matmul(cpu, gemm.rows, gemm.columns, gemm.depth, operand(gemm.a), operand(gemm.b), gemm.c,
           gemm.columns);
}

/// Compares elements of C, the corners among them, with the definition, which is given some rows of A
/// and columns of B.
Verdict check(const Gemm& gemm) {
    constexpr Index samples = 16;
    const auto element = [](const GemmOperand& x, Index i, Index j) {
        return x.data[x.transposed ? j * x.row_stride + i : i * x.row_stride + j];
    };
    const auto row = [&](Index r) { return r * (gemm.rows - 1) / (samples - 1); };
    const auto column = [&](Index s) { return s * (gemm.columns - 1) / (samples - 1); };
    Tensor<float, Reference> a({samples, gemm.depth}), b({gemm.depth, samples}),
        c({samples, samples}), expected(c.shape());
    for (Index r = 0; r < samples; ++r) {
        for (Index k = 0; k < gemm.depth; ++k) {
            a(r, k) = element(gemm.a, row(r), k);
            b(k, r) = element(gemm.b, k, column(r));
        }
        for (Index s = 0; s < samples; ++s) c(r, s) = gemm.c[row(r) * gemm.columns + column(s)];
    }
    Reference reference;
    dense_forward<float>(reference, a, b, {}, linear, expected);
    return same_results(std::tie(c), std::tie(expected));
}

struct Contender {
    std::string_view name;
    void (*multiply)(const Gemm&);
};

std::vector<Contender> contenders() {
    std::vector<Contender> all{{"weft", gemm_weft}, {"eigen", gemm_eigen}};
    if constexpr (has_onednn) all.push_back({"onednn", gemm_onednn});
    if constexpr (has_openblas) all.push_back({"openblas", gemm_openblas});
    return all;
}

struct Sizes {
    Index m, k, n;
};

void add_product(std::string_view name, Product product, const Sizes& sizes) {
    for (const Contender& contender : contenders()) {
        add(concat("matmul/", name, "/", sizes.m, "x", sizes.k, "x", sizes.n, "/", contender.name),
            [=, is_checked = false](benchmark::State& state) mutable {
                Problem problem{product, sizes.m, sizes.k, sizes.n};
                const Gemm gemm = problem.gemm();
                check_and_measure(
                    state, is_checked, problem.work(), [&] { contender.multiply(gemm); },
                    [&] { return check(gemm); });
            });
    }
}

[[maybe_unused]] const bool registered = [] {
    for (const Sizes& sizes :
         {Sizes{32, 784, 128}, Sizes{32, 128, 10}, Sizes{32, 6272, 128}, Sizes{500, 784, 1000},
          Sizes{500, 1000, 800}, Sizes{1024, 1024, 1024}, Sizes{2048, 2048, 2048},
          Sizes{25088, 9, 32}, Sizes{6272, 256, 64}, Sizes{25088, 576, 64}, Sizes{6272, 32, 128}}) {
        add_product("forward", Product::forward, sizes);
        add_product("weight_gradient", Product::weight_gradient, sizes);
        add_product("input_gradient", Product::input_gradient, sizes);
    }
    return true;
}();

}  // namespace
