/// \file
/// The affine map of Dense by its formula, forward and backward.
#pragma once

#include "tests/support/reference/activation.hpp"
#include "tests/support/reference/reduction.hpp"

namespace weft::kernels {

/// y_ru = act(sum_f x_rf w_fu + b_u).
///
///   X (R, F)   W (F, units)   b (units), or an empty view for none   Y (R, units)
template <class Scalar>
void dense_forward(Reference& device, TensorView<const Scalar, Reference> x,
                   TensorView<const Scalar, Reference> w, TensorView<const Scalar, Reference> b,
                   Activation activation, TensorView<Scalar, Reference> y) {
    const Index features = w.shape()[0], units = w.shape()[1];
    for (Index i = 0; i < y.size(); ++i) {
        const Index r = i / units, u = i % units;
        Wide<Scalar> sum = b ? wide(b[u]) : 0;
        for (Index f = 0; f < features; ++f) {
            sum += wide(x.data()[r * features + f]) * wide(w.data()[f * units + u]);
        }
        y[i] = static_cast<Scalar>(sum);
    }
    activation_forward<Scalar>(device, activation, y, y);
}

/// dw_fu = sum_r x_rf dz_ru,   db_u = sum_r dz_ru,   dx_rf = sum_u dz_ru w_fu.
///
/// db and dx may be empty views: then they are not computed.
template <class Scalar>
void dense_backward(Reference& device, TensorView<const Scalar, Reference> x,
                    TensorView<const Scalar, Reference> w, TensorView<const Scalar, Reference> dz,
                    TensorView<Scalar, Reference> dw, TensorView<Scalar, Reference> db,
                    TensorView<Scalar, Reference> dx) {
    const Index features = w.shape()[0], units = w.shape()[1], rows = dz.size() / units;
    for (Index i = 0; i < dw.size(); ++i) {
        const Index f = i / units, u = i % units;
        Wide<Scalar> sum = 0;
        for (Index r = 0; r < rows; ++r) {
            sum += wide(x.data()[r * features + f]) * wide(dz.data()[r * units + u]);
        }
        dw.data()[i] = static_cast<Scalar>(sum);
    }
    for (Index i = 0; i < dx.size(); ++i) {
        const Index r = i / features, f = i % features;
        Wide<Scalar> sum = 0;
        for (Index u = 0; u < units; ++u) {
            sum += wide(dz.data()[r * units + u]) * wide(w.data()[f * units + u]);
        }
        dx.data()[i] = static_cast<Scalar>(sum);
    }
    if (db) column_sums<Scalar>(device, dz, db);
}

}  // namespace weft::kernels
