// Sums and scans over tensors, by weft and as expressions in plain Eigen (on one thread): the
// gradient of a bias, the losses of a batch, the weights of a model.
#include "weft/kernels/cpu/reduction.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/reduction.hpp"
#include "weft/core/eigen.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

template <class Number, class Device>
struct Arrays {
    Arrays(const Shape& from, const Shape& to) : x(random_tensor<Device>(from)), y(to) {}

    Tensor<float, Device> x;
    Tensor<Number, Device> y;
};

/// A kernel that takes x of that shape and writes numbers y.
template <class Number, class Kernel>
auto task_of(const Shape& from, const Shape& to, const Kernel& kernel) {
    return Task{Work{.bytes = 4.0 * static_cast<double>(from.size())},
                [=]<class Device>(Device&) { return Arrays<Number, Device>(from, to); }, kernel,
                [](const auto& a) { return std::tie(a.y); }};
}

void add_column_sums(Index rows, Index columns) {
    const std::string name = concat("reduction/column_sums/", rows, "x", columns);
    const auto task = task_of<float>({rows, columns}, {columns}, [](auto& device, auto& a) {
        kernels::column_sums<float>(device, a.x, a.y);
    });
    add_weft(name, task);
    add_contender(name + "/eigen", task, [](Cpu&, auto& a) {
        return [&a] { as_matrix(a.y) = as_matrix(a.x).colwise().sum(); };
    });
}

/// A scalar of a vector: definition(device, x), computed by weft(cpu, x) and eigen(x).
template <class Definition, class Weft, class Eigens>
void add_scan(const std::string& what, Index count, const Definition& definition, const Weft& weft,
              const Eigens& eigen) {
    const std::string name = concat("reduction/", what, "/", count);
    const auto task = task_of<double>({count}, {1}, [=](auto& device, auto& a) {
        a.y[0] = static_cast<double>(definition(device, a.x));
    });
    add_contender(name + "/weft", task, [=](Cpu& cpu, auto& a) {
        return [&cpu, &a, weft] {
            a.y[0] = static_cast<double>(weft(cpu, a.x));
            benchmark::ClobberMemory();
        };
    });
    add_contender(name + "/eigen", task, [=](Cpu&, auto& a) {
        return [&a, eigen] {
            const Eigen::Map<const Eigen::ArrayXf> array(a.x.data(), a.x.size());
            a.y[0] = static_cast<double>(eigen(array));
            benchmark::ClobberMemory();
        };
    });
}

void add_scans(Index count) {
    const auto sum = [](auto& device, const auto& x) { return total<float>(device, x); };
    const auto finite = [](auto& device, const auto& x) { return all_finite<float>(device, x); };
    add_scan("total", count, sum, sum,
             [](const auto& x) { return x.template cast<double>().sum(); });
    add_scan(
        "sum", count, sum,
        [](Cpu&, const auto& x) { return kernels::detail::sum(x.data(), x.size()); },
        [](const auto& x) { return x.sum(); });
    add_scan("all_finite", count, finite, finite, [](const auto& x) { return x.isFinite().all(); });
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
