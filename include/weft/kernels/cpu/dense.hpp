/// \file
/// The affine map of Dense on the CPU, forward and backward.
#pragma once

#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/cpu/matmul.hpp"
#include "weft/kernels/cpu/reduction.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

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
    const bool fuse_relu = activation.kind == Activation::Kind::relu;
    matmul<Scalar>(cpu, rows, units, features, row_major(x.data(), features),
                   row_major(w.data(), units), y.data(), units,
                   {.bias = b ? b.data() : nullptr, .relu = fuse_relu});
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
    if (db) column_sums<Scalar>(cpu, dz, db);
    matmul(cpu, features, units, rows, row_major(x.data(), features).transposed(), g, dw.data(),
           units);
    if (dx) {
        matmul(cpu, rows, features, units, g, row_major(w.data(), units).transposed(), dx.data(),
               features);
    }
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
