/// \file
/// Dropout of a number that a kernel stores.
#pragma once

#include "launch.cuh"
#include "weft/kernels/dropping.hpp"

namespace weft::kernels::cuda {

/// As dropout_forward draws: one word of four is used, so it is for kernels that wait for memory.
template <class Scalar>
struct Drops {
    RandomStream random;
    const std::uint32_t* at_step;
    Index first;
    std::uint32_t threshold;
    Scalar scale;

    explicit Drops(const Dropping& dropping)
        : random(dropping.random),
          at_step(dropping.at_step),
          first(dropping.first),
          threshold(static_cast<std::uint32_t>(dropping.rate * 0x1p32)),
          scale(static_cast<Scalar>(1 / (1 - dropping.rate))) {}

    /// Whether element i stays.
    __device__ bool keeps(int i) const {
        const Index element = first + i;
        const int within = static_cast<int>(element % 64), word = within / 16;
        const RandomStream stream = at_step == nullptr ? random : random.at_step(*at_step);
        const auto words =
            stream.block(static_cast<std::uint64_t>(element / 64 * 16 + within % 16));
        // An index would need an array in memory.
        const std::uint32_t low = word == 0 ? words[0] : words[1];
        const std::uint32_t high = word == 2 ? words[2] : words[3];
        return (word < 2 ? low : high) >= threshold;
    }
};

}  // namespace weft::kernels::cuda
