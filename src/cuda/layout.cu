/// \file
/// Kernels of kernels/cuda/layout.hpp.
#include "weft/kernels/cuda/layout.hpp"

#include "launch.cuh"

#include <cassert>

#include <gpu/shared.cuh>

namespace weft::kernels {
namespace {

/// The tile of a transposition, and the rows of threads that pass over it.
constexpr int tile = 32, tile_threads = 8;

/// y_nji = x_nij, through a tile in shared memory: both are read and written along their rows. The
/// tile's rows are one longer, so that its columns lie in different banks.
template <class Scalar>
__global__ void transpose(int tiles_down, int tiles_across, int rows, int columns, const Scalar* x,
                          Scalar* y) {
    auto& part = cuda::shared<Scalar[tile][tile + 1], 0>();
    const int block = static_cast<int>(blockIdx.x), row_of_tiles = block / tiles_across;
    const int n = row_of_tiles / tiles_down;
    const int row = row_of_tiles % tiles_down * tile, column = block % tiles_across * tile;
    const int across = static_cast<int>(threadIdx.x), down = static_cast<int>(threadIdx.y);
    const Index sample = static_cast<Index>(n) * rows * columns;
    for (int i = down; i < tile; i += tile_threads) {
        if (row + i < rows && column + across < columns) {
            part[i][across] = x[sample + static_cast<Index>(row + i) * columns + column + across];
        }
    }
    __syncthreads();
    for (int j = down; j < tile; j += tile_threads) {
        if (column + j < columns && row + across < rows) {
            y[sample + static_cast<Index>(column + j) * rows + row + across] = part[across][j];
        }
    }
}

/// An image that is walked, and another one of which it is a part, or which is a part of it.
struct Frame {
    int rows, columns, channels;  ///< of the one that is walked
    int other_rows, other_columns;

    Frame(const Shape& walked, const Shape& other)
        : rows(cuda::narrow(walked[1])),
          columns(cuda::narrow(walked[2])),
          channels(cuda::narrow(walked[3])),
          other_rows(cuda::narrow(other[1])),
          other_columns(cuda::narrow(other[2])) {}

    /// The element of the other image that lies (down, right) of element i of this one, or -1.
    __device__ Index at(int i, int down, int right) const {
        const int c = i % channels, pixel = i / channels;
        const int column = pixel % columns + right, row = pixel / columns % rows + down;
        const int n = pixel / columns / rows;
        if (row < 0 || row >= other_rows || column < 0 || column >= other_columns) return -1;
        return ((static_cast<Index>(n) * other_rows + row) * other_columns + column) * channels + c;
    }
};

}  // namespace

template <class Scalar>
void copy_elements(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y) {
    if (x.data() == y.data()) return;
    device.copy_on_device(x.data(), y.data(), static_cast<std::size_t>(x.size()) * sizeof(Scalar));
}

template <class Scalar>
void transpose_samples(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y) {
    const Index samples = x.shape()[0], rows = x.shape()[1], columns = x.shape()[2];
    assert(y.shape() == Shape({samples, columns, rows}));
    const int down = cuda::ceil_div(cuda::narrow(rows), tile);
    const int across = cuda::ceil_div(cuda::narrow(columns), tile);
    // All in x: a grid has at most 65535 blocks in y.
    const int blocks = cuda::narrow(samples * down * across);
    cuda::launch(device, transpose<Scalar>,
                 {dim3(static_cast<unsigned>(blocks)), dim3(tile, tile_threads)}, down, across,
                 cuda::narrow(rows), cuda::narrow(columns), x.data(), y.data());
}

template <class Scalar>
void pad_images(Cuda& device, TensorView<const Scalar, Cuda> x, Index top, Index left,
                TensorView<Scalar, Cuda> y) {
    const Frame frame(y.shape(), x.shape());
    const int down = -cuda::narrow(top), right = -cuda::narrow(left);
    cuda::for_each(device, y.size(), [=, x = x.data(), y = y.data()] __device__(int i) {
        const Index from = frame.at(i, down, right);
        y[i] = from < 0 ? Scalar(0) : x[from];
    });
}

template <class Scalar>
void crop_images(Cuda& device, TensorView<const Scalar, Cuda> x, Index top, Index left,
                 TensorView<Scalar, Cuda> y) {
    const Frame frame(y.shape(), x.shape());
    const int down = cuda::narrow(top), right = cuda::narrow(left);
    cuda::for_each(device, y.size(), [=, x = x.data(), y = y.data()] __device__(int i) {
        y[i] = x[frame.at(i, down, right)];
    });
}

template decltype(copy_elements<float>) copy_elements<float>;
template decltype(copy_elements<double>) copy_elements<double>;
template decltype(transpose_samples<float>) transpose_samples<float>;
template decltype(transpose_samples<double>) transpose_samples<double>;
template decltype(pad_images<float>) pad_images<float>;
template decltype(pad_images<double>) pad_images<double>;
template decltype(crop_images<float>) crop_images<float>;
template decltype(crop_images<double>) crop_images<double>;

}  // namespace weft::kernels
