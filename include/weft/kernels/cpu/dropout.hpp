/// \file
/// Dropout on the CPU.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/core/random.hpp"

namespace weft::kernels {

/// Inverted dropout: y_i = x_i / (1 - rate) with probability 1 - rate, else 0; kept_i tells which.
/// Element i is kept when word i of the random stream, as a fraction of 2^32, is at least the rate.
template <class Scalar>
void dropout_forward(Cpu& cpu, Index count, double rate, const RandomStream& random,
                     const Scalar* x, Scalar* y, std::uint8_t* kept) {
    const auto threshold = static_cast<std::uint32_t>(rate * 0x1p32);
    const auto scale = static_cast<Scalar>(1 / (1 - rate));
    constexpr Index grain = 4096;  // a multiple of the words of a block
    parallel_ranges(cpu, count, grain, [&](Index begin, Index end) {
        for (Index i = begin; i < end; i += 4) {
            const auto words = random.block(static_cast<std::uint64_t>(i / 4));
            for (Index k = 0; k < std::min<Index>(4, end - i); ++k) {
                const bool keep = words[static_cast<std::size_t>(k)] >= threshold;
                kept[i + k] = keep;
                y[i + k] = keep ? x[i + k] * scale : Scalar(0);
            }
        }
    });
}

/// dx_i = dy_i / (1 - rate) where kept, else 0.
template <class Scalar>
void dropout_backward(Cpu& cpu, Index count, double rate, const std::uint8_t* kept,
                      const Scalar* dy, Scalar* dx) {
    const auto scale = static_cast<Scalar>(1 / (1 - rate));
    parallel_ranges(cpu, count, 16384, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) dx[i] = kept[i] != 0 ? dy[i] * scale : Scalar(0);
    });
}

}  // namespace weft::kernels
