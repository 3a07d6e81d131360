#include "weft/layers/rescaling.hpp"

#include "tests/support/reference_checks.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("Rescaling equals Keras") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("other_layers.json")) {
        if (expected.at("type") != "Rescaling") continue;
        ++cases;
        CAPTURE(expected.name());
        const Rescaling layer{.scale = expected.at("scale").get<double>(),
                              .offset = expected.at("offset").get<double>()};
        CHECK(matches_reference<double>(layer, expected));
        CHECK(matches_reference<float>(layer, expected));
    }
    CHECK(cases >= 3);
}

TEST_CASE("Rescaling: y = scale x + offset, dx = scale dy") {
    SingleLayer<double> layer(Rescaling{.scale = 2, .offset = -1}, {3});
    const Tensor<double> x({2, 3}, {1, 2, 3, 0, -1, 0.5});
    const auto y = layer.forward(x);
    CHECK(identical(y, Tensor<double>({2, 3}, {1, 3, 5, -1, -3, 0})));
    CHECK(identical(layer.backward(x, y, x), Tensor<double>({2, 3}, {2, 4, 6, 0, -2, 1})));
    CHECK(gradient_check(Rescaling{.scale = -0.3, .offset = 0.7}, {3, 4, 5}));
    CHECK(same_on_any_threads<float>(Rescaling{1.0 / 255}, {1031, 137}));
    CHECK(same_alone_and_in_a_batch<float>(Rescaling{1.0 / 255, 0.1}, {7, 3, 5}));
}

TEST_CASE("Rescaling refuses numbers that are not finite, by name") {
    using Layer = SingleLayer<float>;
    for (const double value :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_WITH_AS(Layer(Rescaling{.scale = value}, {3}),
                             doctest::Contains("rescaling: scale is "), ArgumentError);
        CHECK_THROWS_WITH_AS(Layer(Rescaling{.scale = 1, .offset = value}, {3}),
                             doctest::Contains("rescaling: offset is "), ArgumentError);
    }
}
