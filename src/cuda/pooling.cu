/// \file
/// Kernels of kernels/cuda/pooling.hpp. Backward gathers: an element of the input looks at the windows
/// that hold it, in order, so that no two threads add to one number. Sums are in double and rounded
/// once.
#include "weft/kernels/cuda/pooling.hpp"

#include "dropping.cuh"
#include "moments.cuh"
#include "norm_slope.cuh"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cuda/batch_norm.hpp"
#include "window.cuh"

#include <cstdint>

namespace weft::kernels {
namespace {

/// store(place, channel, x, its tap) of each window, x the largest where rises(channel), else the
/// smallest.
template <class Scalar, class Rises, class Store>
void choose(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> x, Rises rises,
            Store store) {
    cuda::narrow(x.size());
    const cuda::Window w(window);
    cuda::for_each_pixel(device, x.shape()[0], w.rows.output, w.columns.output, w.channels,
                         [=, x = x.data()] __device__(int n, int row, int column, int channel) {
                             const bool wants_largest = rises(channel);
                             Scalar chosen = 0;
                             int best = -1;
                             w.rows.for_each_tap(row, [&](int i, int x_row) {
                                 w.columns.for_each_tap(column, [&](int j, int x_column) {
                                     const Scalar value = x[w.input(n, x_row, x_column) + channel];
                                     const bool is_better =
                                         wants_largest ? value > chosen : value < chosen;
                                     // The first of equals, but of NaN the last.
                                     if (best >= 0 && !is_better && value == value) return;
                                     chosen = value;
                                     best = i * w.columns.window + j;
                                 });
                             });
                             store(w.output(n, row, column) + channel, channel, chosen, best);
                         });
}

/// The largest of each channel.
struct Largest {
    __device__ constexpr bool operator()(int) const { return true; }
};

/// store(place, channel, scale dy) of each element of the input.
template <class Scalar, class Tap, class Store>
void spread(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> y,
            TensorView<const Scalar, Cuda> dy, const Tap* taps, Scalar scale, Store store) {
    cuda::narrow(dy.size());
    const cuda::Window w(window);
    cuda::for_each_pixel(
        device, dy.shape()[0], w.rows.input, w.columns.input, w.channels,
        [=, y = y.data(), dy = dy.data()] __device__(int n, int row, int column, int channel) {
            double sum = 0;
            w.rows.for_each_output(row, [&](int y_row, int i) {
                w.columns.for_each_output(column, [&](int y_column, int j) {
                    const int place = w.output(n, y_row, y_column) + channel;
                    if (static_cast<int>(taps[place]) != i * w.columns.window + j) return;
                    if (y == nullptr || y[place] > 0) {
                        sum += static_cast<double>(dy[place] * scale);
                    }
                });
            });
            store(w.input(n, row, column) + channel, channel, static_cast<Scalar>(sum));
        });
}

/// dx from scale dy.
template <class Scalar, class Tap>
void unpool(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> y,
            TensorView<const Scalar, Cuda> dy, const Tap* taps, Scalar scale,
            TensorView<Scalar, Cuda> dx) {
    spread<Scalar>(
        device, window, y, dy, taps, scale,
        [dx = dx.data()] __device__(int place, int, Scalar gradient) { dx[place] = gradient; });
}

/// The tap of an output that was dropped, which no element of the input has.
template <class Tap>
constexpr Tap dropped = static_cast<Tap>(-1);

}  // namespace

template <class Scalar, class Tap>
void max_pool_forward(Cuda& device, const Window2D& window, TensorView<const Scalar, Cuda> x,
                      TensorView<Scalar, Cuda> y, Tap* taps) {
    choose<Scalar>(device, window, x, Largest(),
                   [=, y = y.data()] __device__(int place, int, Scalar largest, int tap) {
                       y[place] = largest;
                       if (taps != nullptr) taps[place] = static_cast<Tap>(tap);
                   });
}

template <class Scalar, class Tap>
void max_pool_forward_dropping(Cuda& device, const Window2D& window, const Dropping& dropping,
                               TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y,
                               Tap* taps) {
    const cuda::Drops<Scalar> drops(dropping);
    choose<Scalar>(device, window, x, Largest(),
                   [=, y = y.data()] __device__(int place, int, Scalar largest, int tap) {
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
void max_pool_forward_normalizing(Cuda& device, const Window2D& window,
                                  const Normalizing<Scalar>& norm, const Dropping& dropping,
                                  TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y,
                                  std::uint8_t* taps, Scalar* chosen) {
    const Scalar* const mean = norm.given_mean != nullptr ? norm.given_mean : norm.mean;
    if (norm.given_mean != nullptr) {
        cuda::for_each(device, window.channels, [=] __device__(int c) {
            norm.inverse_deviation[c] =
                cuda::inverse_deviation_of(norm.given_variance[c], norm.epsilon);
        });
    } else if (!norm.has_moments) {
        normalize<Scalar>(device, norm, x, {});
    }
    const cuda::Drops<Scalar> drops(dropping);
    const bool is_dropped = dropping.rate > 0;
    choose<Scalar>(
        device, window, x,
        [gamma = norm.gamma] __device__(int c) { return gamma == nullptr || gamma[c] >= 0; },
        [=, y = y.data()] __device__(int place, int c, Scalar value, int tap) {
            const Scalar scale = norm.gamma == nullptr ? Scalar(1) : norm.gamma[c];
            const Scalar shift = norm.beta == nullptr ? Scalar(0) : norm.beta[c];
            const Scalar normal = (value - mean[c]) * norm.inverse_deviation[c] * scale + shift;
            const bool keeps = !is_dropped || drops.keeps(place);
            y[place] = keeps ? normal * drops.scale : Scalar(0);
            taps[place] = keeps ? static_cast<std::uint8_t>(tap) : dropped<std::uint8_t>;
            chosen[place] = value;
        });
}

template <class Scalar>
void max_pool_backward_normalizing(Cuda& device, const Window2D& window,
                                   const Normalizing<Scalar>& norm, const Dropping& dropping,
                                   bool x_is_relu, TensorView<const Scalar, Cuda> x,
                                   TensorView<Scalar, Cuda> dy, const std::uint8_t* taps,
                                   const Scalar* chosen, TensorView<Scalar, Cuda> dx) {
    const Scalar scale = cuda::Drops<Scalar>(dropping).scale;
    const Index rows = x.size() / window.channels;
    // What was not chosen has no gradient, and no part in the sums.
    cuda::sum_columns<2>(
        device, dy.size() / window.channels, window.channels,
        [=, dy = dy.data()] __device__(int i, int c, cuda::Sums<2>& sums) {
            if (taps[i] == dropped<std::uint8_t>) return;
            const auto gradient = static_cast<double>(dy[i] * scale);
            const Scalar difference = chosen[i] - norm.mean[c];
            sums[0] += gradient;
            sums[1] += gradient * static_cast<double>(difference);
        },
        [=] __device__(int c, const cuda::Sums<2>& sums) {
            norm.dbeta[c] = static_cast<Scalar>(sums[0]);
            norm.dgamma[c] =
                static_cast<Scalar>(sums[1] * static_cast<double>(norm.inverse_deviation[c]));
        });
    const Scalar share = Scalar(1) / static_cast<Scalar>(rows == 0 ? 1 : rows);
    spread<Scalar>(device, window, {}, dy, taps, scale,
                   [=, x = x.data(), dx = dx.data()] __device__(int i, int c, Scalar gradient) {
                       const cuda::NormSlope<Scalar> slope(norm, share, c);
                       dx[i] = slope(x[i], gradient, x_is_relu);
                   });
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
template decltype(max_pool_forward_normalizing<float>) max_pool_forward_normalizing<float>;
template decltype(max_pool_forward_normalizing<double>) max_pool_forward_normalizing<double>;
template decltype(max_pool_backward_normalizing<float>) max_pool_backward_normalizing<float>;
template decltype(max_pool_backward_normalizing<double>) max_pool_backward_normalizing<double>;
template decltype(average_pool_forward<float>) average_pool_forward<float>;
template decltype(average_pool_forward<double>) average_pool_forward<double>;
template decltype(average_pool_backward<float>) average_pool_backward<float>;
template decltype(average_pool_backward<double>) average_pool_backward<double>;

}  // namespace weft::kernels
