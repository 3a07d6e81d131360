/// \file
/// Kernels of kernels/cuda/batch_norm.hpp.
#include "weft/kernels/cuda/batch_norm.hpp"

#include "moments.cuh"
#include "norm_slope.cuh"

namespace weft::kernels {
namespace {

/// y = (x - mean) inverse gamma + beta of each column, with inverse = inverse_of(c). gamma and beta
/// may be null, for 1 and 0.
template <class Scalar, class InverseOf>
void normalize_columns(const Cuda& device, Index rows, Index columns, const Scalar* x,
                       const Scalar* mean, InverseOf inverse_of, const Scalar* gamma,
                       const Scalar* beta, Scalar* y) {
    cuda::for_each_of_columns(device, rows, columns, [=] __device__(int c) {
        const Scalar center = mean[c], inverse = inverse_of(c);
        const Scalar scale = gamma == nullptr ? Scalar(1) : gamma[c];
        const Scalar shift = beta == nullptr ? Scalar(0) : beta[c];
        return [=](int i) { y[i] = (x[i] - center) * inverse * scale + shift; };
    });
}

}  // namespace

template <class Scalar>
void batch_norm_apply(Cuda& device, Index rows, Index columns, const Scalar* x, const Scalar* mean,
                      const Scalar* inverse_deviation, const Scalar* gamma, const Scalar* beta,
                      Scalar* y) {
    const auto inverse_of = [=] __device__(int c) { return inverse_deviation[c]; };
    normalize_columns(device, rows, columns, x, mean, inverse_of, gamma, beta, y);
}

template <class Scalar>
void batch_norm_forward(Cuda& device, Index rows, Index columns, const Scalar* x, Scalar momentum,
                        Scalar epsilon, const Scalar* gamma, const Scalar* beta,
                        Scalar* moving_mean, Scalar* moving_variance, Scalar* mean,
                        Scalar* inverse_deviation, Scalar* y) {
    cuda::take_moments<Scalar>(
        device, rows, columns, x,
        {momentum, epsilon, moving_mean, moving_variance, mean, inverse_deviation});
    if (y == nullptr) return;
    batch_norm_apply(device, rows, columns, x, mean, inverse_deviation, gamma, beta, y);
}

template <class Scalar>
void batch_norm_inference(Cuda& device, Index rows, Index columns, const Scalar* x,
                          const Scalar* mean, const Scalar* variance, Scalar epsilon,
                          const Scalar* gamma, const Scalar* beta, Scalar* y) {
    const auto inverse_of = [=] __device__(int c) {
        return cuda::inverse_deviation_of(variance[c], epsilon);
    };
    normalize_columns(device, rows, columns, x, mean, inverse_of, gamma, beta, y);
}

template <class Scalar>
void batch_norm_backward(Cuda& device, Index rows, Index columns, const Scalar* x,
                         const Scalar* mean, const Scalar* inverse_deviation, const Scalar* gamma,
                         const Scalar* dy, bool x_is_relu, Scalar* dgamma, Scalar* dbeta,
                         Scalar* dx) {
    cuda::sum_columns<2>(
        device, rows, columns,
        [=] __device__(int i, int c, cuda::Sums<2>& sums) {
            const Scalar difference = x[i] - mean[c];
            sums[0] += static_cast<double>(dy[i]);
            sums[1] += static_cast<double>(dy[i]) * static_cast<double>(difference);
        },
        [=] __device__(int c, const cuda::Sums<2>& sums) {
            dbeta[c] = static_cast<Scalar>(sums[0]);
            dgamma[c] = static_cast<Scalar>(sums[1] * static_cast<double>(inverse_deviation[c]));
        });
    if (dx == nullptr) return;
    const Scalar share = Scalar(1) / static_cast<Scalar>(rows == 0 ? 1 : rows);
    const Normalizing<Scalar> norm{.gamma = gamma,
                                   .mean = const_cast<Scalar*>(mean),
                                   .inverse_deviation = const_cast<Scalar*>(inverse_deviation),
                                   .dgamma = dgamma,
                                   .dbeta = dbeta};
    cuda::for_each_of_columns(device, rows, columns, [=] __device__(int c) {
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
