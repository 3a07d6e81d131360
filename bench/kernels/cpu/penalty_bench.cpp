// Penalties, clipping and constraints, by weft and as expressions in plain Eigen (on one thread),
// over the kernels of the tutorials' dense layers.
#include "weft/kernels/cpu/penalty.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/penalty.hpp"
#include "weft/core/eigen.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

template <class Device>
struct Weights {
    explicit Weights(const Shape& shape)
        : w(random_tensor<Device>(shape, 0)),
          gradient(random_tensor<Device>(shape, 1)),
          penalty({1}) {}

    Tensor<float, Device> w, gradient;
    Tensor<double, Device> penalty;
};

/// Each reads or writes so many arrays. Penalties change gradients by some ten-thousandths.
template <class Kernel, class Eigens>
void add_kernel(const std::string& what, const Shape& shape, int arrays, const Kernel& kernel,
                const Eigens& eigen) {
    const std::string name = concat("penalty/", what, "/", shape[0], "x", shape[1]);
    const Task task{Work{.bytes = 4.0 * arrays * static_cast<double>(shape.size())},
                    [=]<class Device>(Device&) { return Weights<Device>(shape); }, kernel,
                    [](const auto& a) { return std::tie(a.w, a.gradient, a.penalty); }, 1e-6};
    add_weft(name, task);
    add_contender(name + "/eigen", task,
                  [eigen](Cpu&, auto& a) { return [&a, eigen] { eigen(a); }; });
}

void add_kernels(const Shape& shape) {
    add_kernel(
        "penalty", shape, 1,
        [](auto& device, auto& a) {
            a.penalty[0] = penalty<float>(device, a.w, 1e-4, 1e-4);
            benchmark::ClobberMemory();
        },
        [](auto& a) {
            const auto w = as_matrix(a.w).template cast<double>();
            a.penalty[0] = 1e-4 * w.cwiseAbs().sum() + 1e-4 * w.squaredNorm();
            benchmark::ClobberMemory();
        });
    add_kernel(
        "penalty_gradient", shape, 3,
        [](auto& device, auto& a) {
            add_penalty_gradient<float>(device, a.w, 1e-4, 1e-4, a.gradient);
        },
        [](auto& a) {
            const auto w = as_matrix(a.w).array();
            as_matrix(a.gradient).array() += 1e-4f * w.sign() + 2e-4f * w;
        });
    add_kernel(
        "clip_norm", shape, 1,
        [](auto& device, auto& a) { clip_norm<float>(device, a.gradient, 1e6); },
        [](auto& a) {
            auto g = as_matrix(a.gradient);
            const double norm = std::sqrt(g.template cast<double>().squaredNorm());
            if (norm > 1e6) g *= static_cast<float>(1e6 / norm);
        });
    add_kernel(
        "column_norms", shape, 2,
        [](auto& device, auto& a) { limit_column_norms<float>(device, a.w, 2); },
        [](auto& a) {
            auto w = as_matrix(a.w);
            const Eigen::RowVectorXd norms = w.template cast<double>().colwise().norm();
            const Eigen::RowVectorXf factors =
                (norms.array().min(2) / (1e-7 + norms.array())).template cast<float>();
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
