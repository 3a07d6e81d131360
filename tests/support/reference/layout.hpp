/// \file
/// Changes of memory layout, element by element.
#pragma once

#include "tests/support/reference/device.hpp"

namespace weft::kernels {

/// y = x, elements in memory order.
template <class Scalar>
void copy_elements(Reference&, TensorView<const Scalar, Reference> x,
                   TensorView<Scalar, Reference> y) {
    for (Index i = 0; i < x.size(); ++i) y[i] = x[i];
}

/// y = x, from memory of the host's to the device's, and back.
template <class Scalar>
void copy_to_device(const Reference&, TensorView<const Scalar> x, TensorView<Scalar, Reference> y) {
    for (Index i = 0; i < x.size(); ++i) y.data()[i] = x.data()[i];
}
template <class Scalar>
void copy_to_host(const Reference&, TensorView<const Scalar, Reference> x, TensorView<Scalar> y) {
    for (Index i = 0; i < x.size(); ++i) y.data()[i] = x.data()[i];
}

/// y_nji = x_nij.   x (N, rows, columns)   y (N, columns, rows)
template <class Scalar>
void transpose_samples(Reference&, TensorView<const Scalar, Reference> x,
                       TensorView<Scalar, Reference> y) {
    const Shape& shape = x.shape();
    for (Index n = 0; n < shape[0]; ++n) {
        for (Index i = 0; i < shape[1]; ++i) {
            for (Index j = 0; j < shape[2]; ++j) y(n, j, i) = x(n, i, j);
        }
    }
}

/// y_n,i,j,c = x_n,(i - top),(j - left),c inside the image, else 0.
///
///   x (N, H, W, C)   y (N, H', W', C)
template <class Scalar>
void pad_images(Reference&, TensorView<const Scalar, Reference> x, Index top, Index left,
                TensorView<Scalar, Reference> y) {
    const Shape &from = x.shape(), &to = y.shape();
    for (Index n = 0; n < to[0]; ++n) {
        for (Index i = 0; i < to[1]; ++i) {
            for (Index j = 0; j < to[2]; ++j) {
                const bool inside =
                    i >= top && i < top + from[1] && j >= left && j < left + from[2];
                for (Index c = 0; c < to[3]; ++c) {
                    y(n, i, j, c) = inside ? x(n, i - top, j - left, c) : Scalar(0);
                }
            }
        }
    }
}

/// y_nijc = x_n,(top + i),(left + j),c.   x (N, H', W', C)   y (N, H, W, C)
template <class Scalar>
void crop_images(Reference&, TensorView<const Scalar, Reference> x, Index top, Index left,
                 TensorView<Scalar, Reference> y) {
    const Shape& to = y.shape();
    for (Index n = 0; n < to[0]; ++n) {
        for (Index i = 0; i < to[1]; ++i) {
            for (Index j = 0; j < to[2]; ++j) {
                for (Index c = 0; c < to[3]; ++c) y(n, i, j, c) = x(n, top + i, left + j, c);
            }
        }
    }
}

}  // namespace weft::kernels
