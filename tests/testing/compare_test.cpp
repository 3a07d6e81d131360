#include "weft/testing/compare.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("relative_gap never takes a NaN or an infinity for agreement") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(relative_gap(1, 1) == 0);
    CHECK(relative_gap(1, 2) == 0.5);
    CHECK(relative_gap(-1e-9, 1e-9) == 2e-6);  // in units of the floor
    CHECK(relative_gap(1e308, -1e308) == infinity);
    for (const double x : {nan, infinity, -infinity}) {
        CHECK(relative_gap(x, 1) == infinity);
        CHECK(relative_gap(1, x) == infinity);
        CHECK(relative_gap(x, x) == infinity);
    }
    const Tensor<double> x({2, 2}, {1, nan, 3, 4}), y({2, 2}, {1, 2, 3, 5});
    CHECK_FALSE(largest_gap(x, y) < 1e300);
    CHECK(largest_gap(y, y) < 1e-300);
    CHECK_FALSE(largest_gap(y, y.view().reshape({4})) < 1e300);
    CHECK(identical(x, x));
    CHECK_FALSE(identical(Tensor<double>({1}, {0.0}), Tensor<double>({1}, {-0.0})));
    CHECK_FALSE(identical(y, y.view().reshape({4})));
}
