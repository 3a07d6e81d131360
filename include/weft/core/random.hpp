/// \file
/// RandomStream: random numbers that are a function of (seed, stream, index) alone.
#pragma once

#include "weft/core/philox.hpp"
#include "weft/core/shape.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

namespace weft {

/// The use of a stream of random numbers; keeps the streams of one seed apart.
enum class RandomPurpose : std::uint32_t { initializer, shuffle, layer, augmentation, user, split };

/// Number i of a stream is a pure function of (seed, purpose, stream, step, i): no state, no order
/// of draws, the same bits on every platform and for any thread count. The distributions are weft's
/// own, since those of std:: differ between standard libraries.
class RandomStream {
public:
    /// stream is below 2^24. step tells repeated uses of a stream apart, such as dropout masks of
    /// training steps, which repeat after 2^32 of them.
    constexpr RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint32_t stream = 0,
                           std::uint32_t step = 0)
        : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
          stream_((static_cast<std::uint32_t>(purpose) << 24) ^ stream),
          step_(step) {}

    /// The same stream at another step.
    constexpr RandomStream at_step(std::uint32_t step) const {
        RandomStream other = *this;
        other.step_ = step;
        return other;
    }

    /// Four random words of 32 bits: words 4 block ... 4 block + 3.
    constexpr std::array<std::uint32_t, 4> block(std::uint64_t block) const {
        return philox4x32(counter(block), key_);
    }

    /// The counter and the key of Philox for a block, for kernels that compute many at once.
    constexpr std::array<std::uint32_t, 4> counter(std::uint64_t block) const {
        return {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), stream_,
                step_};
    }
    constexpr std::array<std::uint32_t, 2> key() const { return key_; }

    /// 64 random bits: words 2 i and 2 i + 1.
    constexpr std::uint64_t bits(std::uint64_t i) const {
        const auto words = block(i / 2);
        const std::size_t half = i % 2 * 2;
        return std::uint64_t{words[half + 1]} << 32 | words[half];
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    constexpr double uniform(std::uint64_t i) const {
        return static_cast<double>(bits(i) >> 11) * 0x1p-53;
    }

    /// Uniform between low and high; high itself only where rounding leads there.
    constexpr double uniform(std::uint64_t i, double low, double high) const {
        return low + (high - low) * uniform(i);
    }

    /// True with the given probability, in [0, 1].
    constexpr bool bernoulli(std::uint64_t i, double probability) const {
        return uniform(i) < probability;
    }

    /// Normal with mean 0 and deviation 1.
    double normal(std::uint64_t i) const { return normal_quantile(open_uniform(i)); }

    /// Normal with mean 0 and deviation 1, conditional on |x| <= 2. Its own deviation is
    /// 0.87962566103423978.
    double truncated_normal(std::uint64_t i) const {
        constexpr double below = 0.022750131948179195;  // Phi(-2)
        return normal_quantile(below + (1 - 2 * below) * open_uniform(i));
    }

    /// Uniform in 0 ... bound - 1, without bias beyond 2^-64 * bound. bound is at least 1.
    constexpr std::uint64_t below(std::uint64_t i, std::uint64_t bound) const {
        // The high 64 bits of bits * bound (Lemire 2019), in 32-bit limbs.
        const std::uint64_t x = bits(i), x_low = x & 0xFFFFFFFF, x_high = x >> 32;
        const std::uint64_t b_low = bound & 0xFFFFFFFF, b_high = bound >> 32;
        const std::uint64_t middle = x_high * b_low + (x_low * b_low >> 32);
        const std::uint64_t cross = x_low * b_high + (middle & 0xFFFFFFFF);
        return x_high * b_high + (middle >> 32) + (cross >> 32);
    }

    /// Puts the elements of a vector, an array or a span in random order, each order equally likely
    /// (Fisher and Yates; Knuth, TAOCP volume 2, algorithm 3.4.2P).
    template <class Elements>
    constexpr void shuffle(Elements&& elements) const {
        for (std::size_t i = elements.size(); i > 1; --i) {
            std::swap(elements[i - 1], elements.begin()[static_cast<std::ptrdiff_t>(below(i, i))]);
        }
    }

    /// The x with P(X <= x) = p for a standard normal X; p in (0, 1); relative error near 1e-16.
    /// Source: Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
    static double normal_quantile(double p);

private:
    /// Uniform in (0, 1): the middle of one of 2^52 cells.
    constexpr double open_uniform(std::uint64_t i) const {
        return (static_cast<double>(bits(i) >> 12) + 0.5) * 0x1p-52;
    }

    std::array<std::uint32_t, 2> key_;
    std::uint32_t stream_;
    std::uint32_t step_;
};

namespace detail {

/// numerator(r) / denominator(r), coefficients from the highest power down.
constexpr double rational(double r, const std::array<double, 8>& numerator,
                          const std::array<double, 8>& denominator) {
    double top = 0, bottom = 0;
    for (const double c : numerator) top = top * r + c;
    for (const double c : denominator) bottom = bottom * r + c;
    return top / bottom;
}

}  // namespace detail

inline double RandomStream::normal_quantile(double p) {
    const double q = p - 0.5;
    if (std::abs(q) <= 0.425) {
        return q *
               detail::rational(
                   0.180625 - q * q,
                   {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
                    4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
                    1.3314166789178437745e+2, 3.3871328727963666080e+0},
                   {5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4,
                    2.1213794301586595867e+4, 5.3941960214247511077e+3, 6.8718700749205790830e+2,
                    4.2313330701600911252e+1, 1.0});
    }
    const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
    const double x =
        r <= 5
            ? detail::rational(
                  r - 1.6,
                  {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                   1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
                   4.63033784615654529590e+0, 1.42343711074968357734e+0},
                  {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
                   1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e+0,
                   2.05319162663775882187e+0, 1.0})
            : detail::rational(
                  r - 5,
                  {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                   2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
                   5.46378491116411436990e+0, 6.65790464350110377720e+0},
                  {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
                   7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
                   5.99832206555887937690e-1, 1.0});
    return q < 0 ? -x : x;
}

}  // namespace weft
