/// \file
/// Changes of memory layout on the CPU.
#pragma once

#include "weft/kernels/cpu/elementwise.hpp"

#include <cassert>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// y = x, elements in memory order.
template <class Scalar>
void copy_elements(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> y) {
    parallel_ranges(cpu, x.size(), detail::elementwise_grain, [&](Index begin, Index end) {
        std::copy(x.begin() + begin, x.begin() + end, y.begin() + begin);
    });
}

/// Elements from memory of the host's to the device's, and back: here both are the same.
template <class Scalar>
void copy_to_device(const Cpu&, TensorView<const Scalar> from, TensorView<Scalar> to) {
    std::copy(from.begin(), from.end(), to.begin());
}
template <class Scalar>
void copy_to_host(const Cpu&, TensorView<const Scalar> from, TensorView<Scalar> to) {
    std::copy(from.begin(), from.end(), to.begin());
}

/// y_nji = x_nij: each sample's matrix transposed.   x (N, rows, columns)   y (N, columns, rows)
template <class Scalar>
void transpose_samples(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> y) {
    const Index samples = x.shape()[0], rows = x.shape()[1], columns = x.shape()[2];
    assert(y.size() == x.size() && y.shape()[1] == columns && y.shape()[2] == rows);
    const Index size = rows * columns;
    const Index grain =
        (std::max<Index>)(1, detail::elementwise_grain / (std::max<Index>)(1, size));
    parallel_ranges(cpu, samples, grain, [&](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            for (Index i = 0; i < rows; ++i) {
                for (Index j = 0; j < columns; ++j) {
                    y.data()[n * size + j * rows + i] = x.data()[n * size + i * columns + j];
                }
            }
        }
    });
}

/// y = x with zeros around each image, `top` rows above and `left` columns before it.
///
///   x (N, H, W, C)   y (N, H', W', C), H' >= top + H, W' >= left + W
template <class Scalar>
void pad_images(Cpu& cpu, TensorView<const Scalar> x, Index top, Index left, TensorView<Scalar> y) {
    const Shape &from = x.shape(), &to = y.shape();
    const Index row = from[2] * from[3], padded_row = to[2] * to[3];
    parallel_for(cpu, to[0], [&](Index n, int) {
        Scalar* const image = y.data() + n * to[1] * padded_row;
        std::fill_n(image, to[1] * padded_row, Scalar(0));
        for (Index i = 0; i < from[1]; ++i) {
            std::copy_n(x.data() + (n * from[1] + i) * row, row,
                        image + (top + i) * padded_row + left * to[3]);
        }
    });
}

/// y = the part of each image of x that starts `top` rows and `left` columns in.
///
///   x (N, H', W', C)   y (N, H, W, C)
template <class Scalar>
void crop_images(Cpu& cpu, TensorView<const Scalar> x, Index top, Index left,
                 TensorView<Scalar> y) {
    const Shape &from = x.shape(), &to = y.shape();
    const Index row = to[2] * to[3], whole_row = from[2] * from[3];
    parallel_for(cpu, to[0], [&](Index n, int) {
        for (Index i = 0; i < to[1]; ++i) {
            std::copy_n(x.data() + (n * from[1] + top + i) * whole_row + left * from[3], row,
                        y.data() + (n * to[1] + i) * row);
        }
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
