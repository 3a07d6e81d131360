/// \file
/// Sums, products and concatenations of tensors, element by element.
#pragma once

#include "tests/support/reference/device.hpp"

namespace weft::kernels {

/// y = x + z.
template <class Scalar>
void add_elements(Reference&, TensorView<const Scalar, Reference> x,
                  TensorView<const Scalar, Reference> z, TensorView<Scalar, Reference> y) {
    for (Index i = 0; i < y.size(); ++i) y[i] = x[i] + z[i];
}

/// y = x z.
template <class Scalar>
void multiply_elements(Reference&, TensorView<const Scalar, Reference> x,
                       TensorView<const Scalar, Reference> z, TensorView<Scalar, Reference> y) {
    for (Index i = 0; i < y.size(); ++i) y[i] = x[i] * z[i];
}

/// y_r,j = x_r,j of matrices of so many rows, whose rows lie x_row and y_row elements apart.
template <class Scalar>
void copy_columns(Reference&, Index rows, Index columns, const Scalar* x, Index x_row, Scalar* y,
                  Index y_row) {
    for (Index r = 0; r < rows; ++r) {
        for (Index j = 0; j < columns; ++j) y[r * y_row + j] = x[r * x_row + j];
    }
}

}  // namespace weft::kernels
