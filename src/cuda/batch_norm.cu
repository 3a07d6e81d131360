/// \file
/// Kernels of kernels/cuda/batch_norm.hpp.
#include "weft/kernels/cuda/batch_norm.hpp"

#include "moments.cuh"
#include "norm_slope.cuh"

#include <cassert>

namespace weft::kernels {
namespace {

/// y = (x - mean) inverse gamma + beta of each channel, with inverse = inverse_of(c).
template <class Scalar, class InverseOf>
void normalize_columns(const Cuda& device, const Normalizing<Scalar>& norm, const Scalar* mean,
                       InverseOf inverse_of, TensorView<const Scalar, Cuda> x,
                       TensorView<Scalar, Cuda> y) {
    assert(y.shape() == x.shape());
    const Index columns = x.shape().last();
    cuda::for_each_of_columns(
        device, x.size() / columns, columns,
        [=, gamma = norm.gamma, beta = norm.beta, x = x.data(), y = y.data()] __device__(int c) {
            const Scalar center = mean[c], inverse = inverse_of(c);
            const Scalar scale = gamma == nullptr ? Scalar(1) : gamma[c];
            const Scalar shift = beta == nullptr ? Scalar(0) : beta[c];
            return [=](int i) { y[i] = (x[i] - center) * inverse * scale + shift; };
        });
}

}  // namespace

template <class Scalar>
void batch_norm_apply(Cuda& device, const Normalizing<Scalar>& norm,
                      TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y) {
    const auto inverse_of = [inverse = norm.inverse_deviation] __device__(int c) {
        return inverse[c];
    };
    normalize_columns<Scalar>(device, norm, norm.mean, inverse_of, x, y);
}

template <class Scalar>
void batch_norm_forward(Cuda& device, const Normalizing<Scalar>& norm,
                        TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y) {
    const Index columns = x.shape().last();
    cuda::take_moments<Scalar>(device, x.size() / columns, columns, x.data(),
                               {norm.momentum, norm.epsilon, norm.moving_mean, norm.moving_variance,
                                norm.mean, norm.inverse_deviation});
    if (y) batch_norm_apply<Scalar>(device, norm, x, y);
}

template <class Scalar>
void batch_norm_inference(Cuda& device, const Normalizing<Scalar>& norm,
                          TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y) {
    const auto inverse_of = [variance = norm.given_variance, epsilon = norm.epsilon] __device__(
                                int c) { return cuda::inverse_deviation_of(variance[c], epsilon); };
    normalize_columns<Scalar>(device, norm, norm.given_mean, inverse_of, x, y);
}

template <class Scalar>
void batch_norm_backward(Cuda& device, const Normalizing<Scalar>& norm,
                         TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> dy,
                         bool x_is_relu, TensorView<Scalar, Cuda> dx) {
    assert(dy.shape() == x.shape() && (!dx || dx.shape() == x.shape()));
    const Index columns = x.shape().last(), rows = x.size() / columns;
    cuda::sum_columns<2>(
        device, rows, columns,
        [=, x = x.data(), dy = dy.data()] __device__(int i, int c, cuda::Sums<2>& sums) {
            const Scalar difference = x[i] - norm.mean[c];
            sums[0] += static_cast<double>(dy[i]);
            sums[1] += static_cast<double>(dy[i]) * static_cast<double>(difference);
        },
        [=] __device__(int c, const cuda::Sums<2>& sums) {
            norm.dbeta[c] = static_cast<Scalar>(sums[0]);
            norm.dgamma[c] =
                static_cast<Scalar>(sums[1] * static_cast<double>(norm.inverse_deviation[c]));
        });
    if (!dx) return;
    const Scalar share = Scalar(1) / static_cast<Scalar>(rows == 0 ? 1 : rows);
    cuda::for_each_of_columns(device, rows, columns,
                              [=, x = x.data(), dy = dy.data(), dx = dx.data()] __device__(int c) {
                                  const cuda::NormSlope<Scalar> slope(norm, share, c);
                                  return [=](int i) { dx[i] = slope(x[i], dy[i], x_is_relu); };
                              });
}

template decltype(batch_norm_forward<float>) batch_norm_forward<float>;
template decltype(batch_norm_forward<double>) batch_norm_forward<double>;
template decltype(batch_norm_apply<float>) batch_norm_apply<float>;
template decltype(batch_norm_apply<double>) batch_norm_apply<double>;
template decltype(batch_norm_inference<float>) batch_norm_inference<float>;
template decltype(batch_norm_inference<double>) batch_norm_inference<double>;
template decltype(batch_norm_backward<float>) batch_norm_backward<float>;
template decltype(batch_norm_backward<double>) batch_norm_backward<double>;

}  // namespace weft::kernels
