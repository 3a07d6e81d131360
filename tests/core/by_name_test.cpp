#include "weft/core/by_name.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("names have the places that they have among those known") {
    using Names = std::vector<std::string>;
    using Places = std::vector<std::size_t>;
    const Names known{"image", "size", "place"};
    const auto places = [&](const Names& names, bool needs_all) {
        return detail::places_by_name(names, known, needs_all, "fit: the data", "input");
    };
    CHECK(places({"place", "image", "size"}, true) == Places{2, 0, 1});
    CHECK(places({"size"}, false) == Places{1});
    CHECK(places({}, true) == Places{0, 1, 2});
    CHECK_THROWS_WITH_AS(places({"image", "sizes", "place"}, true),
                         "fit: the data: there is no input sizes; there are image, size, place",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(places({"image", "size", "image"}, false),
                         "fit: the data: two entries for input image; there are image, size, place",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(places({"place", "image"}, true),
                         "fit: the data: no entry for input size; there are image, size, place",
                         ArgumentError);
}

TEST_CASE("names are those of the outputs, or there are none") {
    CHECK(detail::are_names_of({}, {"a", "b"}));
    CHECK(detail::are_names_of({"a", "b"}, {"a", "b"}));
    CHECK_FALSE(detail::are_names_of({"b", "a"}, {"a", "b"}));
    CHECK_FALSE(detail::are_names_of({"a"}, {"a", "b"}));
}
