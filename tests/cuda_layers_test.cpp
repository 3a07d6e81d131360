/// \file
/// The gradients of every layer and loss on a GPU, or on the simulated one, in double.
#include "tests/support/model_gradients.hpp"
#include "weft/cuda.hpp"
#include "weft/testing/gradient_check.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// The layer's check for x of that shape, on a GPU.
GradientCheck check(const LayerDeclaration<double, Cuda>& layer, const Shape& shape,
                    const GradientCheckOptions& options = {}) {
    return gradient_check<Cuda>(layer, shape, options);
}

}  // namespace

TEST_CASE("gradients of layers with parameters on a GPU") {
    for (const Activation activation :
         {linear, relu, sigmoid, weft::tanh, softmax, leaky_relu, elu, gelu, silu}) {
        CAPTURE(to_string(activation));
        CHECK(check(Dense{.units = 4, .activation = activation}, {3, 5}));
        CHECK(check(Conv2D{.filters = 3, .kernel_size = {2, 3}, .activation = activation},
                    {2, 4, 5, 2}));
    }
    CHECK(check(Dense{.units = 4, .use_bias = false}, {3, 2, 5}));
    for (const Padding padding : {valid, same}) {
        CHECK(check(Conv2D{.filters = 2, .kernel_size = 3, .strides = {2, 1}, .padding = padding},
                    {2, 6, 5, 3}));
        CHECK(check(Conv2D{.filters = 2, .kernel_size = 2, .padding = padding, .dilation_rate = 2},
                    {2, 5, 6, 1}));
        CHECK(check(
            Conv2D{
                .filters = 4, .kernel_size = 2, .padding = padding, .groups = 2, .use_bias = false},
            {2, 3, 4, 6}));
    }
    CHECK(check(BatchNorm{}, {7, 3}));
    CHECK(check(BatchNorm{}, {2, 3, 4, 5}));
    CHECK(check(BatchNorm{.center = false, .scale = false}, {5, 4}));
}

TEST_CASE("gradients of a convolution with batch norm, pooling and dropout on a GPU") {
    const auto convolution = [](Activation activation) {
        return Conv2D{.filters = 3, .kernel_size = 2, .padding = same, .activation = activation};
    };
    const BatchNorm norm{};
    const MaxPool2D pool{.padding = same}, overlapping{.pool_size = 3, .strides = 2};
    const std::vector<Sequential<double, Cuda>> models{
        {convolution(relu), norm, pool, Flatten{}, Dense{2}},
        {convolution(linear), norm, pool, Dropout{0.3}, Flatten{}, Dense{2}},
        {convolution(relu), norm, overlapping, Dropout{0.3}, convolution(relu), norm, Dense{2}},
        {convolution(relu), BatchNorm{.center = false, .scale = false}, pool, convolution(relu),
         norm, convolution(linear), norm, GlobalMaxPool2D{}},
    };
    for (std::size_t i = 0; i < models.size(); ++i) {
        CAPTURE(i);
        Sequential<double, Cuda> model = models[i];
        model.build({6, 7, 2}, 3);
        CHECK(has_numerical_gradients<Cuda>(model));
    }
}

TEST_CASE("gradients of layers without parameters on a GPU") {
    for (const Padding padding : {valid, same}) {
        CHECK(check(MaxPool2D{.pool_size = 2, .padding = padding}, {2, 5, 4, 3}));
        CHECK(
            check(MaxPool2D{.pool_size = 3, .strides = {1, 2}, .padding = padding}, {2, 5, 6, 2}));
        CHECK(check(AveragePool2D{.pool_size = {2, 3}, .strides = 1, .padding = padding},
                    {2, 5, 4, 3}));
    }
    CHECK(check(MaxPool2D{.pool_size = 17}, {1, 18, 17, 2}));  // taps in 32 bits
    CHECK(check(GlobalAveragePool2D{}, {2, 3, 5, 4}));
    CHECK(check(GlobalMaxPool2D{}, {2, 3, 5, 4}));
    CHECK(check(Dropout{.rate = 0.4}, {5, 7}));
    CHECK(check(Flatten{.data_format = channels_first}, {2, 3, 4, 5}));
    CHECK(check(ZeroPadding2D{.before = {1, 0}, .after = {0, 2}}, {2, 3, 4, 2}));
    CHECK(check(Rescaling{.scale = 0.5, .offset = -0.1}, {2, 5}));
    CHECK(check(ReLU{}, {3, 5}));
    CHECK(check(LeakyReLU{}, {3, 5}));
    CHECK(check(ELU{0.7}, {3, 5}));
    CHECK(check(GELU{}, {3, 5}));
    CHECK(check(SiLU{}, {3, 5}));
    CHECK(check(Sigmoid{}, {3, 5}));
    CHECK(check(Tanh{}, {3, 5}));
    CHECK(check(Softmax{}, {3, 5}));
}

TEST_CASE("gradients of losses on a GPU") {
    const auto logits = random_normal({4, 3}, 1);
    Tensor<double> probabilities({4, 3},
                                 {0.2, 0.3, 0.5, 0.6, 0.3, 0.1, 0.1, 0.1, 0.8, 0.3, 0.4, 0.3});
    const Tensor<double> labels({4}, {2, 0, 1, 2}), targets = probabilities;
    for (const bool from_logits : {false, true}) {
        CAPTURE(from_logits);
        const auto& x = from_logits ? logits : probabilities;
        CHECK(gradient_check<Cuda>(SparseCategoricalCrossentropy{.from_logits = from_logits}, x,
                                   labels));
        CHECK(gradient_check<Cuda>(
            CategoricalCrossentropy{.from_logits = from_logits, .label_smoothing = 0.1}, x,
            targets));
        CHECK(gradient_check<Cuda>(
            BinaryCrossentropy{.from_logits = from_logits, .label_smoothing = 0.1}, x, targets));
    }
    CHECK(gradient_check<Cuda>(MeanSquaredError{}, logits, targets));
}
