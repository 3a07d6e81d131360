/// \file
/// Division by a number that a kernel does not know when it is compiled.
#pragma once

#include <bit>
#include <cstdint>

namespace weft::kernels::cuda {

/// n / divisor by one multiplication, for 0 <= n < 2^31 and divisor >= 1.
///
/// With s = ceil(log2 divisor) and m = ceil(2^(31 + s) / divisor), n m / 2^(31 + s) is n / divisor and
/// n e / (divisor 2^(31 + s)) more, with e = m divisor - 2^(31 + s) < divisor <= 2^s. That is less
/// than 1 / divisor, so it reaches no further whole number. m is below 2^32, for divisor > 2^(s - 1).
class Divisor {
public:
    constexpr Divisor() = default;
    constexpr explicit Divisor(int divisor)
        : divisor_(divisor),
          shift_(31 + static_cast<int>(std::bit_width(static_cast<unsigned>(divisor) - 1U))),
          multiplier_(static_cast<std::uint32_t>(
              ((std::uint64_t{1} << shift_) + static_cast<unsigned>(divisor) - 1U) /
              static_cast<unsigned>(divisor))) {}

    constexpr int divisor() const { return divisor_; }

    friend constexpr int operator/(int n, const Divisor& d) {
        return static_cast<int>(std::uint64_t{d.multiplier_} * static_cast<unsigned>(n) >>
                                d.shift_);
    }

private:
    int divisor_ = 1;
    int shift_ = 31;
    std::uint32_t multiplier_ = std::uint32_t{1} << 31;
};

}  // namespace weft::kernels::cuda
