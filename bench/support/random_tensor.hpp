/// \file
/// Data for benchmarks: random, so that no multiplication is by zero.
#pragma once

#include "weft/core/tensor.hpp"

#include <cstdint>

namespace weft::bench {

/// Uniform in [-1, 1), other numbers for each stream. A linear congruence (Knuth's MMIX constants):
/// benchmarks fill far more numbers than they look at. The same on every device that the host writes to.
template <class Device = Cpu>
Tensor<float, Device> random_tensor(const Shape& shape, std::uint64_t stream = 0) {
    Tensor<float, Device> x(shape);
    std::uint64_t state = stream * 0x9E3779B97F4A7C15 + 1;
    for (float& value : x) {
        state = state * 6364136223846793005 + 1442695040888963407;
        value = static_cast<float>(state >> 40) * 0x1p-23f - 1;
    }
    return x;
}

}  // namespace weft::bench
