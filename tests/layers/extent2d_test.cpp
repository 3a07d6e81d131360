#include "weft/layers/extent2d.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("Extent2D is one number for both axes, or two") {
    const Extent2D both = 3;
    CHECK(both == Extent2D(3, 3));
    const Extent2D apart = {2, 5};
    CHECK(apart.rows == 2);
    CHECK(apart.columns == 5);
    CHECK(apart.smallest() == 2);
    CHECK(apart.largest() == 5);
    CHECK(Extent2D(5, 2).smallest() == 2);
    CHECK(Extent2D(5, 2).largest() == 5);
    CHECK(concat(apart) == "(2, 5)");
}
