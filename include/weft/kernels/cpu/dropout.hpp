/// \file
/// Dropout on the CPU.
#pragma once

#include "weft/core/random.hpp"
#include "weft/kernels/cpu/elementwise.hpp"

#include <array>

// Among intrinsics that it makes of the loops itself, g++ 12 takes the words for undefined too.
WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// words[k blocks + b] = word k of block first + b of the stream. As RandomStream::block, but many
/// blocks at once, which compilers turn into vector instructions.
template <std::size_t blocks>
void random_words(const RandomStream& random, std::uint64_t first, std::uint32_t* words) {
    std::array<std::uint32_t, blocks> x0, x1, x2, x3;
    const auto start = random.counter(first);
    for (std::size_t b = 0; b < blocks; ++b) {
        const std::uint64_t number = first + b;
        x0[b] = static_cast<std::uint32_t>(number);
        x1[b] = static_cast<std::uint32_t>(number >> 32);
        x2[b] = start[2];
        x3[b] = start[3];
    }
    auto key = random.key();
    for (int round = 0; round < 10; ++round) {
        for (std::size_t b = 0; b < blocks; ++b) {
            const std::uint64_t product_0 = std::uint64_t{0xD2511F53} * x0[b];
            const std::uint64_t product_1 = std::uint64_t{0xCD9E8D57} * x2[b];
            x0[b] = static_cast<std::uint32_t>(product_1 >> 32) ^ x1[b] ^ key[0];
            x1[b] = static_cast<std::uint32_t>(product_1);
            x2[b] = static_cast<std::uint32_t>(product_0 >> 32) ^ x3[b] ^ key[1];
            x3[b] = static_cast<std::uint32_t>(product_0);
        }
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    for (std::size_t b = 0; b < blocks; ++b) {
        words[b] = x0[b];
        words[blocks + b] = x1[b];
        words[2 * blocks + b] = x2[b];
        words[3 * blocks + b] = x3[b];
    }
}

}  // namespace detail

/// Inverted dropout: y_i = x_i / (1 - rate) with probability 1 - rate, else 0; kept_i tells which.
/// With first + i = 64 q + 16 k + b, element i is kept when word k of block 16 q + b of the random
/// stream is at least rate 2^32, rounded down; first is the index of the first element in the step.
/// The stream's step is that at at_step, on the device, if there is one. y may be x.
template <class Scalar>
void dropout_forward(Cpu& cpu, Index count, double rate, const RandomStream& stream,
                     const std::uint32_t* at_step, Index first, const Scalar* x, Scalar* y,
                     std::uint8_t* kept) {
    const RandomStream random = at_step == nullptr ? stream : stream.at_step(*at_step);
    const auto threshold = static_cast<std::uint32_t>(rate * 0x1p32);
    const auto scale = static_cast<Scalar>(1 / (1 - rate));
    constexpr Index blocks = 16, step = 4 * blocks;
    parallel_ranges(cpu, count, 64 * step, [&](Index begin, Index end) {
        std::array<std::uint32_t, step> words;
        // Loops of one width each, which compilers turn into vector instructions.
        const auto keep = [&](Index i, const std::uint32_t* word, auto n) WEFT_INLINE_LAMBDA {
            for (Index k = 0; k < n; ++k) kept[i + k] = word[k] >= threshold ? 1 : 0;
            for (Index k = 0; k < n; ++k) {
                const Scalar scaled = x[i + k] * scale;
                y[i + k] = word[k] >= threshold ? scaled : Scalar(0);
            }
        };
        for (Index i = begin; i < end;) {
            const Index skipped = (first + i) % step;  // of the words, those of elements before
            detail::random_words<blocks>(
                random, static_cast<std::uint64_t>((first + i - skipped) / 4), words.data());
            const Index n = (std::min)(step - skipped, end - i);
            if (n == step) {
                keep(i, words.data(), std::integral_constant<Index, step>{});
            } else {
                keep(i, words.data() + skipped, n);
            }
            i += n;
        }
    });
}

/// dx_i = dy_i / (1 - rate) where kept, else 0.
template <class Scalar>
void dropout_backward(Cpu& cpu, Index count, double rate, const std::uint8_t* kept,
                      const Scalar* dy, Scalar* dx) {
    const auto scale = static_cast<Scalar>(1 / (1 - rate));
    parallel_ranges(cpu, count, detail::elementwise_grain, [&](Index begin, Index end) {
        constexpr Index step = 64;
        std::array<std::int32_t, step> keeps;
        for (Index i = begin; i < end; i += step) {
            const Index n = (std::min)(step, end - i);
            for (Index k = 0; k < n; ++k) keeps[static_cast<std::size_t>(k)] = kept[i + k];
            for (Index k = 0; k < n; ++k) {
                const Scalar scaled = dy[i + k] * scale;
                dx[i + k] = keeps[static_cast<std::size_t>(k)] != 0 ? scaled : Scalar(0);
            }
        }
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
