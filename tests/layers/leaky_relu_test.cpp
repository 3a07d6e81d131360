#include "weft/layers/leaky_relu.hpp"

#include "tests/support/activation_layer_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("LeakyReLU equals Keras, has its gradients, the same bits, and holds at extremes") {
    check_extra_activation_layer<LeakyReLU>(
        [](const ReferenceCase& expected) {
            return std::optional(
                LeakyReLU{.negative_slope = expected.at("negative_slope").get<double>()});
        },
        {LeakyReLU{.negative_slope = 0.01}, LeakyReLU{.negative_slope = 0}});
}

TEST_CASE("LeakyReLU refuses a bad negative_slope, by name") {
    using Layer = SingleLayer<float>;
    for (const double value : {-0.1, std::numeric_limits<double>::quiet_NaN(),
                               std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_WITH_AS(Layer(LeakyReLU{value}, {3}),
                             doctest::Contains("leaky_re_lu: negative_slope is "), ArgumentError);
    }
}
