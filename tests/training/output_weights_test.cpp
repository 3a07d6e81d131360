#include "weft/training/output_weights.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;

TEST_CASE("weights of outputs by order and by name, 1 where there are none") {
    using Numbers = std::vector<double>;
    const std::vector<std::string> outputs{"a", "b"};
    const auto all = [&](const OutputWeights<>& weights) {
        return weights.of_all(outputs, 3, "output_sample_weight");
    };
    CHECK(all({}).empty());
    CHECK(all({{1, 2, 3}, {4, 5, 6}}) == Numbers{1, 2, 3, 4, 5, 6});
    CHECK(all({{}, {4, 5, 6}}) == Numbers{1, 1, 1, 4, 5, 6});
    CHECK(all({{"b", {4, 5, 6}}, {"a", {1, 2, 3}}}) == Numbers{1, 2, 3, 4, 5, 6});
    CHECK(all({{"b", {4, 5, 6}}}) == Numbers{1, 1, 1, 4, 5, 6});
    CHECK(all(std::vector<Numbers>{{1, 2, 3}, {}}) == Numbers{1, 2, 3, 1, 1, 1});

    CHECK_THROWS_WITH_AS(all({{1, 2, 3}}),
                         "fit: output_sample_weight has 1 entries, expected 2, one for each output "
                         "of the model",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(all({{"b", {1, 2}}}),
                         "fit: output_sample_weight of b has 2 weights, expected 3", ArgumentError);
    CHECK_THROWS_WITH_AS(all({{"c", {1, 2, 3}}}),
                         "fit: output_sample_weight: there is no output c; there are a, b",
                         ArgumentError);
    for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_WITH_AS(all({{"b", {1, 2, bad}}}),
                             doctest::Contains("fit: output_sample_weight of b 2 is "),
                             ArgumentError);
    }
}
