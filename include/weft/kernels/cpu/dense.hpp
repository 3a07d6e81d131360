/// \file
/// The affine map of Dense on the CPU, forward and backward.
#pragma once

#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/cpu/matmul.hpp"
#include "weft/kernels/cpu/reduction.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// tile += bias, then relu, if asked for; on a tile of some rows, row_stride apart, that is in
/// cache.
template <class Scalar>
WEFT_NOINLINE void add_bias_and_relu(Scalar* tile, Index rows, Index columns, Index row_stride,
                                     const Scalar* bias, bool with_relu) {
    using Eigen::internal::padd;
    for (Index i = 0; i < rows; ++i, tile += row_stride) {
        if (bias != nullptr && with_relu) {
            transform(
                columns, tile,
                [](const auto& y, const auto& b) { return relu<Scalar>(padd(y, b)); }, tile, bias);
        } else if (bias != nullptr) {
            transform(
                columns, tile, [](const auto& y, const auto& b) { return padd(y, b); }, tile, bias);
        } else if (with_relu) {
            transform(
                columns, tile, [](const auto& y) { return relu<Scalar>(y); }, tile);
        }
    }
}

}  // namespace detail

/// Y = act(X W + b), with R = the product of all axes of X but the last.
///
///   X (R, F)   W (F, units)   b (units), or an empty view for none   Y (R, units)
template <class Scalar>
WEFT_NOINLINE void dense_forward(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> w,
                                 TensorView<const Scalar> b, Activation activation,
                                 TensorView<Scalar> y) {
    const Index features = w.shape()[0];
    const Index units = w.shape()[1];
    const Index rows = y.size() / units;
    // In the product's epilogue the tile is still in cache; softmax needs whole rows.
    const bool fuse_relu = activation == Activation::relu;
    matmul(cpu, rows, units, features, row_major(x.data(), features), row_major(w.data(), units),
           y.data(), units, false,
           [&](Scalar* tile, Index tile_rows, Index tile_columns, Index first_column) {
               detail::add_bias_and_relu(tile, tile_rows, tile_columns, units,
                                         b ? b.data() + first_column : nullptr, fuse_relu);
           });
    if (!fuse_relu) activation_forward<Scalar>(cpu, activation, y, y);
}

/// Of Z = X W + b, from dZ:
///   dW = X^T dZ,   db = column sums of dZ,   dX = dZ W^T.
///
/// db and dx may be empty views: then they are not computed.
template <class Scalar>
WEFT_NOINLINE void dense_backward(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> w,
                                  TensorView<const Scalar> dz, TensorView<Scalar> dw,
                                  TensorView<Scalar> db, TensorView<Scalar> dx) {
    const Index features = w.shape()[0];
    const Index units = w.shape()[1];
    const Index rows = dz.size() / units;
    const auto g = row_major<Scalar>(dz.data(), units);
    if (db) column_sums<Scalar>(cpu, rows, units, dz.data(), db.data());
    matmul(cpu, features, units, rows, row_major(x.data(), features).transposed(), g, dw.data(),
           units);
    if (dx) {
        matmul(cpu, rows, features, units, g, row_major(w.data(), units).transposed(), dx.data(),
               features);
    }
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
