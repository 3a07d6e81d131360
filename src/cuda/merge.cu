/// \file
/// Kernels of kernels/cuda/merge.hpp.
#include "weft/kernels/cuda/merge.hpp"

#include "launch.cuh"

#include <cassert>

namespace weft::kernels {

template <class Scalar>
void add_elements(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> z,
                  TensorView<Scalar, Cuda> y) {
    cuda::for_each(device, y.size(), [x = x.data(), z = z.data(), y = y.data()] __device__(int i) {
        y[i] = x[i] + z[i];
    });
}

template <class Scalar>
void multiply_elements(Cuda& device, TensorView<const Scalar, Cuda> x,
                       TensorView<const Scalar, Cuda> z, TensorView<Scalar, Cuda> y) {
    cuda::for_each(device, y.size(), [x = x.data(), z = z.data(), y = y.data()] __device__(int i) {
        y[i] = x[i] * z[i];
    });
}

template <class Scalar>
void copy_columns(Cuda& device, TensorView<const Scalar, Cuda> x, Index from, Index columns,
                  TensorView<Scalar, Cuda> y, Index to) {
    const Index rows = x.shape()[0], x_row = x.shape()[1], y_row = y.shape()[1];
    assert(y.shape()[0] == rows && from + columns <= x_row && to + columns <= y_row);
    const int width = cuda::narrow(columns);
    cuda::for_each(device, rows * columns,
                   [=, x = x.data() + from, y = y.data() + to] __device__(int i) {
                       const int r = i / width, j = i % width;
                       y[r * y_row + j] = x[r * x_row + j];
                   });
}

template <class Scalar, class X>
void gather_samples(Cuda& device, Index rows, Index columns, const X* x, Index x_row,
                    const std::int32_t* samples, const std::int32_t* first, Scalar* y) {
    const int width = cuda::narrow(columns);
    cuda::for_each(device, rows * columns, [=] __device__(int i) {
        y[i] = static_cast<Scalar>(x[samples[*first + i / width] * x_row + i % width]);
    });
}

namespace {

/// One block, so that all of it has read `taken` before that changes.
__global__ void next_row(int row_bytes, const std::byte* rows, std::int32_t* taken,
                         std::byte* row) {
    const Index begin = static_cast<Index>(*taken) * row_bytes;
    for (int i = static_cast<int>(threadIdx.x); i < row_bytes; i += static_cast<int>(blockDim.x)) {
        row[i] = rows[begin + i];
    }
    __syncthreads();
    if (threadIdx.x == 0) ++*taken;
}

}  // namespace

void copy_next_row(Cuda& device, Index row_bytes, const std::byte* rows, std::int32_t* taken,
                   std::byte* row) {
    cuda::launch(device, next_row, {dim3(1), dim3(64)}, cuda::narrow(row_bytes), rows, taken, row);
}

template decltype(add_elements<float>) add_elements<float>;
template decltype(add_elements<double>) add_elements<double>;
template decltype(multiply_elements<float>) multiply_elements<float>;
template decltype(multiply_elements<double>) multiply_elements<double>;
template decltype(copy_columns<float>) copy_columns<float>;
template decltype(copy_columns<double>) copy_columns<double>;
template decltype(gather_samples<float, float>) gather_samples<float, float>;
template decltype(gather_samples<double, double>) gather_samples<double, double>;
template decltype(gather_samples<float, std::uint8_t>) gather_samples<float, std::uint8_t>;
template decltype(gather_samples<double, std::uint8_t>) gather_samples<double, std::uint8_t>;

}  // namespace weft::kernels
