// Pooling, forward and backward, by weft, by oneDNN and as expressions in plain Eigen (on one
// thread), at batch 32: at the shapes of the tutorials' first pools, as ResNet's first (3 x 3 windows,
// two apart), and over whole images.
#include "weft/kernels/cpu/pooling.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/contenders.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/pooling.hpp"
#include "weft/core/eigen.hpp"

#include <cstdint>
#include <type_traits>
#include <vector>

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

template <class Device>
struct Images {
    explicit Images(const Pool& pool)
        : window(pool.window()),
          x(random_tensor<Device>({pool.count, pool.side, pool.side, pool.channels}, 0)),
          y({pool.count, window.rows.output, window.columns.output, pool.channels}),
          dy(random_tensor<Device>(y.shape(), 1)),
          dx(x.shape()),
          taps(y.shape()) {}  // of up to 256 elements

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
    Tensor<float, Device> x, y, dy, dx;
    Tensor<std::uint8_t, Device> taps;  // as MaxPool2D keeps them, in a form of each device's own
};

constexpr auto max_forward = [](auto& device, auto& i) {
    max_pool_forward<float>(device, i.window, i.x, i.y, i.taps.data());
};
constexpr auto max_backward = [](auto& device, auto& i) {
    max_pool_backward<float>(device, i.window, {}, i.dy, i.taps.data(), i.dx);
};
constexpr auto average_forward = [](auto& device, auto& i) {
    average_pool_forward<float>(device, i.window, i.x, i.y);
};
constexpr auto average_backward = [](auto& device, auto& i) {
    average_pool_backward<float>(device, i.window, i.dy, i.dx);
};
constexpr auto output = [](const auto& i) { return std::tie(i.y); };
constexpr auto gradient = [](const auto& i) { return std::tie(i.dx); };

/// A kernel of a pool, max_backward behind max_forward.
template <class Kernel, class Results>
auto task_of(const Pool& pool, const Kernel& kernel, const Results& results) {
    const auto [rows, columns, channels] = pool.window();
    const Index positions = rows.input * columns.input + rows.output * columns.output;
    const auto make = [=]<class Device>(Device& device) {
        Images<Device> images(pool);
        if constexpr (std::is_same_v<const Kernel, decltype(max_backward)>)
            max_forward(device, images);
        return images;
    };
    return Task{Work{.bytes = 4.0 * static_cast<double>(pool.count * positions * channels)}, make,
                kernel, results, 1e-6};
}

std::string name_of(const char* kernel, const Pool& pool) {
    return concat("pooling/", kernel, "/", pool.text());
}

void add_kernels(const Pool& pool) {
    add_weft(name_of("max_forward", pool), task_of(pool, max_forward, output));
    add_weft(name_of("max_backward", pool), task_of(pool, max_backward, gradient));
    add_weft(name_of("average_forward", pool), task_of(pool, average_forward, output));
    add_weft(name_of("average_backward", pool), task_of(pool, average_backward, gradient));
}

/// Of 2 x 2 windows, two apart.
void add_eigen(const Pool& pool) {
    const auto add_kernel = [&](const char* name, const auto& task, const auto& run) {
        add_contender(name_of(name, pool) + "/eigen", task,
                      [run](Cpu&, auto& images) { return [&images, run] { run(images); }; });
    };
    add_kernel("max_forward", task_of(pool, max_forward, output), [](auto& images) {
        images.for_each_row(images.y, images.x,
                            [](auto& y, const auto& a, const auto& b, const auto& c,
                               const auto& d) { y = a.max(b).max(c.max(d)); });
    });
    add_kernel("average_forward", task_of(pool, average_forward, output), [](auto& images) {
        images.for_each_row(images.y, images.x,
                            [](auto& y, const auto& a, const auto& b, const auto& c,
                               const auto& d) { y = 0.25f * ((a + b) + (c + d)); });
    });
    add_kernel("average_backward", task_of(pool, average_backward, gradient), [](auto& images) {
        images.for_each_row(images.dy, images.dx, [](auto& dy, auto a, auto b, auto c, auto d) {
            a = b = c = d = 0.25f * dy;
        });
    });
}

void add_onednn(const Pool& pool) {
    if constexpr (has_onednn) {
        const auto add_forward = [&](const char* name, bool is_max, const auto& task) {
            add_contender(name_of(name, pool) + "/onednn", task, [=](Cpu&, auto& i) {
                return onednn_pooling(i.window, pool.count, is_max, true, i.x.data(), i.y.data());
            });
        };
        const auto add_backward = [&](const char* name, bool is_max, const auto& task) {
            add_contender(name_of(name, pool) + "/onednn", task, [=](Cpu&, auto& i) {
                i.dx = i.x;  // where the backward looks for the maxima
                return onednn_pooling(i.window, pool.count, is_max, false, i.dx.data(),
                                      i.dy.data());
            });
        };
        add_forward("max_forward", true, task_of(pool, max_forward, output));
        add_backward("max_backward", true, task_of(pool, max_backward, gradient));
        add_forward("average_forward", false, task_of(pool, average_forward, output));
        add_backward("average_backward", false, task_of(pool, average_backward, gradient));
    }
}

[[maybe_unused]] const bool registered = [] {
    const std::vector<Pool> tutorials{{32, 28, 32}, {32, 14, 64}};
    const std::vector<Pool> others{{32, 56, 64, 3, 2}, {32, 7, 256, 7, 1}};
    for (const Pool& pool : tutorials) add_eigen(pool);
    for (const std::vector<Pool>& pools : {tutorials, others}) {
        for (const Pool& pool : pools) {
            add_kernels(pool);
            add_onednn(pool);
        }
    }
    return true;
}();

}  // namespace
