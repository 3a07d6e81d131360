/// \file
/// Whether contenders compute the same.
#pragma once

#include "weft/core/eigen.hpp"

namespace weft::bench {

/// Whether no two elements of tensors of one shape are farther apart than that.
inline bool nearly_equal(const Tensor<float>& a, const Tensor<float>& b, float tolerance) {
    return (as_matrix(a) - as_matrix(b)).cwiseAbs().maxCoeff() < tolerance;
}

}  // namespace weft::bench
