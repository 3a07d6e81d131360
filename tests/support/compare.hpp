/// \file
/// Comparisons of numbers and tensors.
#pragma once

#include "weft/testing/compare.hpp"

#include <vector>

namespace weft {

/// All elements, to compare with a list.
template <class Scalar>
std::vector<Scalar> values_of(const Tensor<Scalar>& tensor) {
    return {tensor.begin(), tensor.end()};
}

}  // namespace weft
