// Sums and scans over tensors, by weft and as expressions in plain Eigen (on one thread): the
// gradient of a bias, the losses of a batch, the weights of a model.
#include "weft/kernels/cpu/reduction.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

void add_column_sums(Index rows, Index columns) {
    const std::string name = concat("reduction/column_sums/", rows, "x", columns);
    const Work work{.bytes = 4.0 * static_cast<double>(rows * columns)};
    add(name + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        const Tensor<float> x = random_tensor({rows, columns});
        Tensor<float> sums({columns});
        measure(state, work, [&] { kernels::column_sums<float>(cpu, x, sums); });
    });
    add(name + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        const Tensor<float> x = random_tensor({rows, columns});
        Tensor<float> sums({columns}), expected({columns});
        const auto run = [&] { as_matrix(sums) = as_matrix(x).colwise().sum(); };
        run();
        kernels::column_sums<float>(cpu, x, expected);
        // Sums of as many numbers below 1 as there are rows.
        if (!nearly_equal(sums, expected, 1e-5f * static_cast<float>(rows))) {
            return state.SkipWithError("differs from weft");
        }
        measure(state, work, run);
    });
}

/// A scalar of a vector: weft(cpu, x) and eigen(x), whose results are close to each other.
template <class Weft, class Eigens>
void add_scan(const std::string& what, Index count, const Weft& weft, const Eigens& eigen) {
    const std::string name = concat("reduction/", what, "/", count);
    const Work work{.bytes = 4.0 * static_cast<double>(count)};
    add(name + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        const Tensor<float> x = random_tensor({count});
        measure(state, work, [&] { benchmark::DoNotOptimize(weft(cpu, x)); });
    });
    add(name + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        const Tensor<float> x = random_tensor({count});
        const Eigen::Map<const Eigen::ArrayXf> array(x.data(), count);
        const auto gap = static_cast<double>(weft(cpu, x)) - static_cast<double>(eigen(array));
        if (!(std::abs(gap) < 1e-7 * static_cast<double>(count))) {
            return state.SkipWithError("differs from weft");
        }
        measure(state, work, [&] { benchmark::DoNotOptimize(eigen(array)); });
    });
}

void add_scans(Index count) {
    add_scan(
        "total", count, [](Cpu& cpu, const Tensor<float>& x) { return total<float>(cpu, x); },
        [](const auto& x) { return x.template cast<double>().sum(); });
    add_scan(
        "sum", count,
        [](Cpu&, const Tensor<float>& x) { return kernels::detail::sum(x.data(), x.size()); },
        [](const auto& x) { return x.sum(); });
    add_scan(
        "all_finite", count,
        [](Cpu& cpu, const Tensor<float>& x) { return all_finite<float>(cpu, x); },
        [](const auto& x) { return x.isFinite().all(); });
}

[[maybe_unused]] const bool registered = [] {
    add_column_sums(32, 128);
    add_column_sums(500, 1000);
    add_column_sums(25088, 32);
    add_scans(32);
    add_scans(100352);
    add_scans(1 << 20);
    return true;
}();

}  // namespace
