/// \file
/// Convolution as the sum of its products, forward and backward.
#pragma once

#include "tests/support/reference/activation.hpp"
#include "tests/support/reference/reduction.hpp"
#include "weft/kernels/convolution.hpp"

namespace weft::kernels {

/// Calls visit(y, x, w) with the places in memory of each product of a convolution:
///   y_nopf += x_n,(o s + i d - before),(p s + j d - before),k w_ijkf, zero outside of the image.
///
///   Y (N, OH, OW, F)   X (N, H, W, C)   W (kh, kw, C / groups, F)
template <class Visit>
void for_each_product(const Convolution& c, Index images, const Visit& visit) {
    const WindowAxis &rows = c.window.rows, &columns = c.window.columns;
    const Index channels = c.group_channels();
    Index y = 0;
    for (Index n = 0; n < images; ++n) {
        for (Index o = 0; o < rows.output; ++o) {
            for (Index p = 0; p < columns.output; ++p) {
                for (Index f = 0; f < c.filters; ++f, ++y) {
                    Index w = f;
                    for (Index i = 0; i < rows.window; ++i) {
                        for (Index j = 0; j < columns.window; ++j) {
                            const Index row = o * rows.stride + i * rows.dilation - rows.before;
                            const Index column =
                                p * columns.stride + j * columns.dilation - columns.before;
                            const bool inside = row >= 0 && row < rows.input && column >= 0 &&
                                                column < columns.input;
                            const Index pixel = (n * rows.input + row) * columns.input + column;
                            const Index x =
                                pixel * c.window.channels + f / c.group_filters() * channels;
                            for (Index k = 0; k < channels; ++k, w += c.filters) {
                                if (inside) visit(y, x + k, w);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Y = act(b + the sum of all products). b may be an empty view.
template <class Scalar>
void convolution_forward(Reference& device, const Convolution& c,
                         TensorView<const Scalar, Reference> x,
                         TensorView<const Scalar, Reference> w,
                         TensorView<const Scalar, Reference> b, Activation activation,
                         TensorView<Scalar, Reference> y) {
    Sums<Scalar> sums(device, y.size());
    for (Index i = 0; b && i < y.size(); ++i) sums[i] = wide(b[i % c.filters]);
    for_each_product(c, x.shape()[0], [&](Index i, Index j, Index k) {
        sums[i] += wide(x.data()[j]) * wide(w.data()[k]);
    });
    sums.round_to(y.data());
    activation_forward<Scalar>(device, activation, y, y);
}

/// dX: each product y += x w adds g w to the gradient of its x.
template <class Scalar>
void convolution_input_gradient(Reference& device, const Convolution& c,
                                TensorView<const Scalar, Reference> g,
                                TensorView<const Scalar, Reference> w,
                                TensorView<Scalar, Reference> dx) {
    Sums<Scalar> sums(device, dx.size());
    for_each_product(c, g.shape()[0], [&](Index i, Index j, Index k) {
        sums[j] += wide(g.data()[i]) * wide(w.data()[k]);
    });
    sums.round_to(dx.data());
}

/// dW: each product y += x w adds g x to the gradient of its w. db: the sums of g, unless it is an empty
/// view.
template <class Scalar>
void convolution_filter_gradient(Reference& device, const Convolution& c,
                                 TensorView<const Scalar, Reference> x,
                                 TensorView<const Scalar, Reference> g,
                                 TensorView<Scalar, Reference> dw,
                                 TensorView<Scalar, Reference> db) {
    if (db) column_sums<Scalar>(device, g, db);
    Sums<Scalar> sums(device, dw.size());
    for_each_product(c, x.shape()[0], [&](Index i, Index j, Index k) {
        sums[k] += wide(g.data()[i]) * wide(x.data()[j]);
    });
    sums.round_to(dw.data());
}

}  // namespace weft::kernels
