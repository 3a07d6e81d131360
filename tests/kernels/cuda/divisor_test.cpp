#include "src/cuda/divisor.cuh"

#include <doctest/doctest.h>

#include <climits>
#include <initializer_list>

using weft::kernels::cuda::Divisor;

TEST_CASE("Divisor divides as / does") {
    const auto agrees = [](int n, int divisor) { return n / Divisor(divisor) == n / divisor; };
    for (int divisor = 1; divisor <= 300; ++divisor) {
        for (int n = 0; n <= 1000; ++n) REQUIRE(agrees(n, divisor));
    }
    // Around multiples, where a quotient changes, of small numbers and of those about powers of two.
    for (int bits = 0; bits <= 30; ++bits) {
        for (const int off : {-1, 0, 1}) {
            const int divisor = (1 << bits) + off;
            if (divisor < 1) continue;
            CAPTURE(divisor);
            for (const int quotient : {1, 2, 3, 1000, INT_MAX / divisor}) {
                const long long multiple = static_cast<long long>(quotient) * divisor;
                if (multiple > INT_MAX - 1) continue;
                for (const int by : {-1, 0, 1}) {
                    REQUIRE(agrees(static_cast<int>(multiple) + by, divisor));
                }
            }
            REQUIRE(agrees(INT_MAX, divisor));
            REQUIRE(agrees(INT_MAX - 1, divisor));
        }
    }
    REQUIRE(agrees(INT_MAX, INT_MAX));
    REQUIRE(agrees(INT_MAX - 1, INT_MAX));
    CHECK(7 / Divisor() == 7);
}
