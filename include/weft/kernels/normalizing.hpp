/// \file
/// Kernels of layers that also compute a neighbouring batch norm.
#pragma once

#include "weft/core/tensor.hpp"
#include "weft/kernels/dropping.hpp"

namespace weft::kernels {

/// A batch norm of a batch x (..., C): its parameters, the results of its forward, and the memory of
/// its gradients, each (C). See batch_norm_forward, batch_norm_inference and batch_norm_backward.
/// Pointers, not views: kernels of a GPU take it as it is.
template <class Scalar>
struct Normalizing {
    Scalar momentum = 0, epsilon = 0;
    const Scalar *gamma = nullptr, *beta = nullptr;  ///< null for 1 and 0
    Scalar *moving_mean = nullptr, *moving_variance = nullptr;
    const Scalar* given_mean = nullptr;  ///< in inference, like the variance; else null
    const Scalar* given_variance = nullptr;
    Scalar *mean = nullptr, *inverse_deviation = nullptr;  ///< of the batch
    Scalar *dgamma = nullptr, *dbeta = nullptr;
    bool has_moments = false;  ///< whether mean and inverse_deviation are already computed

    explicit operator bool() const { return inverse_deviation != nullptr; }
};

/// mean, inverse_deviation and the moving ones from x (..., C); and y, if it is not empty.
template <class Scalar, class Device>
void normalize(Device& device, const Normalizing<Scalar>& norm, detail::In<Scalar, Device> x,
               detail::Out<Scalar, Device> y) {
    if (norm.given_mean != nullptr) {
        batch_norm_inference<Scalar>(device, norm, x, y);
    } else if (norm.has_moments) {
        batch_norm_apply<Scalar>(device, norm, x, y);
    } else {
        batch_norm_forward<Scalar>(device, norm, x, y);
    }
}

/// convolution_forward, and the moments of y.
template <class Scalar, class Device>
requires(!fuses_products<Device>())
void convolution_forward_moments(Device& device, const Convolution& c, detail::In<Scalar, Device> x,
                                 detail::In<Scalar, Device> w, detail::In<Scalar, Device> b,
                                 Activation activation, const Normalizing<Scalar>& norm,
                                 detail::Out<Scalar, Device> y) {
    convolution_forward<Scalar>(device, c, x, w, b, activation, y);
    normalize<Scalar>(device, norm, y, {});
}

}  // namespace weft::kernels
