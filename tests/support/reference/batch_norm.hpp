/// \file
/// Batch normalisation by its formulas, forward and backward.
#pragma once

#include "tests/support/reference/device.hpp"
#include "weft/kernels/normalizing.hpp"

#include <cmath>

namespace weft::kernels {

/// mean_c = sum_r x_rc / R,   variance_c = sum_r (x_rc - mean_c)^2 / R; 0 without rows.
template <class Scalar>
void column_moments(Reference&, TensorView<const Scalar, Reference> x,
                    TensorView<Scalar, Reference> mean, TensorView<Scalar, Reference> variance) {
    const Index columns = x.shape().last(), rows = x.size() / columns;
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
/// and 0.   x, y (..., C)
template <class Scalar>
void batch_norm_apply(Reference&, const Normalizing<Scalar>& norm,
                      TensorView<const Scalar, Reference> x, TensorView<Scalar, Reference> y) {
    for (Index i = 0; i < x.size(); ++i) {
        const Index c = i % x.shape().last();
        const Wide<Scalar> n = (wide(x[i]) - wide(norm.mean[c])) * wide(norm.inverse_deviation[c]);
        const Wide<Scalar> scale = norm.gamma == nullptr ? 1 : wide(norm.gamma[c]);
        y[i] = static_cast<Scalar>(scale * n + (norm.beta == nullptr ? 0 : wide(norm.beta[c])));
    }
}

/// batch_norm_apply by the moments of the batch, which are left for batch_norm_backward, with
///   moving = momentum moving + (1 - momentum) batch,
///   inverse_deviation = 1 / sqrt(variance + epsilon).
/// y may be empty, for the moments alone.
template <class Scalar>
void batch_norm_forward(Reference& device, const Normalizing<Scalar>& norm,
                        TensorView<const Scalar, Reference> x, TensorView<Scalar, Reference> y) {
    const Shape channels{x.shape().last()};
    column_moments<Scalar>(device, x, {norm.mean, channels}, {norm.inverse_deviation, channels});
    const auto mix = [momentum = wide(norm.momentum)](Scalar& moving, Scalar batch) {
        moving = static_cast<Scalar>(momentum * wide(moving) + (1 - momentum) * wide(batch));
    };
    for (Index c = 0; c < channels[0]; ++c) {
        const Scalar variance = norm.inverse_deviation[c];
        mix(norm.moving_mean[c], norm.mean[c]);
        mix(norm.moving_variance[c], variance);
        norm.inverse_deviation[c] =
            static_cast<Scalar>(1 / std::sqrt(wide(variance) + wide(norm.epsilon)));
    }
    if (y) batch_norm_apply<Scalar>(device, norm, x, y);
}

/// The same by given moments:   y_rc = gamma_c (x_rc - mean_c) / sqrt(variance_c + epsilon) + beta_c.
template <class Scalar>
void batch_norm_inference(Reference&, const Normalizing<Scalar>& norm,
                          TensorView<const Scalar, Reference> x, TensorView<Scalar, Reference> y) {
    for (Index i = 0; i < x.size(); ++i) {
        const Index c = i % x.shape().last();
        const Wide<Scalar> deviation = std::sqrt(wide(norm.given_variance[c]) + wide(norm.epsilon));
        const Wide<Scalar> scale = norm.gamma == nullptr ? 1 : wide(norm.gamma[c]);
        const Wide<Scalar> offset = norm.beta == nullptr ? 0 : wide(norm.beta[c]);
        y[i] = static_cast<Scalar>(scale * (wide(x[i]) - wide(norm.given_mean[c])) / deviation +
                                   offset);
    }
}

/// With n = (x - mean) inverse_deviation:   dgamma_c = sum_r dy n,   dbeta_c = sum_r dy,
///   dx = gamma inverse_deviation (dy - dbeta / R - n dgamma / R),
/// with x_is_relu 0 where x is not above 0. gamma may be null, for 1; dx may be empty, or dy.
template <class Scalar>
void batch_norm_backward(Reference&, const Normalizing<Scalar>& norm,
                         TensorView<const Scalar, Reference> x,
                         TensorView<const Scalar, Reference> dy, bool x_is_relu,
                         TensorView<Scalar, Reference> dx) {
    const Index columns = x.shape().last(), rows = x.size() / columns;
    for (Index c = 0; c < columns; ++c) {
        const Wide<Scalar> inverse = wide(norm.inverse_deviation[c]);
        const auto n = [&](Index i) { return (wide(x[i]) - wide(norm.mean[c])) * inverse; };
        const auto share = 1 / static_cast<Wide<Scalar>>(rows);
        const Wide<Scalar> scale = norm.gamma == nullptr ? 1 : wide(norm.gamma[c]);
        Wide<Scalar> of_gamma = 0, of_beta = 0;
        for (Index i = c; i < x.size(); i += columns) {
            of_gamma += wide(dy[i]) * n(i);
            of_beta += wide(dy[i]);
        }
        for (Index i = c; dx && i < x.size(); i += columns) {
            const Wide<Scalar> gradient =
                scale * inverse * (wide(dy[i]) - of_beta * share - n(i) * of_gamma * share);
            dx[i] = x_is_relu && !(x[i] > 0) ? Scalar(0) : static_cast<Scalar>(gradient);
        }
        norm.dgamma[c] = static_cast<Scalar>(of_gamma);
        norm.dbeta[c] = static_cast<Scalar>(of_beta);
    }
}

}  // namespace weft::kernels
