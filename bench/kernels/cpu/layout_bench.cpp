// Moves of elements, by weft and as expressions in plain Eigen (on one thread): the channels of the
// tutorials' images to the front, and zeros around them.
#include "weft/kernels/cpu/layout.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

void add_transpose(Index samples, Index rows, Index columns) {
    const std::string name = concat("layout/transpose/", samples, "x", rows, "x", columns);
    const Work work{.bytes = 8.0 * static_cast<double>(samples * rows * columns)};
    add(name + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        const Tensor<float> x = random_tensor({samples, rows, columns});
        Tensor<float> y({samples, columns, rows});
        measure(state, work, [&] { kernels::transpose_samples<float>(cpu, x, y); });
    });
    add(name + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        const Tensor<float> x = random_tensor({samples, rows, columns});
        Tensor<float> y({samples, columns, rows}), expected(y.shape());
        const auto run = [&] {
            for (Index n = 0; n < samples; ++n) {
                as_matrix(TensorView<float>(y).slice(n, 1)) =
                    as_matrix(TensorView<const float>(x).slice(n, 1)).transpose();
            }
        };
        run();
        kernels::transpose_samples<float>(cpu, x, expected);
        if (!nearly_equal(y, expected, 1e-30f)) return state.SkipWithError("differs from weft");
        measure(state, work, run);
    });
}

void add_padding(Index images, Index side, Index channels) {
    const std::string shape = concat(images, "x", side, "x", side, "x", channels);
    const Shape inner{images, side, side, channels}, outer{images, side + 2, side + 2, channels};
    const Work work{.bytes = 4.0 * static_cast<double>(inner.size() + outer.size())};
    add("layout/pad/" + shape + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        const Tensor<float> x = random_tensor(inner);
        Tensor<float> y(outer);
        measure(state, work, [&] { pad_images<float>(cpu, x, 1, 1, y); });
    });
    add("layout/crop/" + shape + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        const Tensor<float> y = random_tensor(outer);
        Tensor<float> x(inner);
        measure(state, work, [&] { crop_images<float>(cpu, y, 1, 1, x); });
    });
}

[[maybe_unused]] const bool registered = [] {
    add_transpose(32, 49, 128);
    add_transpose(32, 784, 3);
    add_padding(32, 28, 32);
    add_padding(32, 14, 64);
    return true;
}();

}  // namespace
