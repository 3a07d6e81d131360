/// \file
/// Sums and scans over tensors, one number after another.
#pragma once

#include "tests/support/reference/device.hpp"

#include <cmath>

namespace weft::kernels {

/// sums_c = sum_r x_rc.   x (..., C)   sums (C)
template <class Scalar>
void column_sums(Reference&, TensorView<const Scalar, Reference> x,
                 TensorView<Scalar, Reference> sums) {
    for (Index c = 0; c < sums.size(); ++c) {
        Wide<Scalar> sum = 0;
        for (Index i = c; i < x.size(); i += sums.size()) sum += wide(x[i]);
        sums[c] = static_cast<Scalar>(sum);
    }
}

/// The sum of all elements.
template <class Scalar>
double total(Reference&, TensorView<const Scalar, Reference> x) {
    Wide<Scalar> sum = 0;
    for (const Scalar value : x) sum += wide(value);
    return static_cast<double>(sum);
}

/// Whether no element is NaN or infinite.
template <class Scalar>
bool all_finite(Reference&, TensorView<const Scalar, Reference> x) {
    for (const Scalar value : x) {
        if (!std::isfinite(value)) return false;
    }
    return true;
}

}  // namespace weft::kernels
