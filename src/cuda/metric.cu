/// \file
/// Kernels of kernels/cuda/metric.hpp. A warp looks at a row; the counts are whole numbers in double,
/// so exact.
#include "weft/kernels/cuda/metric.hpp"

#include "argmax.cuh"
#include "reduce.cuh"

namespace weft::kernels {
namespace cuda {
namespace {

/// sum (2) += for how many of the rows matches(row, warp) holds, and the rows.
template <class Matches>
void add_rows(Cuda& device, Index rows, TensorView<double, Cuda> sum, Matches matches) {
    const auto count = static_cast<double>(rows);
    // A thread for each lane of a warp: blocks start with whole warps, which stay in step.
    reduce(
        device, rows * 32,
        [=] __device__(int thread) {
            const RowTeam<32> warp{thread % 32};
            return matches(thread / 32, warp) && warp.rank == 0 ? 1.0 : 0.0;
        },
        [=, sum = sum.data()] __device__(double total) {
            sum[0] += total;
            sum[1] += count;
        });
}

}  // namespace
}  // namespace cuda

template <class Scalar>
void add_sparse_matches(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                        TensorView<const Scalar, Cuda> labels, TensorView<double, Cuda> sum) {
    const int columns = cuda::narrow(predictions.shape().last());
    cuda::narrow(predictions.size());
    cuda::add_rows(device, labels.size(), sum,
                   [=, predictions = predictions.data(), labels = labels.data()] __device__(
                       int r, const cuda::RowTeam<32>& warp) {
                       const int best = cuda::argmax(warp, columns, predictions + r * columns);
                       return static_cast<Scalar>(best) == labels[r];
                   });
}

template <class Scalar>
void add_categorical_matches(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                             TensorView<const Scalar, Cuda> targets, TensorView<double, Cuda> sum) {
    const int columns = cuda::narrow(predictions.shape().last());
    cuda::narrow(predictions.size());
    cuda::add_rows(device, predictions.size() / columns, sum,
                   [=, predictions = predictions.data(), targets = targets.data()] __device__(
                       int r, const cuda::RowTeam<32>& warp) {
                       return cuda::argmax(warp, columns, predictions + r * columns) ==
                              cuda::argmax(warp, columns, targets + r * columns);
                   });
}

template <class Scalar>
void add_binary_matches(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                        TensorView<const Scalar, Cuda> targets, Scalar threshold,
                        TensorView<double, Cuda> sum) {
    const auto count = static_cast<double>(targets.size());
    cuda::reduce(
        device, predictions.size(),
        [=, predictions = predictions.data(), targets = targets.data()] __device__(int i) {
            return targets[i] == (predictions[i] > threshold ? Scalar(1) : Scalar(0)) ? 1.0 : 0.0;
        },
        [=, sum = sum.data()] __device__(double total) {
            sum[0] += total;
            sum[1] += count;
        });
}

template <class Scalar>
void add_top_k_matches(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                       TensorView<const Scalar, Cuda> targets, bool one_hot, Index k,
                       TensorView<double, Cuda> sum) {
    const int columns = cuda::narrow(predictions.shape().last());
    cuda::narrow(predictions.size());
    cuda::add_rows(device, predictions.size() / columns, sum,
                   [=, predictions = predictions.data(), targets = targets.data()] __device__(
                       int r, const cuda::RowTeam<32>& warp) {
                       const Scalar* const row = predictions + r * columns;
                       int label = 0;
                       if (one_hot) {
                           label = cuda::argmax(warp, columns, targets + r * columns);
                       } else {
                           const Scalar index = targets[r];
                           if (!(index >= 0 && index < static_cast<Scalar>(columns))) return false;
                           label = static_cast<int>(index);
                       }
                       const Scalar at_label = row[label];
                       int above = 0;
                       warp.each(columns, [&](int c) { above += row[c] > at_label ? 1 : 0; });
                       return warp.sum(above) < k && at_label == at_label;
                   });
}

template decltype(add_sparse_matches<float>) add_sparse_matches<float>;
template decltype(add_sparse_matches<double>) add_sparse_matches<double>;
template decltype(add_categorical_matches<float>) add_categorical_matches<float>;
template decltype(add_categorical_matches<double>) add_categorical_matches<double>;
template decltype(add_binary_matches<float>) add_binary_matches<float>;
template decltype(add_binary_matches<double>) add_binary_matches<double>;
template decltype(add_top_k_matches<float>) add_top_k_matches<float>;
template decltype(add_top_k_matches<double>) add_top_k_matches<double>;

}  // namespace weft::kernels
