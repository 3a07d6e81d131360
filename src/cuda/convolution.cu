/// \file
/// Kernels of kernels/cuda/convolution.hpp: products whose factors are patches, which no memory holds.
#include "weft/kernels/cuda/convolution.hpp"

#include "beside.cuh"
#include "library_convolutions.cuh"
#include "patches.cuh"
#include "product.cuh"
#include "weft/kernels/cuda/activation.hpp"
#include "weft/kernels/cuda/reduction.hpp"

namespace weft::kernels {

/// Y (positions, filters) = act(patches of X (positions, depth) W (depth, filters) + b), and the
/// moments of its columns, if they are wanted.
template <class Scalar>
void convolution_forward_moments(Cuda& device, const Convolution& c,
                                 TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> w,
                                 TensorView<const Scalar, Cuda> b, Activation activation,
                                 const Normalizing<Scalar>& norm, TensorView<Scalar, Cuda> y) {
    cuda::narrow(x.size());
    cuda::narrow(y.size());
    cuda::narrow(w.size());
    const cuda::Moments<Scalar> moments{norm.momentum,        norm.epsilon, norm.moving_mean,
                                        norm.moving_variance, norm.mean,    norm.inverse_deviation};
    const bool is_apart = activation == softmax;
    if (y.size() == 0) return;
    const int all = cuda::narrow(c.filters), filters = cuda::narrow(c.group_filters());
    const Activation elementwise = is_apart ? linear : activation;
    const bool by_library = cuda::convolve_by_library(
        device, c, x.shape()[0], x.data(), w.data(),
        cuda::Output<Scalar>(y.data(), all, all, 0, b.data(), elementwise));
    if (!by_library) {
        const cuda::Patches<Scalar, true> patches(c, x.shape()[0], x.data());
        cuda::multiply<Scalar>(
            device, {patches.positions, filters, patches.depth, cuda::narrow(c.groups)}, patches,
            cuda::Matrix<Scalar, false>(w.data(), filters, patches.depth, all, filters),
            cuda::MomentsOutput<Scalar>{{y.data(), filters, all, filters, b.data(), elementwise},
                                        {moments, norm && !is_apart}});
    }
    if (is_apart) activation_forward<Scalar>(device, softmax, y, y);
    if (norm && (is_apart || by_library))
        cuda::take_moments(device, y.size() / c.filters, c.filters, y.data(), moments);
}

template <class Scalar>
void convolution_forward(Cuda& device, const Convolution& c, TensorView<const Scalar, Cuda> x,
                         TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> b,
                         Activation activation, TensorView<Scalar, Cuda> y) {
    convolution_forward_moments<Scalar>(device, c, x, w, b, activation, {}, y);
}

namespace {

/// dX (pixels, channels) = what each pixel's outputs have for gradients (pixels, depth) times the
/// filters turned round (depth, channels). With strides, all but one in stride^2 factors are 0.
template <class Scalar>
void input_gradient(Cuda& device, const Before& before, const Convolution& c,
                    TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> g,
                    TensorView<const Scalar, Cuda> w, TensorView<Scalar, Cuda> dx) {
    cuda::narrow(g.size());
    cuda::narrow(w.size());
    cuda::narrow(dx.size());
    if (dx.size() == 0) return;
    const int all = cuda::narrow(c.window.channels), channels = cuda::narrow(c.group_channels());
    const auto whole = cuda::Output<Scalar>(dx.data(), all, all).through(before, x.data(), all);
    if (cuda::input_gradient_by_library(device, c, g.shape()[0], g.data(), w.data(), whole)) return;
    const cuda::GradientPatches<Scalar> patches(c, g.shape()[0], g.data());
    cuda::multiply<Scalar>(device,
                           {patches.positions, channels, patches.depth, cuda::narrow(c.groups)},
                           patches, cuda::TurnedFilters<Scalar>(c, w.data()),
                           cuda::Output<Scalar>(dx.data(), channels, all, channels)
                               .through(before, x.data(), channels));
}

}  // namespace

template <class Scalar>
void convolution_input_gradient(Cuda& device, const Convolution& c,
                                TensorView<const Scalar, Cuda> g, TensorView<const Scalar, Cuda> w,
                                TensorView<Scalar, Cuda> dx) {
    input_gradient<Scalar>(device, {}, c, {}, g, w, dx);
}

/// dW (depth, filters) = patches of X (depth, positions) G (positions, filters), and the sums of the
/// columns of G.
template <class Scalar>
void convolution_filter_gradient(Cuda& device, const Convolution& c,
                                 TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> g,
                                 TensorView<Scalar, Cuda> dw, TensorView<Scalar, Cuda> db) {
    cuda::narrow(x.size());
    cuda::narrow(g.size());
    cuda::narrow(dw.size());
    if (cuda::filter_gradient_by_library(device, c, x.shape()[0], x.data(), g.data(), dw.data())) {
        if (db) column_sums<Scalar>(device, g, db);
        return;
    }
    const int all = cuda::narrow(c.filters), filters = cuda::narrow(c.group_filters());
    const cuda::Patches<Scalar, false> patches(c, x.shape()[0], x.data());
    const cuda::Output<Scalar> of_w(dw.data(), filters, all, filters);
    cuda::multiply<Scalar>(
        device, {patches.depth, filters, patches.positions, cuda::narrow(c.groups)}, patches,
        cuda::SummedMatrix<Scalar>(g.data(), filters, patches.positions, all, filters),
        of_w.with_column_sums(db.data(), filters));
}

template <class Scalar>
void convolution_backward_through(Cuda& device, const Before& before, const Convolution& c,
                                  TensorView<const Scalar, Cuda> x,
                                  TensorView<const Scalar, Cuda> w,
                                  TensorView<const Scalar, Cuda> g, TensorView<Scalar, Cuda> dw,
                                  TensorView<Scalar, Cuda> db, TensorView<Scalar, Cuda> dx) {
    const auto of_w = [&](Cuda& on) { convolution_filter_gradient<Scalar>(on, c, x, g, dw, db); };
    if (!dx) return of_w(device);
    cuda::run_beside(device, of_w, [&] { input_gradient<Scalar>(device, before, c, x, g, w, dx); });
}

template decltype(convolution_forward_moments<float>) convolution_forward_moments<float>;
template decltype(convolution_forward_moments<double>) convolution_forward_moments<double>;
template decltype(convolution_forward<float>) convolution_forward<float>;
template decltype(convolution_forward<double>) convolution_forward<double>;
template decltype(convolution_input_gradient<float>) convolution_input_gradient<float>;
template decltype(convolution_input_gradient<double>) convolution_input_gradient<double>;
template decltype(convolution_filter_gradient<float>) convolution_filter_gradient<float>;
template decltype(convolution_filter_gradient<double>) convolution_filter_gradient<double>;
template decltype(convolution_backward_through<float>) convolution_backward_through<float>;
template decltype(convolution_backward_through<double>) convolution_backward_through<double>;

}  // namespace weft::kernels
