/// \file
/// Comparisons of numbers and tensors that report where, and by how much, they fail.
#pragma once

#include "weft/core/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <string>

namespace weft {

/// Magnitude below which a difference counts as absolute: |a - b| / max(|a|, |b|, gap_floor).
inline constexpr double gap_floor = 1e-3;

/// The difference of two numbers, relative to the larger. Infinite unless both are finite: a NaN
/// never passes a comparison.
inline double relative_gap(double a, double b, double floor = gap_floor) {
    if (!std::isfinite(a) || !std::isfinite(b)) return std::numeric_limits<double>::infinity();
    return std::abs(a - b) / (std::max)({std::abs(a), std::abs(b), floor});
}

/// The largest gap between two tensors, and its place. CHECK prints it.
struct Gap {
    double value = 0;        ///< largest gap
    std::string where = {};  ///< which entry has it

    friend bool operator<(const Gap& gap, double bound) { return gap.value < bound; }
    friend std::ostream& operator<<(std::ostream& out, const Gap& gap) {
        return out << concat(gap.value, gap.where);  // the same in every locale
    }
};

/// CHECK(largest_gap(y, expected) < 1e-12). Infinite for different shapes, and for a NaN or an
/// infinity in either tensor.
template <class Actual, class Expected>
Gap largest_gap(const Actual& actual, const Expected& expected, double floor = gap_floor) {
    if (actual.shape() != expected.shape()) {
        return {std::numeric_limits<double>::infinity(),
                concat(" (shape ", actual.shape(), ", expected ", expected.shape(), ")")};
    }
    Gap worst;
    for (Index i = 0; i < actual.size(); ++i) {
        const auto a = static_cast<double>(actual.data()[i]);
        const auto b = static_cast<double>(expected.data()[i]);
        const double gap = relative_gap(a, b, floor);
        if (gap > worst.value) {
            worst = {gap, concat(" (element ", i, " of ", actual.shape(), ": ", a, ", expected ", b,
                                 ")")};
        }
    }
    return worst;
}

/// The result of a check: true if nothing is wrong. CHECK prints the complaint.
struct Verdict {
    std::string complaint = {};  ///< what is wrong; empty: nothing

    explicit operator bool() const { return complaint.empty(); }
    friend std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
        return out << (verdict ? "nothing wrong" : verdict.complaint);
    }

    /// Adds the result of a check of `what`.
    void add(std::string_view what, const Verdict& other) {
        if (!other) complaint += concat("\n    ", what, ": ", other.complaint);
    }
    void add(std::string_view what, const Gap& gap, double bound) {
        if (!(gap < bound)) add(what, {concat("gap ", gap.value, gap.where)});
    }
};

/// Whether shapes and all bits are equal; a NaN equals itself, 0 differs from -0.
template <class Actual, class Expected>
Verdict identical(const Actual& actual, const Expected& expected) {
    if (actual.shape() != expected.shape()) {
        return {concat("shape ", actual.shape(), ", expected ", expected.shape())};
    }
    for (Index i = 0; i < actual.size(); ++i) {
        const auto a = actual.data()[i];
        const std::remove_const_t<decltype(a)> b = expected.data()[i];
        if (std::memcmp(&a, &b, sizeof a) != 0) {
            return {concat("element ", i, " of ", actual.shape(), " is ", a,
                           ", expected the bits of ", b)};
        }
    }
    return {};
}

}  // namespace weft
