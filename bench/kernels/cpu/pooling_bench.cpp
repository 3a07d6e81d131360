// Pooling, forward and backward, by weft, by oneDNN and as expressions in plain Eigen (on one
// thread), at the shapes of the tutorials' first pools at batch 32.
#include "weft/kernels/cpu/pooling.hpp"

#include "bench/support/contenders.hpp"
#include "bench/support/measure.hpp"
#include "bench/support/random_tensor.hpp"
#include "weft/core/eigen.hpp"

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
    std::vector<std::int32_t> taps;
};

void add_pools(Index count, Index side, Index channels) {
    const std::string shape = concat("/", count, "x", side, "x", side, "x", channels);
    const auto add_kernel = [=](const std::string& name, const auto& run) {
        add("pooling/" + name, [=](benchmark::State& state) {
            Cpu cpu;
            Images images(count, side, channels);
            max_pool_forward<float>(cpu, images.window, images.x, images.y, images.taps.data());
            measure(state, images.work(), [&] { run(cpu, images); });
        });
    };
    add_kernel("max_forward" + shape + "/weft", [](Cpu& cpu, Images& i) {
        max_pool_forward<float>(cpu, i.window, i.x, i.y, i.taps.data());
    });
    add_kernel("max_backward" + shape + "/weft", [](Cpu& cpu, Images& i) {
        max_pool_backward<float>(cpu, i.window, {}, i.dy, i.taps.data(), i.dx);
    });
    add_kernel("average_forward" + shape + "/weft",
               [](Cpu& cpu, Images& i) { average_pool_forward<float>(cpu, i.window, i.x, i.y); });
    add_kernel("average_backward" + shape + "/weft", [](Cpu& cpu, Images& i) {
        average_pool_backward<float>(cpu, i.window, i.dy, i.dx);
    });

    const auto add_eigen = [=](const std::string& name, const auto& run, const auto& kernel,
                               Tensor<float> Images::*result) {
        add("pooling/" + name + shape + "/eigen", [=](benchmark::State& state) {
            Cpu cpu;
            Images images(count, side, channels), expected(count, side, channels);
            kernel(cpu, expected);
            run(images);
            const auto gap = (as_matrix(images.*result) - as_matrix(expected.*result)).cwiseAbs();
            if (!(gap.maxCoeff() < 1e-6f)) return state.SkipWithError("differs from weft");
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
        [](Cpu& cpu, Images& i) {
            max_pool_forward<float, std::int32_t>(cpu, i.window, i.x, i.y, nullptr);
        },
        &Images::y);
    add_eigen(
        "average_forward",
        [](Images& images) {
            images.for_each_row(images.y, images.x,
                                [](auto& y, const auto& a, const auto& b, const auto& c,
                                   const auto& d) { y = 0.25f * ((a + b) + (c + d)); });
        },
        [](Cpu& cpu, Images& i) { average_pool_forward<float>(cpu, i.window, i.x, i.y); },
        &Images::y);
    add_eigen(
        "average_backward",
        [](Images& images) {
            images.for_each_row(images.dy, images.dx, [](auto& dy, auto a, auto b, auto c, auto d) {
                a = b = c = d = 0.25f * dy;
            });
        },
        [](Cpu& cpu, Images& i) { average_pool_backward<float>(cpu, i.window, i.dy, i.dx); },
        &Images::dx);
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
                        if (is_max) {
                            max_pool_forward<float>(cpu, b.window, b.x, b.y, b.taps.data());
                            max_pool_backward<float>(cpu, b.window, {}, b.dy, b.taps.data(), b.dx);
                        } else {
                            average_pool_forward<float>(cpu, b.window, b.x, b.y);
                            average_pool_backward<float>(cpu, b.window, b.dy, b.dx);
                        }
                        // oneDNN's backward looks for the maxima in what becomes the gradient.
                        if (!forward) a.dx = a.x;
                        const auto run = onednn_pooling(a.window, count, is_max, forward,
                                                        (forward ? a.x : a.dx).data(),
                                                        (forward ? a.y : a.dy).data());
                        run();
                        const auto gap = forward ? as_matrix(a.y) - as_matrix(b.y)
                                                 : as_matrix(a.dx) - as_matrix(b.dx);
                        if (!(gap.cwiseAbs().maxCoeff() < 1e-6f)) {
                            return state.SkipWithError("differs from weft");
                        }
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
