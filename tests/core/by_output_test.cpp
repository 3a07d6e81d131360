#include "weft/core/by_output.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

template <class T>
std::vector<T> entries(const ByOutput<T>& of) {
    return {of.begin(), of.end()};
}

}  // namespace

TEST_CASE("entries by name are put in the order of the outputs") {
    ByOutput<double> weights{{"c", 3}, {"a", 2}};
    CHECK_FALSE(weights.are_for({"a", "b", "c"}));
    weights.put_in_order({"a", "b", "c"}, "trainer: loss_weights");
    CHECK(entries(weights) == std::vector<double>{2, 1, 3});
    CHECK(weights.are_for({"a", "b", "c"}));
    CHECK_FALSE(weights.are_for({"a", "c", "b"}));
    weights.put_in_order({"c", "a", "b"}, "trainer: loss_weights");
    CHECK(entries(weights) == std::vector<double>{3, 2, 1});

    ByOutput<std::vector<int>> lists{{"b", {1, 2}}};
    lists.put_in_order({"a", "b"}, "trainer: output_metrics");
    CHECK(entries(lists) == std::vector<std::vector<int>>{{}, {1, 2}});
}

TEST_CASE("entries without names stay in their order") {
    ByOutput<double> weights{3, 2};
    weights.put_in_order({"a", "b"}, "trainer: loss_weights");
    CHECK(entries(weights) == std::vector<double>{3, 2});
    CHECK(weights.are_for({"a", "b"}));
    CHECK(ByOutput<std::vector<int>>{{}, {}}.size() == 2);
    CHECK(ByOutput<double>().empty());
}

TEST_CASE("names of no output are refused") {
    ByOutput<double> unknown{{"a", 1}, {"x", 2}}, twice{{"a", 1}, {"a", 2}};
    CHECK_THROWS_WITH_AS(unknown.put_in_order({"a", "b"}, "trainer: loss_weights"),
                         "trainer: loss_weights: there is no output x; there are a, b",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(twice.put_in_order({"a", "b"}, "trainer: loss_weights"),
                         "trainer: loss_weights: two entries for output a; there are a, b",
                         ArgumentError);
}

TEST_CASE("entries that were added to those with names are refused") {
    ByOutput<double> weights{{"a", 1}};
    weights.push_back(2);
    CHECK_THROWS_WITH_AS(weights.put_in_order({"a", "b"}, "trainer: loss_weights"),
                         "trainer: loss_weights: 2 entries with 1 names", ArgumentError);
}
