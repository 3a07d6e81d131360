#include "weft/layers/input.hpp"

#include "weft/cpu.hpp"
#include "weft/layers/dense.hpp"
#include "weft/model/functional.hpp"
#include "weft/model/sequential.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("Input in front of the layers builds the model for its shape") {
    const Sequential<float> model{Input{{4, 5}}, Dense{.units = 3}};
    CHECK(model.is_built());
    CHECK(model.input_shape() == Shape{4, 5});
    CHECK(model.output_shape() == Shape{4, 3});
    CHECK(model.layer_count() == 1);
}

TEST_CASE("Input may be a single number") {
    CHECK(Input{}.shape == Shape{});
    CHECK(Input{{7}}.shape == Shape{7});
}

TEST_CASE("extents that make no shape are refused, and the input named") {
    constexpr Index large = Index{1} << (sizeof(Index) * 8 - 2);
    const std::string refused = concat("input: shape (", large, ", 8, 3) has too many elements");
    CHECK_THROWS_WITH_AS((Input{{large, 8, 3}}), refused.c_str(), ShapeError);
    CHECK_THROWS_WITH_AS(input({large, 8, 3}), refused.c_str(), ShapeError);
    Sequential<float> model{Dense{.units = 3}};
    CHECK_THROWS_WITH_AS(model.build({large, 8, 3}), refused.c_str(), ShapeError);
    CHECK_THROWS_WITH_AS((Input{{5, -3}}), "input: shape (5, -3) has a negative extent",
                         ShapeError);
    CHECK_THROWS_WITH_AS(
        (Sequential<float>{Input{{large}}, Dense{.units = 3}}),
        concat("dense: input shape (", large, ",) is larger than memory can hold").c_str(),
        ShapeError);
}

TEST_CASE("Input is refused anywhere but in front") {
    using Model = Sequential<float>;
    CHECK_THROWS_WITH_AS((Model{Dense{.units = 3}, Input{{5}}}),
                         "sequential: Input is not the first of the layers", ArgumentError);
    CHECK_THROWS_WITH_AS((Model{Input{{5}}, Input{{5}}, Dense{.units = 3}}),
                         "sequential: Input is not the first of the layers", ArgumentError);
    CHECK_THROWS_WITH_AS(Model{Input{{5}}}, "the model has no layers, expected at least 1",
                         ArgumentError);
}
