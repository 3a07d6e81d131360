/// \file
/// Data for benchmarks: random, so that no multiplication is by zero.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/tensor.hpp"

inline weft::Tensor<float> random_tensor(const weft::Shape& shape, std::uint32_t stream = 0) {
    weft::Tensor<float> x(shape);
    const weft::RandomStream random(1, weft::RandomPurpose::user, stream);
    for (weft::Index i = 0; i < x.size(); ++i) {
        x[i] = static_cast<float>(random.uniform(static_cast<std::uint64_t>(i), -1, 1));
    }
    return x;
}
