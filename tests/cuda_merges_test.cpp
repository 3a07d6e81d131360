/// \file
/// The gradients of layers with several inputs on a GPU, or on the simulated one, in double.
#include "tests/support/model_gradients.hpp"
#include "weft/cuda.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("gradients of layers with several inputs, and of values read more than once, on a GPU") {
    const auto x = input<double, Cuda>({2, 3});
    const auto left = x | Dense{2, weft::tanh}, right = x | Dense{.units = 2, .use_bias = false};
    const auto once = left | Flatten{};
    const SharedLayer<double, Cuda> tower(Dense{.units = 4, .activation = sigmoid});
    const std::vector<Value<double, Cuda>> outputs{
        add(left, right),
        add(left, right, left) | ReLU{} | BatchNorm{},
        multiply(left, right),
        multiply(left, left, right) | Dense{2, gelu},
        concatenate(left, right, left) | Dense{2},
        merge<double, Cuda>(Concatenate{.axis = 1}, {left, right}) | Flatten{} | Dense{2},
        add(left | Reshape{{4}}, right | Flatten{} | Dropout{.rate = 0.3}),
        add(once, once | Dense{.units = 4, .activation = relu} | Dense{4}),
        multiply(once | tower, once | tower | tower),
    };
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        CAPTURE(i);
        Model<double, Cuda> model(x, outputs[i]);
        CHECK(has_numerical_gradients(model));
    }
}
