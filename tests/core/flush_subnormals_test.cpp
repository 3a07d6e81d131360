#include "weft/core/flush_subnormals.hpp"

#include <doctest/doctest.h>

#include <limits>

using weft::detail::floating_point_mode;
using weft::detail::flush_bits;
using weft::detail::FlushSubnormals;
using weft::detail::set_floating_point_mode;

namespace {

/// Half of the smallest normal number, as the processor computes it now.
float half_of_smallest() {
    volatile float smallest = std::numeric_limits<float>::min(), half = 0.5f;
    return smallest * half;
}

/// A subnormal number times 2^126: 1/8, or 0 where operands are flushed.
float scaled_subnormal() {
    volatile float subnormal = 0x1p-129f, scale = 0x1p126f;
    return subnormal * scale;
}

}  // namespace

TEST_CASE("subnormal results and operands are 0 while the scope lives, and no longer") {
    if (flush_bits == 0) return;  // a processor without the mode
    CHECK(half_of_smallest() > 0);
    CHECK(scaled_subnormal() == 0.125f);
    {
        const FlushSubnormals flush;
        CHECK(half_of_smallest() == 0);
        CHECK(scaled_subnormal() == 0);
        {
            const FlushSubnormals within;
            CHECK(half_of_smallest() == 0);
        }
        CHECK(half_of_smallest() == 0);
    }
    CHECK(half_of_smallest() > 0);
    CHECK(scaled_subnormal() == 0.125f);
}

TEST_CASE("a mode that the program set itself stays") {
    if (flush_bits == 0) return;
    const auto before = floating_point_mode();
    set_floating_point_mode(before | flush_bits);
    {
        const FlushSubnormals flush;
    }
    CHECK((floating_point_mode() & flush_bits) == flush_bits);
    set_floating_point_mode(before);
    CHECK(half_of_smallest() > 0);
}

TEST_CASE("flags of exceptions that were raised meanwhile stay") {
    if (flush_bits == 0) return;
    volatile float zero = 0;
    float infinite = 0;
    {
        const FlushSubnormals flush;
        infinite = 1 / zero;
    }
    CHECK(infinite == std::numeric_limits<float>::infinity());
    CHECK((floating_point_mode() & flush_bits) == 0);
}
