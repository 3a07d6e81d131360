/// \file
/// Kernels of kernels/cuda/pooling.hpp. Backward gathers: an element of the input looks at the windows
/// that hold it, in order, so that no two threads add to one number. Sums are in double and rounded
/// once.
#include "weft/kernels/cuda/pooling.hpp"

#include "dropping.cuh"
#include "weft/core/tensor_view.hpp"
#include "window.cuh"

#include <cstdint>

namespace weft::kernels {
namespace {

/// store(place, largest, its tap) of each window.
template <class Scalar, class Store>
void max_pool(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> x, Store store) {
    cuda::narrow(x.size());
    const cuda::Window w(window);
    cuda::for_each_pixel(device, x.shape()[0], w.rows.output, w.columns.output, w.channels,
                         [=, x = x.data()] __device__(int n, int row, int column, int channel) {
                             Scalar largest = 0;
                             int best = -1;
                             w.rows.for_each_tap(row, [&](int i, int x_row) {
                                 w.columns.for_each_tap(column, [&](int j, int x_column) {
                                     const Scalar value = x[w.input(n, x_row, x_column) + channel];
                                     // The first of equals, but of NaN the last.
                                     if (best >= 0 && !(value > largest) && value == value) return;
                                     largest = value;
                                     best = i * w.columns.window + j;
                                 });
                             });
                             store(w.output(n, row, column) + channel, largest, best);
                         });
}

/// dx from scale dy.
template <class Scalar, class Tap>
void unpool(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> y,
            TensorView<const Scalar, Cuda> dy, const Tap* taps, Scalar scale,
            TensorView<Scalar, Cuda> dx) {
    cuda::narrow(dy.size());
    const cuda::Window w(window);
    cuda::for_each_pixel(device, dy.shape()[0], w.rows.input, w.columns.input, w.channels,
                         [=, y = y.data(), dy = dy.data(), dx = dx.data()] __device__(
                             int n, int row, int column, int channel) {
                             double sum = 0;
                             w.rows.for_each_output(row, [&](int y_row, int i) {
                                 w.columns.for_each_output(column, [&](int y_column, int j) {
                                     const int place = w.output(n, y_row, y_column) + channel;
                                     if (static_cast<int>(taps[place]) != i * w.columns.window + j)
                                         return;
                                     if (y == nullptr || y[place] > 0)
                                         sum += static_cast<double>(dy[place] * scale);
                                 });
                             });
                             dx[w.input(n, row, column) + channel] = static_cast<Scalar>(sum);
                         });
}

/// The tap of an output that was dropped, which no element of the input has.
template <class Tap>
constexpr Tap dropped = static_cast<Tap>(-1);

}  // namespace

template <class Scalar, class Tap>
void max_pool_forward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> x,
                      TensorView<Scalar, Cuda> y, Tap* taps) {
    max_pool<Scalar>(device, window, x,
                     [=, y = y.data()] __device__(int place, Scalar largest, int tap) {
                         y[place] = largest;
                         if (taps != nullptr) taps[place] = static_cast<Tap>(tap);
                     });
}

template <class Scalar, class Tap>
void max_pool_forward_dropping(Cuda& device, const Window2D& window, const Dropping& dropping,
                               TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y,
                               Tap* taps) {
    const cuda::Drops<Scalar> drops(dropping);
    max_pool<Scalar>(device, window, x,
                     [=, y = y.data()] __device__(int place, Scalar largest, int tap) {
                         const bool keeps = drops.keeps(place);
                         y[place] = keeps ? largest * drops.scale : Scalar(0);
                         taps[place] = keeps ? static_cast<Tap>(tap) : dropped<Tap>;
                     });
}

template <class Scalar, class Tap>
void max_pool_backward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> y,
                       TensorView<const Scalar, Cuda> dy, const Tap* taps,
                       TensorView<Scalar, Cuda> dx) {
    unpool<Scalar, Tap>(device, window, y, dy, taps, Scalar(1), dx);
}

template <class Scalar, class Tap>
void max_pool_backward_dropping(Cuda& device, const Window2D& window, const Dropping& dropping,
                                TensorView<const Scalar, Cuda> y, TensorView<Scalar, Cuda> dy,
                                const Tap* taps, TensorView<Scalar, Cuda> dx) {
    const cuda::Drops<Scalar> drops(dropping);
    unpool<Scalar, Tap>(device, window, y, dy, taps, drops.scale, dx);
}

