/// \file
/// Long sums that are known exactly, and how far from them a result is.
#pragma once

#include "tests/support/special_values.hpp"
#include "weft/core/tensor.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace weft {

/// Whether sums of 10^8 terms are tested too: those of float, if WEFT_LONG_SUMS is set.
template <class Scalar>
bool tests_longest() {
    return sizeof(Scalar) == 4 && std::getenv("WEFT_LONG_SUMS") != nullptr;
}

/// Lengths of sums: 10^3 to 10^7, and the longest, which take 400 MB.
template <class Scalar>
std::vector<Index> long_lengths() {
    std::vector<Index> lengths{1000, 30'001, 1'000'000, 10'000'000};
    if (tests_longest<Scalar>()) lengths.push_back(100'000'000);
    return lengths;
}

/// Numbers above 0 and their sum, which is exact in long double: all 0.1, whose running sum is
/// rounded in the same direction many times; or whole numbers below 2^20, scattered.
template <class Scalar>
struct LongNumbers {
    Tensor<Scalar> x;
    long double sum = 0;

    LongNumbers(const Shape& shape, bool equal) : x(shape) {
        if (equal) {
            std::ranges::fill(x, Scalar(0.1));
            sum = static_cast<long double>(x.size()) * static_cast<long double>(Scalar(0.1));
            return;
        }
        std::int64_t total = 0;
        for (Index i = 0; i < x.size(); ++i) {
            const auto hash = static_cast<std::uint32_t>(i) * std::uint32_t{2654435761};
            const auto number = static_cast<std::int32_t>(hash >> 12) + 1;
            x[i] = static_cast<Scalar>(number);
            total += number;
        }
        sum = static_cast<long double>(total);
    }
};

/// The error of a result in units of u = eps / 2 of the sum of magnitudes; infinite for a NaN.
template <class Scalar>
double roundings(Scalar result, long double exact, long double magnitude) {
    const long double error = std::abs(static_cast<long double>(result) - exact);
    const double units = static_cast<double>(error / magnitude) / (eps<Scalar> / 2);
    return std::isfinite(units) ? units : infinity<double>;
}

template <class Scalar>
double roundings(Scalar result, long double exact) {
    return roundings(result, exact, exact);
}

/// The bound of a pairwise sum of blocks: one rounding for each addition that a term goes through.
inline double pairwise_roundings(Index count, Index block = 256) {
    const auto n = static_cast<double>(count), of_block = static_cast<double>(block);
    return of_block + std::ceil(std::log2(std::max(1.0, n / of_block)));
}

}  // namespace weft
