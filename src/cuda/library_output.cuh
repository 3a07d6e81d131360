/// \file
/// What weft does itself to the result of a library.
#pragma once

#include "product_output.cuh"

namespace weft::kernels::cuda {

/// Finishes the sums that lie in C (rows, columns) already.
inline void finish_sums(const Cuda& device, int rows, int columns, const Output<float>& out) {
    for_each(device, Index{rows} * columns, [out, columns] __device__(int i) {
        const int column = i % columns, place = i / columns * out.stride + column;
        out.data[place] = out.finish(place, column, out.data[place]);
    });
}

}  // namespace weft::kernels::cuda
