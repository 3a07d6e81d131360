// Penalties, clipping and constraints, by weft and as expressions in plain Eigen (on one thread),
// over the kernels of the tutorials' dense layers.
#include "weft/kernels/cpu/penalty.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

struct Weights {
    explicit Weights(const Shape& shape)
        : w(random_tensor(shape, 0)), gradient(random_tensor(shape, 1)) {}

    Work work(int arrays) const { return {.bytes = 4.0 * arrays * static_cast<double>(w.size())}; }

    Tensor<float> w, gradient;
};

/// Each reads or writes so many arrays.
template <class Weft, class Eigens>
void add_kernel(const std::string& what, const Shape& shape, int arrays, const Weft& weft,
                const Eigens& eigen) {
    const std::string name = concat("penalty/", what, "/", shape[0], "x", shape[1]);
    add(name + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        Weights weights(shape);
        measure(state, weights.work(arrays), [&] { weft(cpu, weights); });
    });
    add(name + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        Weights weights(shape), expected(shape);
        weft(cpu, expected);
        eigen(weights);
        if (!nearly_equal(weights.w, expected.w, 1e-5f) ||
            !nearly_equal(weights.gradient, expected.gradient, 1e-5f)) {
            return state.SkipWithError("differs from weft");
        }
        measure(state, weights.work(arrays), [&] { eigen(weights); });
    });
}

void add_kernels(const Shape& shape) {
    add_kernel(
        "penalty", shape, 1,
        [](Cpu& cpu, Weights& a) {
            benchmark::DoNotOptimize(penalty<float>(cpu, a.w, 1e-4, 1e-4));
        },
        [](Weights& a) {
            const auto w = as_matrix(a.w).cast<double>();
            benchmark::DoNotOptimize(1e-4 * w.cwiseAbs().sum() + 1e-4 * w.squaredNorm());
        });
    add_kernel(
        "penalty_gradient", shape, 3,
        [](Cpu& cpu, Weights& a) { add_penalty_gradient<float>(cpu, a.w, 1e-4, 1e-4, a.gradient); },
        [](Weights& a) {
            const auto w = as_matrix(a.w).array();
            as_matrix(a.gradient).array() += 1e-4f * w.sign() + 2e-4f * w;
        });
    add_kernel(
        "clip_norm", shape, 1, [](Cpu& cpu, Weights& a) { clip_norm<float>(cpu, a.gradient, 1e6); },
        [](Weights& a) {
            auto g = as_matrix(a.gradient);
            const double norm = std::sqrt(g.cast<double>().squaredNorm());
            if (norm > 1e6) g *= static_cast<float>(1e6 / norm);
        });
    add_kernel(
        "column_norms", shape, 2,
        [](Cpu& cpu, Weights& a) { limit_column_norms<float>(cpu, a.w, 2); },
        [](Weights& a) {
            auto w = as_matrix(a.w);
            const Eigen::RowVectorXd norms = w.cast<double>().colwise().norm();
            const Eigen::RowVectorXf factors =
                (norms.array().min(2) / (1e-7 + norms.array())).cast<float>();
            w.array().rowwise() *= factors.array();
        });
}

[[maybe_unused]] const bool registered = [] {
    add_kernels({128, 10});
    add_kernels({784, 128});
    add_kernels({6272, 128});
    return true;
}();

}  // namespace
