/// \file
/// Dropout on the CPU.
#pragma once

#include "weft/core/random.hpp"
#include "weft/kernels/cpu/elementwise.hpp"
#include "weft/kernels/dropping.hpp"

#include <array>
#include <cassert>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Blocks of random words that are drawn together, of four words each, in groups of 16.
inline constexpr std::size_t draw_blocks = 32, draw_words = 4 * draw_blocks;

/// words[64 q + 16 k + b] = word k of block first + 16 q + b of the stream. As RandomStream::block, but
/// many blocks at once, which compilers turn into vector instructions. Loops over 16 blocks g++ 12 -O3
/// unrolled into scalar ones, and took 4.3 times as long (Zen 4).
inline void random_words(const RandomStream& random, std::uint64_t first, std::uint32_t* words) {
    constexpr std::size_t blocks = draw_blocks;
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
    for (std::size_t b = 0; b < blocks; b += 16) {
        for (const auto* const x : {&x0, &x1, &x2, &x3}) {
            std::copy_n(x->data() + b, 16, words);
            words += 16;
        }
    }
}

/// Decides which elements of a dropout are kept.
template <class Scalar>
struct Draws {
    explicit Draws(const Dropping& dropping)
        : random(dropping.at_step == nullptr ? dropping.random
                                             : dropping.random.at_step(*dropping.at_step)),
          first(dropping.first),
          threshold(static_cast<std::uint32_t>(dropping.rate * 0x1p32)),
          scale(static_cast<Scalar>(1 / (1 - dropping.rate))) {}

    /// Calls run(i, words, n) for runs of elements that cover [begin, end): element i + k is kept if
    /// words[k] is at least the threshold. n is a constant, but where they are fewer.
    template <class Run>
    EIGEN_ALWAYS_INLINE void for_each_run(Index begin, Index end, const Run& run) const {
        constexpr Index step = draw_words;
        std::array<std::uint32_t, draw_words> words;
        for (Index i = begin; i < end;) {
            const Index skipped = (first + i) % step;  // of the words, those of elements before
            random_words(random, static_cast<std::uint64_t>((first + i - skipped) / 4),
                         words.data());
            const Index n = (std::min)(step - skipped, end - i);
            if (n == step) {
                run(i, words.data(), std::integral_constant<Index, step>{});
            } else {
                run(i, words.data() + skipped, n);
            }
            i += n;
        }
    }

    /// result_i = the factor of element begin + i: scale, or 0 if it is dropped.
    WEFT_NOINLINE void factors(Index begin, Index end, Scalar* result) const {
        // Of copies: a result could be a member.
        for_each_run(begin, end,
                     [=, least = threshold, factor = scale](Index i, const std::uint32_t* word,
                                                            auto n) WEFT_INLINE_LAMBDA {
                         Scalar* const run = result + (i - begin);
                         for (Index k = 0; k < n; ++k)
                             run[k] = word[k] >= least ? factor : Scalar(0);
                     });
    }

    RandomStream random;
    Index first;
    std::uint32_t threshold;
    Scalar scale;
};

}  // namespace detail

/// Inverted dropout: y_i = x_i / (1 - rate) with probability 1 - rate, else 0; kept_i tells which.
/// With first + i = 64 q + 16 k + b, element i is kept when word k of block 16 q + b of the random
/// stream is at least rate 2^32, rounded down; first is the index of the first element in the step.
/// The stream's step is that at at_step, on the device, if there is one. y may be x.
template <class Scalar>
void dropout_forward(Cpu& cpu, const Dropping& dropping, TensorView<const Scalar> x,
                     TensorView<Scalar> y) {
    assert(y.size() == x.size());
    const detail::Draws<Scalar> draws(dropping);
    const std::uint32_t threshold = draws.threshold;
    const Scalar scale = draws.scale;
    const Scalar* const from = x.data();
    Scalar* const to = y.data();
    std::uint8_t* const kept = dropping.kept;
    parallel_ranges(cpu, x.size(), 4096, [&](Index begin, Index end) {
        // Loops of one width each, which compilers turn into vector instructions.
        draws.for_each_run(begin, end,
                           [&](Index i, const std::uint32_t* word, auto n) WEFT_INLINE_LAMBDA {
                               for (Index k = 0; k < n; ++k)
                                   kept[i + k] = word[k] >= threshold ? 1 : 0;
                               for (Index k = 0; k < n; ++k) {
                                   const Scalar scaled = from[i + k] * scale;
                                   to[i + k] = word[k] >= threshold ? scaled : Scalar(0);
                               }
                           });
    });
}

/// dx_i = dy_i / (1 - rate) where kept, else 0.
template <class Scalar>
void dropout_backward(Cpu& cpu, const Dropping& dropping, TensorView<const Scalar> dy,
                      TensorView<Scalar> dx) {
    assert(dx.size() == dy.size());
    const auto scale = static_cast<Scalar>(1 / (1 - dropping.rate));
    const std::uint8_t* const kept = dropping.kept;
    parallel_ranges(cpu, dy.size(), detail::elementwise_grain, [&](Index begin, Index end) {
        constexpr Index step = 64;
        std::array<std::int32_t, step> keeps;
        for (Index i = begin; i < end; i += step) {
            const Index n = (std::min)(step, end - i);
            for (Index k = 0; k < n; ++k) keeps[static_cast<std::size_t>(k)] = kept[i + k];
            for (Index k = 0; k < n; ++k) {
                const Scalar scaled = dy.data()[i + k] * scale;
                dx.data()[i + k] = keeps[static_cast<std::size_t>(k)] != 0 ? scaled : Scalar(0);
            }
        }
    });
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
