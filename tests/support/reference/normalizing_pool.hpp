/// \file
/// Max pooling of a batch norm, with dropout, as one after the other.
#pragma once

#include "tests/support/reference/batch_norm.hpp"
#include "tests/support/reference/dropout.hpp"
#include "tests/support/reference/pooling.hpp"
#include "weft/kernels/normalizing.hpp"

namespace weft::kernels {

template <class Scalar>
void max_pool_forward_normalizing(Reference& device, const Window2D& window,
                                  const Normalizing<Scalar>& norm, const Dropping& dropping,
                                  TensorView<const Scalar, Reference> x,
                                  TensorView<Scalar, Reference> y, std::uint8_t* taps,
                                  Scalar* /*chosen*/) {
    const auto normalized = device.scratch<Scalar>(x.size());
    const TensorView<Scalar, Reference> all(normalized.data(), x.shape());
    normalize<Scalar>(device, norm, x, all);
    max_pool_forward<Scalar>(device, window, all, y, taps);
    if (dropping) drop<Scalar>(device, dropping, y);
}

template <class Scalar>
void max_pool_backward_normalizing(Reference& device, const Window2D& window,
                                   const Normalizing<Scalar>& norm, const Dropping& dropping,
                                   bool x_is_relu, TensorView<const Scalar, Reference> x,
                                   TensorView<Scalar, Reference> dy, const std::uint8_t* taps,
                                   const Scalar* /*chosen*/, TensorView<Scalar, Reference> dx) {
    if (dropping) {
        max_pool_backward_dropping<Scalar>(device, window, dropping, {}, dy, taps, dx);
    } else {
        max_pool_backward<Scalar>(device, window, {}, dy, taps, dx);
    }
    batch_norm_backward<Scalar>(device, norm, x, dx, x_is_relu, dx);
}

}  // namespace weft::kernels
