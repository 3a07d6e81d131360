#include "weft/core/contains.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using weft::detail::contains;

TEST_CASE("contains: the first, the last, none of the items; of another type that compares") {
    const std::vector<std::string> list{"a", "b", "c"};
    CHECK(contains(list, std::string_view("a")));
    CHECK(contains(list, "c"));
    CHECK(!contains(list, "d"));
    CHECK(!contains(std::vector<int>{}, 0));
}
