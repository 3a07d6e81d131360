/// \file
/// random_tensor: random numbers, the same in every run.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/tensor.hpp"

#include <cmath>

namespace weft {

/// Normal numbers with mean 0; each stream has its own.
template <class Scalar = double>
Tensor<Scalar> random_normal(const Shape& shape, std::uint32_t stream, double deviation = 1) {
    Tensor<Scalar> x(shape);
    const RandomStream random(2024, RandomPurpose::user, stream);
    for (Index i = 0; i < x.size(); ++i) {
        x[i] = static_cast<Scalar>(deviation * random.normal(static_cast<std::uint64_t>(i)));
    }
    return x;
}

}  // namespace weft
