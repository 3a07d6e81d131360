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

/// y_r,(to + j) = x_r,(from + j) for j < columns.   x (R, C)   y (R, C')
template <class Scalar>
void copy_columns(Reference&, TensorView<const Scalar, Reference> x, Index from, Index columns,
                  TensorView<Scalar, Reference> y, Index to) {
    for (Index r = 0; r < x.shape()[0]; ++r) {
        for (Index j = 0; j < columns; ++j) y(r, to + j) = x(r, from + j);
    }
}

/// y_r,j = x_s,j with s = samples_(first + r), of matrices whose rows lie x_row and `columns` elements
/// apart.   X: Scalar, or std::uint8_t, whose numbers are converted
template <class Scalar, class X>
void gather_samples(Reference&, Index rows, Index columns, const X* x, Index x_row,
                    const std::int32_t* samples, const std::int32_t* first, Scalar* y) {
    for (Index r = 0; r < rows; ++r) {
        const Index s = samples[*first + r];
        for (Index j = 0; j < columns; ++j)
            y[r * columns + j] = static_cast<Scalar>(x[s * x_row + j]);
    }
}

/// row = row `taken` of rows, each of so many bytes;   ++taken.
inline void copy_next_row(Reference&, Index row_bytes, const std::byte* rows, std::int32_t* taken,
                          std::byte* row) {
    for (Index i = 0; i < row_bytes; ++i) row[i] = rows[*taken * row_bytes + i];
    ++*taken;
}

}  // namespace weft::kernels