template <class Scalar>
void average_pool_forward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> x,
                          TensorView<Scalar, Cuda> y) {
    cuda::narrow(x.size());
    const cuda::Window w(window);
    cuda::for_each_pixel(
        device, x.shape()[0], w.rows.output, w.columns.output, w.channels,
        [=, x = x.data(), y = y.data()] __device__(int n, int row, int column, int channel) {
            double sum = 0;
            w.rows.for_each_tap(row, [&](int, int x_row) {
                w.columns.for_each_tap(column, [&](int, int x_column) {
                    sum += static_cast<double>(x[w.input(n, x_row, x_column) + channel]);
                });
            });
            const int count = w.rows.taps_inside(row) * w.columns.taps_inside(column);
            y[w.output(n, row, column) + channel] =
                static_cast<Scalar>(sum) / static_cast<Scalar>(count);
        });
}

template <class Scalar>
void average_pool_backward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> dy,
                           TensorView<Scalar, Cuda> dx) {
    cuda::narrow(dy.size());
    const cuda::Window w(window);
    cuda::for_each_pixel(
        device, dy.shape()[0], w.rows.input, w.columns.input, w.channels,
        [=, dy = dy.data(), dx = dx.data()] __device__(int n, int row, int column, int channel) {
            double sum = 0;
            w.rows.for_each_output(row, [&](int y_row, int) {
                const int in_rows = w.rows.taps_inside(y_row);
                w.columns.for_each_output(column, [&](int y_column, int) {
                    const auto count =
                        static_cast<Scalar>(in_rows * w.columns.taps_inside(y_column));
                    sum += static_cast<double>(dy[w.output(n, y_row, y_column) + channel] / count);
                });
            });
            dx[w.input(n, row, column) + channel] = static_cast<Scalar>(sum);
        });
}

template decltype(max_pool_forward_dropping<float, std::uint8_t>)
    max_pool_forward_dropping<float, std::uint8_t>;
template decltype(max_pool_forward_dropping<float, std::int32_t>)
    max_pool_forward_dropping<float, std::int32_t>;
template decltype(max_pool_forward_dropping<double, std::uint8_t>)
    max_pool_forward_dropping<double, std::uint8_t>;
template decltype(max_pool_forward_dropping<double, std::int32_t>)
    max_pool_forward_dropping<double, std::int32_t>;
template decltype(max_pool_backward_dropping<float, std::uint8_t>)
    max_pool_backward_dropping<float, std::uint8_t>;
template decltype(max_pool_backward_dropping<float, std::int32_t>)
    max_pool_backward_dropping<float, std::int32_t>;
template decltype(max_pool_backward_dropping<double, std::uint8_t>)
    max_pool_backward_dropping<double, std::uint8_t>;
template decltype(max_pool_backward_dropping<double, std::int32_t>)
    max_pool_backward_dropping<double, std::int32_t>;
template decltype(max_pool_forward<float, std::uint8_t>) max_pool_forward<float, std::uint8_t>;
template decltype(max_pool_forward<float, std::int32_t>) max_pool_forward<float, std::int32_t>;
template decltype(max_pool_forward<double, std::uint8_t>) max_pool_forward<double, std::uint8_t>;
template decltype(max_pool_forward<double, std::int32_t>) max_pool_forward<double, std::int32_t>;
template decltype(max_pool_backward<float, std::uint8_t>) max_pool_backward<float, std::uint8_t>;
template decltype(max_pool_backward<float, std::int32_t>) max_pool_backward<float, std::int32_t>;
template decltype(max_pool_backward<double, std::uint8_t>) max_pool_backward<double, std::uint8_t>;
template decltype(max_pool_backward<double, std::int32_t>) max_pool_backward<double, std::int32_t>;
template decltype(average_pool_forward<float>) average_pool_forward<float>;
template decltype(average_pool_forward<double>) average_pool_forward<double>;
template decltype(average_pool_backward<float>) average_pool_backward<float>;
template decltype(average_pool_backward<double>) average_pool_backward<double>;

}  // namespace weft::kernels
