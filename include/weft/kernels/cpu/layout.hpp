/// \file
/// Changes of memory layout on the CPU.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/tensor_view.hpp"

namespace weft::kernels {

/// y = x, elements in memory order.
template <class Scalar>
void copy_elements(Cpu&, TensorView<const Scalar> x, TensorView<Scalar> y) {
    std::copy(x.begin(), x.end(), y.begin());
}

/// y_nji = x_nij: each sample's matrix transposed.   x (N, rows, columns)   y (N, columns, rows)
template <class Scalar>
void transpose_samples(Cpu& cpu, Index samples, Index rows, Index columns, const Scalar* x,
                       Scalar* y) {
    const Index size = rows * columns;
    const Index grain = std::max<Index>(1, 16384 / std::max<Index>(1, size));
    parallel_ranges(cpu, samples, grain, [&](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            for (Index i = 0; i < rows; ++i) {
                for (Index j = 0; j < columns; ++j) {
                    y[n * size + j * rows + i] = x[n * size + i * columns + j];
                }
            }
        }
    });
}

}  // namespace weft::kernels
