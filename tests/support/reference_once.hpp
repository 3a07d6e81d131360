/// \file
/// The definitions that take tests the longest, compiled once for all of them (once/reference.cpp).
#pragma once

#include "tests/support/reference/convolution.hpp"
#include "tests/support/reference/dense.hpp"
#include "tests/support/reference/layout.hpp"

#define WEFT_REFERENCE_ONCE(what, Scalar)                                                     \
    what template void dense_forward(                                                         \
        Reference&, TensorView<const Scalar, Reference>, TensorView<const Scalar, Reference>, \
        TensorView<const Scalar, Reference>, Activation, TensorView<Scalar, Reference>);      \
    what template void transpose_samples(Reference&, TensorView<const Scalar, Reference>,     \
                                         TensorView<Scalar, Reference>);                      \
    what template void convolution_forward(                                                   \
        Reference&, const Convolution&, TensorView<const Scalar, Reference>,                  \
        TensorView<const Scalar, Reference>, TensorView<const Scalar, Reference>, Activation, \
        TensorView<Scalar, Reference>);                                                       \
    what template void convolution_input_gradient(                                            \
        Reference&, const Convolution&, TensorView<const Scalar, Reference>,                  \
        TensorView<const Scalar, Reference>, TensorView<Scalar, Reference>);                  \
    what template void convolution_filter_gradient(                                           \
        Reference&, const Convolution&, TensorView<const Scalar, Reference>,                  \
        TensorView<const Scalar, Reference>, TensorView<Scalar, Reference>,                   \
        TensorView<Scalar, Reference>);

namespace weft::kernels {
WEFT_REFERENCE_ONCE(extern, float)
WEFT_REFERENCE_ONCE(extern, double)
}  // namespace weft::kernels
