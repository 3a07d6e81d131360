/// \file
/// Whether results are those of the reference kernels.
#pragma once

#include "tests/support/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>

namespace weft::bench {

/// Compares tensors, tuples of as many, by the largest error of each relative to the largest element of
/// what is expected: a wrong term of a sum shows, and so do wrong numbers in a small gradient. Numbers
/// below 1e-30 are as good as 0, since subnormal ones may be flushed.
///
/// Float rounds by 6e-8. Sums of 25,000 terms, in whatever order, are off by some ten roundings of the
/// largest sum; 1e-5 leaves room for more.
template <class... Results, class... Expected>
Verdict same_results(const std::tuple<Results...>& results, const std::tuple<Expected...>& expected,
                     double tolerance = 1e-5) {
    Verdict verdict;
    const auto compare = [&](std::size_t place, const auto& y, const auto& definition) {
        double largest = 1e-30;
        for (const auto value : definition) {
            largest = std::max(largest, std::abs(static_cast<double>(value)));
        }
        const Gap gap = largest_gap(y, definition, largest);
        if (verdict && !(gap < tolerance)) {
            verdict.complaint = concat("result ", place, " has a gap of ", gap.value, gap.where);
        }
    };
    [&]<std::size_t... Places>(std::index_sequence<Places...>) {
        (compare(Places, std::get<Places>(results), std::get<Places>(expected)), ...);
    }(std::index_sequence_for<Results...>());
    return verdict;
}

}  // namespace weft::bench
