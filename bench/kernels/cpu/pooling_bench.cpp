// Pooling, forward and backward, by weft, by oneDNN and as expressions in plain Eigen (on one
// thread), at the shapes of the tutorials' first pools at batch 32.
#include "weft/kernels/cpu/pooling.hpp"

#include "bench/support/contenders.hpp"
#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

/// 2 x 2 windows, two apart, over square images.
struct Images {
    Images(Index count, Index side, Index channels)
        : window{kernels::window_axis(side, 2, 2, 1, valid),
                 kernels::window_axis(side, 2, 2, 1, valid), channels},
          x(random_tensor({count, side, side, channels}, 0)),
          y({count, side / 2, side / 2, channels}),
          dy(random_tensor(y.shape(), 1)),
          dx(x.shape()),
          taps(static_cast<std::size_t>(y.size())) {}

    Work work() const { return {.bytes = 4.0 * static_cast<double>(x.size() + y.size())}; }

    /// The channels of a pixel of each window, as a column vector for each window of an image row.
    auto tap(Tensor<float>& images, Index row, Index i, Index j) const {
        using Strided = Eigen::Map<Eigen::ArrayXXf, 0, Eigen::OuterStride<>>;
        const Index channels = window.channels, width = window.columns.input;
        return Strided(images.data() + ((2 * row + i) * width + j) * channels, channels, width / 2,
                       Eigen::OuterStride<>(2 * channels));
    }

    /// Calls function(windows, taps...) for each row of windows, as arrays (channels, windows).
    template <class Function>
    void for_each_row(Tensor<float>& small, Tensor<float>& large, const Function& function) {
        const Index width = window.columns.output, channels = window.channels;
        const Index rows = small.shape()[0] * window.rows.output;
        for (Index row = 0; row < rows; ++row) {
            Eigen::Map<Eigen::ArrayXXf> windows(small.data() + row * width * channels, channels,
                                                width);
            function(windows, tap(large, row, 0, 0), tap(large, row, 0, 1), tap(large, row, 1, 0),
                     tap(large, row, 1, 1));
        }
    }

    kernels::Window2D window;
    Tensor<float> x, y, dy, dx;
    std::vector<std::uint8_t> taps;  // as MaxPool2D keeps them
};

void max_forward(Cpu& cpu, Images& i) {
    max_pool_forward<float>(cpu, i.window, i.x, i.y, i.taps.data());
}
void max_backward(Cpu& cpu, Images& i) {
    max_pool_backward<float>(cpu, i.window, {}, i.dy, i.taps.data(), i.dx);
}
void average_forward(Cpu& cpu, Images& i) { average_pool_forward<float>(cpu, i.window, i.x, i.y); }
void average_backward(Cpu& cpu, Images& i) {
    average_pool_backward<float>(cpu, i.window, i.dy, i.dx);
}

void add_pools(Index count, Index side, Index channels) {
    const std::string shape = concat("/", count, "x", side, "x", side, "x", channels);
    using Kernel = void (*)(Cpu&, Images&);
    const auto add_kernel = [=](const std::string& name, Kernel kernel) {
        add("pooling/" + name + shape + "/weft", [=](benchmark::State& state) {
            Cpu cpu;
            Images images(count, side, channels);
            max_forward(cpu, images);
            measure(state, images.work(), [&] { kernel(cpu, images); });
        });
    };
    add_kernel("max_forward", max_forward);
    add_kernel("max_backward", max_backward);
    add_kernel("average_forward", average_forward);
    add_kernel("average_backward", average_backward);

    const auto add_eigen = [=](const std::string& name, const auto& run, Kernel kernel,
                               Tensor<float> Images::* result) {
        add("pooling/" + name + shape + "/eigen", [=](benchmark::State& state) {
            Cpu cpu;
            Images images(count, side, channels), expected(count, side, channels);
            kernel(cpu, expected);
            run(images);
            if (!nearly_equal(images.*result, expected.*result, 1e-6f)) {
                return state.SkipWithError("differs from weft");
            }
            measure(state, images.work(), [&] { run(images); });
        });
    };
    add_eigen(
        "max_forward",
        [](Images& images) {
            images.for_each_row(images.y, images.x,
                                [](auto& y, const auto& a, const auto& b, const auto& c,
                                   const auto& d) { y = a.max(b).max(c.max(d)); });
        },
        max_forward, &Images::y);
    add_eigen(
        "average_forward",
        [](Images& images) {
            images.for_each_row(images.y, images.x,
                                [](auto& y, const auto& a, const auto& b, const auto& c,
                                   const auto& d) { y = 0.25f * ((a + b) + (c + d)); });
        },
        average_forward, &Images::y);
    add_eigen(
        "average_backward",
        [](Images& images) {
            images.for_each_row(images.dy, images.dx, [](auto& dy, auto a, auto b, auto c, auto d) {
                a = b = c = d = 0.25f * dy;
            });
        },
        average_backward, &Images::dx);
}

void add_onednn(Index count, Index side, Index channels) {
    if constexpr (has_onednn) {
        for (const bool is_max : {true, false}) {
            for (const bool forward : {true, false}) {
                const char* name = forward ? "_forward/" : "_backward/";
                add(concat("pooling/", is_max ? "max" : "average", name, count, "x", side, "x",
                           side, "x", channels, "/onednn"),
                    [=](benchmark::State& state) {
                        Cpu cpu;
                        Images a(count, side, channels), b(count, side, channels);
                        (is_max ? max_forward : average_forward)(cpu, b);
                        (is_max ? max_backward : average_backward)(cpu, b);
                        // oneDNN's backward looks for the maxima in what becomes the gradient.
                        if (!forward) a.dx = a.x;
                        const auto run = onednn_pooling(a.window, count, is_max, forward,
                                                        (forward ? a.x : a.dx).data(),
                                                        (forward ? a.y : a.dy).data());
                        run();
                        const bool same = forward ? nearly_equal(a.y, b.y, 1e-6f)
                                                  : nearly_equal(a.dx, b.dx, 1e-6f);
                        if (!same) return state.SkipWithError("differs from weft");
                        measure(state, a.work(), run);
                    });
            }
        }
    }
}

[[maybe_unused]] const bool registered = [] {
    add_pools(32, 28, 32);
    add_pools(32, 14, 64);
    add_onednn(32, 28, 32);
    add_onednn(32, 14, 64);
    return true;
}();

}  // namespace
