/// \file
/// Batch normalisation by its formulas, forward and backward.
#pragma once

#include "tests/support/reference/device.hpp"

#include <cmath>

namespace weft::kernels {

/// mean_c = sum_r x_rc / R,   variance_c = sum_r (x_rc - mean_c)^2 / R; 0 without rows.
template <class Scalar>
void column_moments(Reference&, Index rows, Index columns, const Scalar* x, Scalar* mean,
                    Scalar* variance) {
    const auto count = static_cast<Wide<Scalar>>(rows == 0 ? 1 : rows);
    for (Index c = 0; c < columns; ++c) {
        Wide<Scalar> sum = 0, squares = 0;
        for (Index r = 0; r < rows; ++r) sum += wide(x[r * columns + c]);
        for (Index r = 0; r < rows; ++r) {
            const Wide<Scalar> difference = wide(x[r * columns + c]) - sum / count;
            squares += difference * difference;
        }
        mean[c] = static_cast<Scalar>(sum / count);
        variance[c] = static_cast<Scalar>(squares / count);
    }
}

/// y_rc = gamma_c (x_rc - mean_c) inverse_deviation_c + beta_c. gamma and beta may be null, for 1
/// and 0.   x, y (R, C), the others (C)
template <class Scalar>
void batch_norm_apply(Reference&, Index rows, Index columns, const Scalar* x, const Scalar* mean,
                      const Scalar* inverse_deviation, const Scalar* gamma, const Scalar* beta,
                      Scalar* y) {
    for (Index i = 0; i < rows * columns; ++i) {
        const Index c = i % columns;
        const Wide<Scalar> n = (wide(x[i]) - wide(mean[c])) * wide(inverse_deviation[c]);
        const Wide<Scalar> scale = gamma == nullptr ? 1 : wide(gamma[c]);
        y[i] = static_cast<Scalar>(scale * n + (beta == nullptr ? 0 : wide(beta[c])));
    }
}

/// batch_norm_apply by the moments of the batch, which are left for batch_norm_backward, with
///   moving = momentum moving + (1 - momentum) batch,
///   inverse_deviation = 1 / sqrt(variance + epsilon).
/// y may be null, for the moments alone.
template <class Scalar>
void batch_norm_forward(Reference& device, Index rows, Index columns, const Scalar* x,
                        Scalar momentum, Scalar epsilon, const Scalar* gamma, const Scalar* beta,
                        Scalar* moving_mean, Scalar* moving_variance, Scalar* mean,
                        Scalar* inverse_deviation, Scalar* y) {
    column_moments(device, rows, columns, x, mean, inverse_deviation);
    const auto mix = [&](Scalar& moving, Scalar batch) {
        moving =
            static_cast<Scalar>(wide(momentum) * wide(moving) + (1 - wide(momentum)) * wide(batch));
    };
    for (Index c = 0; c < columns; ++c) {
        const Scalar variance = inverse_deviation[c];
        mix(moving_mean[c], mean[c]);
        mix(moving_variance[c], variance);
        inverse_deviation[c] = static_cast<Scalar>(1 / std::sqrt(wide(variance) + wide(epsilon)));
    }
    if (y == nullptr) return;
    batch_norm_apply<Scalar>(device, rows, columns, x, mean, inverse_deviation, gamma, beta, y);
}

/// The same by given moments:   y_rc = gamma_c (x_rc - mean_c) / sqrt(variance_c + epsilon) + beta_c.
template <class Scalar>
void batch_norm_inference(Reference&, Index rows, Index columns, const Scalar* x,
                          const Scalar* mean, const Scalar* variance, Scalar epsilon,
                          const Scalar* gamma, const Scalar* beta, Scalar* y) {
    for (Index i = 0; i < rows * columns; ++i) {
        const Index c = i % columns;
        const Wide<Scalar> deviation = std::sqrt(wide(variance[c]) + wide(epsilon));
        const Wide<Scalar> scale = gamma == nullptr ? 1 : wide(gamma[c]);
        const Wide<Scalar> offset = beta == nullptr ? 0 : wide(beta[c]);
        y[i] = static_cast<Scalar>(scale * (wide(x[i]) - wide(mean[c])) / deviation + offset);
    }
}

/// With n = (x - mean) inverse_deviation:   dgamma_c = sum_r dy n,   dbeta_c = sum_r dy,
///   dx = gamma inverse_deviation (dy - dbeta / R - n dgamma / R),
/// with x_is_relu 0 where x is not above 0. gamma may be null, for 1; dx may be null, or dy.
template <class Scalar>
void batch_norm_backward(Reference&, Index rows, Index columns, const Scalar* x, const Scalar* mean,
                         const Scalar* inverse_deviation, const Scalar* gamma, const Scalar* dy,
                         bool x_is_relu, Scalar* dgamma, Scalar* dbeta, Scalar* dx) {
    for (Index c = 0; c < columns; ++c) {
        const auto n = [&](Index i) {
            return (wide(x[i]) - wide(mean[c])) * wide(inverse_deviation[c]);
        };
        const auto share = 1 / static_cast<Wide<Scalar>>(rows);
        const Wide<Scalar> scale = gamma == nullptr ? 1 : wide(gamma[c]);
        Wide<Scalar> of_gamma = 0, of_beta = 0;
        for (Index i = c; i < rows * columns; i += columns) {
            of_gamma += wide(dy[i]) * n(i);
            of_beta += wide(dy[i]);
        }
        for (Index i = c; dx != nullptr && i < rows * columns; i += columns) {
            const Wide<Scalar> gradient = scale * wide(inverse_deviation[c]) *
                                          (wide(dy[i]) - of_beta * share - n(i) * of_gamma * share);
            dx[i] = x_is_relu && !(x[i] > 0) ? Scalar(0) : static_cast<Scalar>(gradient);
        }
        dgamma[c] = static_cast<Scalar>(of_gamma);
        dbeta[c] = static_cast<Scalar>(of_beta);
    }
}

}  // namespace weft::kernels
