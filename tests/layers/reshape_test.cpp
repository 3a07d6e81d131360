#include "weft/layers/reshape.hpp"

#include "tests/support/reference_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("Reshape equals Keras") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("other_layers.json")) {
        if (expected.at("type") != "Reshape") continue;
        ++cases;
        CAPTURE(expected.name());
        const Reshape layer{expected.at("target_shape").get<std::vector<Index>>()};
        CHECK(matches_reference<double>(layer, expected));
    }
    CHECK(cases >= 6);
}

TEST_CASE("Reshape is a view, and fills in one extent") {
    const SingleLayer<float> layer(Reshape{{4, -1, 2}}, {24});
    CHECK(layer.layer().is_view());
    CHECK(layer.layer().output_shape() == Shape{4, 3, 2});
    CHECK(layer.parameters().empty());
}

TEST_CASE("Reshape refuses a shape of another size, and more than one -1, by name") {
    using Layer = SingleLayer<float>;
    CHECK_THROWS_WITH_AS(Layer(Reshape{{5, 5}}, {24}),
                         "reshape: input has shape (None, 24), expected as many elements as "
                         "target_shape (5, 5)",
                         ShapeError);
    CHECK_THROWS_AS(Layer(Reshape{{5, -1}}, {24}), ShapeError);
    CHECK_THROWS_WITH_AS(Layer(Reshape{{-1, -1}}, {24}),
                         doctest::Contains("reshape: target_shape is "), ArgumentError);
    CHECK_THROWS_AS(Layer(Reshape{{-2, -12}}, {24}), Error);
    CHECK_THROWS_AS(Layer(Reshape{{0, -1}}, {24}), ShapeError);
}
