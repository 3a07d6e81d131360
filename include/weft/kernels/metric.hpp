/// \file
/// Functions common to the host and kernels of metrics.
#pragma once

#include "weft/core/tensor_view.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// The index of the largest element, the first of equal ones; NaNs are skipped. 0 if all are NaN.
template <class Scalar>
Index argmax(const Scalar* x, Index count) {
    Index best = 0;
    for (Index i = 1; i < count; ++i) {
        if (x[i] > x[best] || (x[best] != x[best] && x[i] == x[i])) best = i;
    }
    return best;
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
