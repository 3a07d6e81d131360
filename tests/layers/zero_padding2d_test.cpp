#include "weft/layers/zero_padding2d.hpp"

#include "tests/support/reference_checks.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("ZeroPadding2D equals Keras") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("other_layers.json")) {
        if (expected.at("type") != "ZeroPadding2D") continue;
        ++cases;
        CAPTURE(expected.name());
        const auto border = expected.at("padding").get<std::vector<Index>>();
        const ZeroPadding2D layer{.before = {border.at(0), border.at(2)},
                                  .after = {border.at(1), border.at(3)}};
        CHECK(matches_reference<double>(layer, expected));
        CHECK(matches_reference<float>(layer, expected));
    }
    CHECK(cases >= 6);
}

TEST_CASE("ZeroPadding2D puts zeros around, as many behind as before unless told") {
    SingleLayer<float> layer(ZeroPadding2D{.before = {0, 1}}, {1, 2, 1});
    CHECK(identical(layer.forward(Tensor<float>({1, 1, 2, 1}, {3, 4})),
                    Tensor<float>({1, 1, 4, 1}, {0, 3, 4, 0})));
    CHECK(SingleLayer<float>(ZeroPadding2D{}, {3, 4, 2}).layer().output_shape() == Shape{5, 6, 2});
    const ZeroPadding2D uneven{.before = {1, 0}, .after = {0, 2}};
    CHECK(gradient_check(uneven, {2, 3, 4, 3}));
    CHECK(same_on_any_threads<float>(uneven, {67, 27, 26, 5}));
    CHECK(same_alone_and_in_a_batch<float>(uneven, {5, 8, 9, 3}));
}

TEST_CASE("ZeroPadding2D refuses negative borders and other inputs than images, by name") {
    using Layer = SingleLayer<float>;
    CHECK_THROWS_WITH_AS(Layer(ZeroPadding2D{.before = {-1, 1}}, {3, 3, 1}),
                         "zero_padding2d: before is (-1, 1), expected at least 0", ArgumentError);
    CHECK_THROWS_WITH_AS(Layer(ZeroPadding2D{.before = 1, .after = {1, -1}}, {3, 3, 1}),
                         "zero_padding2d: after is (1, -1), expected at least 0", ArgumentError);
    CHECK_THROWS_WITH_AS(
        Layer(ZeroPadding2D{.before = std::numeric_limits<Index>::max()}, {3, 3, 1}),
        "zero_padding2d: before is (9223372036854775807, 9223372036854775807), expected at most "
        "2147483647",
        ArgumentError);
    CHECK_THROWS_WITH_AS(Layer(ZeroPadding2D{}, {9}),
                         doctest::Contains("zero_padding2d: input has shape (None, 9), expected "),
                         ShapeError);
}
