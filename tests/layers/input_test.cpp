#include "weft/layers/input.hpp"

#include "weft/cpu.hpp"
#include "weft/layers/dense.hpp"
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

TEST_CASE("Input is refused anywhere but in front") {
    using Model = Sequential<float>;
    CHECK_THROWS_WITH_AS((Model{Dense{.units = 3}, Input{{5}}}),
                         "sequential: Input is not the first of the layers", ArgumentError);
    CHECK_THROWS_WITH_AS((Model{Input{{5}}, Input{{5}}, Dense{.units = 3}}),
                         "sequential: Input is not the first of the layers", ArgumentError);
    CHECK_THROWS_WITH_AS(Model{Input{{5}}}, "the model has no layers, expected at least 1",
                         ArgumentError);
}
