// Pooling, forward and backward, by weft, by oneDNN and as expressions in plain Eigen (on one
// thread), at batch 32: at the shapes of the tutorials' first pools, as ResNet's first (3 x 3 windows,
// two apart), and over whole images.
#include "weft/kernels/cpu/pooling.hpp"

#include "bench/support/contenders.hpp"
#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

/// Square images and windows.
struct Pool {
    Index count, side, channels;
    Index size = 2, stride = 2;

    kernels::Window2D window() const {
        const kernels::WindowAxis axis = kernels::window_axis(side, size, stride, 1, valid);
        return {axis, axis, channels};
    }
    /// "32x28x28x32", with "-3x3-2" where windows are not 2 x 2, two apart.
    std::string text() const {
        const std::string images = concat(count, "x", side, "x", side, "x", channels);
        if (size == 2 && stride == 2) return images;
        return concat(images, "-", size, "x", size, "-", stride);
    }
};

struct Images {
    explicit Images(const Pool& pool)
        : window(pool.window()),
          x(random_tensor({pool.count, pool.side, pool.side, pool.channels}, 0)),
          y({pool.count, window.rows.output, window.columns.output, pool.channels}),
          dy(random_tensor(y.shape(), 1)),
          dx(x.shape()),
          taps(static_cast<std::size_t>(y.size())) {}  // of up to 256 elements

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

using Kernel = void (*)(Cpu&, Images&);

void add_weft(const Pool& pool) {
    const auto add_kernel = [=](const std::string& name, Kernel kernel) {
        add(concat("pooling/", name, "/", pool.text(), "/weft"), [=](benchmark::State& state) {
            Cpu cpu;
            Images images(pool);
            max_forward(cpu, images);
            measure(state, images.work(), [&] { kernel(cpu, images); });
        });
    };
    add_kernel("max_forward", max_forward);
    add_kernel("max_backward", max_backward);
    add_kernel("average_forward", average_forward);
    add_kernel("average_backward", average_backward);
}

/// Of 2 x 2 windows, two apart.
void add_eigen(const Pool& pool) {
    const auto add_kernel = [=](const std::string& name, const auto& run, Kernel kernel,
                                Tensor<float> Images::* result) {
        add(concat("pooling/", name, "/", pool.text(), "/eigen"), [=](benchmark::State& state) {
            Cpu cpu;
            Images images(pool), expected(pool);
            kernel(cpu, expected);
            run(images);
            if (!nearly_equal(images.*result, expected.*result, 1e-6f)) {
                return state.SkipWithError("differs from weft");
            }
            measure(state, images.work(), [&] { run(images); });
        });
    };
    add_kernel(
        "max_forward",
        [](Images& images) {
            images.for_each_row(images.y, images.x,
                                [](auto& y, const auto& a, const auto& b, const auto& c,
                                   const auto& d) { y = a.max(b).max(c.max(d)); });
        },
        max_forward, &Images::y);
    add_kernel(
        "average_forward",
        [](Images& images) {
            images.for_each_row(images.y, images.x,
                                [](auto& y, const auto& a, const auto& b, const auto& c,
                                   const auto& d) { y = 0.25f * ((a + b) + (c + d)); });
        },
        average_forward, &Images::y);
    add_kernel(
        "average_backward",
        [](Images& images) {
            images.for_each_row(images.dy, images.dx, [](auto& dy, auto a, auto b, auto c, auto d) {
                a = b = c = d = 0.25f * dy;
            });
        },
        average_backward, &Images::dx);
}

void add_onednn(const Pool& pool) {
    if constexpr (has_onednn) {
        for (const bool is_max : {true, false}) {
            for (const bool forward : {true, false}) {
                const char* name = forward ? "_forward/" : "_backward/";
                add(concat("pooling/", is_max ? "max" : "average", name, pool.text(), "/onednn"),
                    [=](benchmark::State& state) {
                        Cpu cpu;
                        Images a(pool), b(pool);
                        (is_max ? max_forward : average_forward)(cpu, b);
                        (is_max ? max_backward : average_backward)(cpu, b);
                        // oneDNN's backward looks for the maxima in what becomes the gradient.
                        if (!forward) a.dx = a.x;
                        const auto run = onednn_pooling(a.window, pool.count, is_max, forward,
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
    const std::vector<Pool> tutorials{{32, 28, 32}, {32, 14, 64}};
    const std::vector<Pool> others{{32, 56, 64, 3, 2}, {32, 7, 256, 7, 1}};
    for (const Pool& pool : tutorials) add_eigen(pool);
    for (const std::vector<Pool>& pools : {tutorials, others}) {
        for (const Pool& pool : pools) {
            add_weft(pool);
            add_onednn(pool);
        }
    }
    return true;
}();

}  // namespace
