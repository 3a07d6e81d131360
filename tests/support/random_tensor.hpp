/// \file
/// Tensors of random numbers, the same in every run.
#pragma once

#include "weft/testing/random_tensor.hpp"

#include <cmath>

namespace weft {

/// Uniform numbers in [low, high).
template <class Scalar = double>
Tensor<Scalar> random_uniform(const Shape& shape, std::uint32_t stream, double low, double high) {
    Tensor<Scalar> x(shape);
    const RandomStream random(2024, RandomPurpose::user, stream);
    for (Index i = 0; i < x.size(); ++i) {
        x[i] = static_cast<Scalar>(random.uniform(static_cast<std::uint64_t>(i), low, high));
    }
    return x;
}

/// Whole numbers from low to high. Their products, and sums of these below 2^24 in float, are
/// exact, so that two right results are equal to the bit.
template <class Scalar = double>
Tensor<Scalar> random_integers(const Shape& shape, std::uint32_t stream, int low, int high) {
    auto x = random_uniform<Scalar>(shape, stream, low - 0.5, high + 0.5);
    for (Scalar& value : x) value = std::round(value) + Scalar(0);  // no -0
    return x;
}

}  // namespace weft
