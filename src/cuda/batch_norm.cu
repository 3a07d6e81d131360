/// \file
/// Kernels of kernels/cuda/batch_norm.hpp.
#include "weft/kernels/cuda/batch_norm.hpp"

#include "columns.cuh"

#include <cmath>

namespace weft::kernels {
namespace {

template <class Scalar>
__device__ Scalar inverse_deviation_of(Scalar variance, Scalar epsilon) {
    return Scalar(1) / std::sqrt(variance + epsilon);
}

/// y = (x - mean) inverse gamma + beta of each column, with inverse = inverse_of(c). gamma and beta
/// may be null, for 1 and 0.
template <class Scalar, class InverseOf>
void normalize(const Cuda& device, Index rows, Index columns, const Scalar* x, const Scalar* mean,
               InverseOf inverse_of, const Scalar* gamma, const Scalar* beta, Scalar* y) {
    cuda::for_each_of_columns(device, rows, columns, [=] __device__(int c) {
        const Scalar center = mean[c], inverse = inverse_of(c);
        const Scalar scale = gamma == nullptr ? Scalar(1) : gamma[c];
        const Scalar shift = beta == nullptr ? Scalar(0) : beta[c];
        return [=](int i) { y[i] = (x[i] - center) * inverse * scale + shift; };
    });
}

}  // namespace

// With d = x - x_0, x_0 the first row, one pass is enough:  mean = x_0 + sum d / R,
// variance = (sum d^2 - (sum d)^2 / R) / R.  Its cancellation is bounded, for x_0 is a number of the
// column: (mean - x_0)^2 <= R variance. So sums in double that are off by s 2^-53 change the variance
// by at most 2 (R + 1) s 2^-53 of it, and by a few s 2^-53 unless x_0 is far off the others. That d is
// rounded to Scalar moves mean and deviation by at most u max |d|, u = eps / 2.
template <class Scalar>
void batch_norm_forward(Cuda& device, Index rows, Index columns, const Scalar* x, Scalar momentum,
                        Scalar epsilon, const Scalar* gamma, const Scalar* beta,
                        Scalar* moving_mean, Scalar* moving_variance, Scalar* mean,
                        Scalar* inverse_deviation, Scalar* y) {
    const double share = 1 / static_cast<double>(rows == 0 ? 1 : rows);
    cuda::sum_columns<2>(
        device, rows, columns,
        [=] __device__(int i, int c, cuda::Sums<2>& sums) {
            const auto d = static_cast<double>(x[i] - x[c]);
            sums[0] += d;
            sums[1] += d * d;
        },
        [=] __device__(int c, const cuda::Sums<2>& sums) {
            const double first = rows == 0 ? 0 : static_cast<double>(x[c]), d = sums[0] * share;
            const auto of_batch = static_cast<Scalar>(first + d);
            const auto variance = static_cast<Scalar>((sums[1] - sums[0] * d) * share);
            mean[c] = of_batch;
            inverse_deviation[c] = inverse_deviation_of(variance, epsilon);
            moving_mean[c] = momentum * moving_mean[c] + (1 - momentum) * of_batch;
            moving_variance[c] = momentum * moving_variance[c] + (1 - momentum) * variance;
        });
    const auto inverse_of = [=] __device__(int c) { return inverse_deviation[c]; };
    normalize(device, rows, columns, x, mean, inverse_of, gamma, beta, y);
}

template <class Scalar>
void batch_norm_inference(Cuda& device, Index rows, Index columns, const Scalar* x,
                          const Scalar* mean, const Scalar* variance, Scalar epsilon,
                          const Scalar* gamma, const Scalar* beta, Scalar* y) {
    const auto inverse_of = [=] __device__(int c) {
        return inverse_deviation_of(variance[c], epsilon);
    };
    normalize(device, rows, columns, x, mean, inverse_of, gamma, beta, y);
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
    cuda::for_each_of_columns(device, rows, columns, [=] __device__(int c) {
        // dx = a dy + b (x - mean) + d.
        const Scalar center = mean[c], inverse = inverse_deviation[c];
        const Scalar a = (gamma == nullptr ? Scalar(1) : gamma[c]) * inverse;
        const Scalar b = -a * share * dgamma[c] * inverse, d = -a * share * dbeta[c];
        return [=](int i) {
            const Scalar value = x[i], gradient = a * dy[i] + (b * (value - center) + d);
            dx[i] = x_is_relu && !(value > 0) ? Scalar(0) : gradient;
        };
    });
}

template decltype(batch_norm_forward<float>) batch_norm_forward<float>;
template decltype(batch_norm_forward<double>) batch_norm_forward<double>;
template decltype(batch_norm_inference<float>) batch_norm_inference<float>;
template decltype(batch_norm_inference<double>) batch_norm_inference<double>;
template decltype(batch_norm_backward<float>) batch_norm_backward<float>;
template decltype(batch_norm_backward<double>) batch_norm_backward<double>;

}  // namespace weft::kernels
