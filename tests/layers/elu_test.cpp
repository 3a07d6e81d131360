#include "weft/layers/elu.hpp"

#include "tests/support/activation_layer_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("ELU equals Keras, has its gradients, the same bits, and holds at extremes") {
    check_extra_activation_layer<ELU>(
        [](const ReferenceCase& expected) {
            return std::optional(ELU{.alpha = expected.at("alpha").get<double>()});
        },
        {ELU{.alpha = 0.3}});
}

TEST_CASE("ELU refuses a bad alpha, by name") {
    using Layer = SingleLayer<float>;
    for (const double value : {-0.1, 0.0, std::numeric_limits<double>::quiet_NaN(),
                               std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_WITH_AS(Layer(ELU{value}, {3}), doctest::Contains("elu: alpha is "),
                             ArgumentError);
    }
}
