/// \file
/// The gradient of a batch norm, element by element.
#pragma once

#include "weft/kernels/normalizing.hpp"

namespace weft::kernels::cuda {

/// Of one channel, from the gradients of gamma and beta:
///   dx = a dy + b (x - mean) + d,   0 in front of a relu whose output x is not above 0.
template <class Scalar>
struct NormSlope {
    Scalar center, a, b, d;

    /// share = 1 / rows.
    __device__ NormSlope(const Normalizing<Scalar>& norm, Scalar share, int c) {
        const Scalar inverse = norm.inverse_deviation[c];
        center = norm.mean[c];
        a = (norm.gamma == nullptr ? Scalar(1) : norm.gamma[c]) * inverse;
        b = -a * share * norm.dgamma[c] * inverse;
        d = -a * share * norm.dbeta[c];
    }

    __device__ Scalar operator()(Scalar x, Scalar dy, bool x_is_relu) const {
        const Scalar gradient = a * dy + (b * (x - center) + d);
        return x_is_relu && !(x > 0) ? Scalar(0) : gradient;
    }
};

}  // namespace weft::kernels::cuda
