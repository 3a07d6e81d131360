#include "weft/layers/gelu.hpp"

#include "tests/support/activation_layer_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("GELU equals Keras, has its gradients, the same bits, and holds at extremes") {
    // Keras's other form, by tanh, is not offered.
    check_extra_activation_layer<GELU>([](const ReferenceCase& expected) {
        return expected.at("approximate") == true ? std::nullopt : std::optional(GELU{});
    });
}
