#include "weft/layers/silu.hpp"

#include "tests/support/activation_layer_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("SiLU equals Keras, has its gradients, the same bits, and holds at extremes") {
    check_extra_activation_layer<SiLU>([](const ReferenceCase&) { return std::optional(SiLU{}); });
}
