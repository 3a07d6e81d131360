/// \file
/// The affine map of Dense on the CPU, forward and backward.
#pragma once

#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/cpu/matmul.hpp"
#include "weft/kernels/cpu/reduction.hpp"

namespace weft::kernels {

/// Y = act(X W + b), with R = the product of all axes of X but the last.
///
///   X (R, F)   W (F, units)   b (units), or an empty view for none   Y (R, units)
template <class Scalar>
void dense_forward(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> w,
                   TensorView<const Scalar> b, Activation activation, TensorView<Scalar> y) {
    const Index features = w.shape()[0];
    const Index units = w.shape()[1];
    const Index rows = y.size() / units;
    // In the product's epilogue the tile is still in cache; softmax needs whole rows.
    const bool fuse_relu = activation == Activation::relu;
    matmul(cpu, rows, units, features, row_major(x.data(), features), row_major(w.data(), units),
           y.data(), units, false,
           [&](Scalar* tile, Index tile_rows, Index tile_columns, Index first_column) {
               for (Index i = 0; i < tile_rows && (b || fuse_relu); ++i, tile += units) {
                   if (b) {
                       detail::transform(
                           tile_columns, tile,
                           [](const auto& out, const auto& bias) {
                               return Eigen::internal::padd(out, bias);
                           },
                           tile, b.data() + first_column);
                   }
                   if (fuse_relu) {
                       detail::transform(
                           tile_columns, tile,
                           [](const auto& out) { return detail::relu<Scalar>(out); }, tile);
                   }
               }
           });
    if (!fuse_relu) activation_forward<Scalar>(cpu, activation, y, y);
}

/// With G = dY * act'(X W + b):
///   dW = X^T G,   db = column sums of G,   dX = G W^T.
///
/// dy holds G afterwards. db and dx may be empty views: then they are not computed.
template <class Scalar>
void dense_backward(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> w,
                    TensorView<const Scalar> y, Activation activation, TensorView<Scalar> dy,
                    TensorView<Scalar> dw, TensorView<Scalar> db, TensorView<Scalar> dx) {
    const Index features = w.shape()[0];
    const Index units = w.shape()[1];
    const Index rows = y.size() / units;
    activation_backward<Scalar>(cpu, activation, y, dy, dy);
    const auto g = row_major<Scalar>(dy.data(), units);
    if (db) column_sums<Scalar>(cpu, rows, units, dy.data(), db.data());
    matmul(cpu, features, units, rows, row_major(x.data(), features).transposed(), g, dw.data(),
           units);
    if (dx) {
        matmul(cpu, rows, features, units, g, row_major(w.data(), units).transposed(), dx.data(),
               features);
    }
}

}  // namespace weft::kernels
