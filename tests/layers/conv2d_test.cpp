#include "weft/layers/conv2d.hpp"

#include "tests/support/activations.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/reference_checks.hpp"
#include "tests/support/single_layer.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace weft;

namespace {

Extent2D extent_of(const nlohmann::json& field) {
    return {field.at(0).get<Index>(), field.at(1).get<Index>()};
}

/// The declaration of a reference case.
Conv2D conv2d_of(const ReferenceCase& expected) {
    return {.filters = expected.at("filters").get<Index>(),
            .kernel_size = extent_of(expected.at("kernel_size")),
            .strides = extent_of(expected.at("strides")),
            .padding = expected.at("padding") == "same" ? same : valid,
            .dilation_rate = extent_of(expected.at("dilation_rate")),
            .groups = expected.at("groups").get<Index>(),
            .activation = activation_named(expected.at("activation")),
            .use_bias = expected.at("use_bias").get<bool>()};
}

/// The kinds of convolution, each for images of 3 or more channels that 2 divides.
std::vector<Conv2D> kinds() {
    return {{.filters = 4, .kernel_size = 3},
            {.filters = 4, .kernel_size = 1},
            {.filters = 6, .kernel_size = {3, 2}, .strides = 2},
            {.filters = 4, .kernel_size = 3, .strides = {2, 3}, .padding = same},
            {.filters = 4, .kernel_size = 2, .padding = same},
            {.filters = 4, .kernel_size = {2, 4}, .strides = {1, 2}, .padding = same},
            {.filters = 4, .kernel_size = 3, .padding = same, .dilation_rate = 2},
            {.filters = 4, .kernel_size = 2, .dilation_rate = {2, 3}, .use_bias = false},
            {.filters = 6, .kernel_size = 3, .groups = 2},
            {.filters = 8, .kernel_size = 3, .strides = 2, .padding = same, .groups = 4}};
}

}  // namespace

TEST_CASE("Conv2D is a cross-correlation, worked by hand") {
    SingleLayer<double> layer(Conv2D{.filters = 1, .kernel_size = 2}, {2, 3, 1});
    std::ranges::copy(std::array{1.0, 2.0, 3.0, -4.0}, layer.parameter("kernel").begin());
    layer.parameter("bias")[0] = 0.5;
    const Tensor<double> x({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
    const auto y = layer.forward(x);
    // 1 + 4 + 12 - 20 and 2 + 6 + 15 - 24, and the bias.
    CHECK(identical(y, Tensor<double>({1, 1, 2, 1}, {-2.5, -0.5})));
    const Tensor<double> dy({1, 1, 2, 1}, {1, 10});
    CHECK(identical(layer.backward(x, y, dy),
                    Tensor<double>({1, 2, 3, 1}, {1, 2 + 10, 20, 3, -4 + 30, -40})));
    CHECK(identical(layer.gradient("kernel"), Tensor<double>({2, 2, 1, 1}, {21, 32, 54, 65})));
    CHECK(layer.gradient("bias")[0] == 11);
}

TEST_CASE("Conv2D equals Keras") {
    for (const ReferenceCase& expected : reference_cases("conv2d.json")) {
        CAPTURE(expected.name());
        CHECK(matches_reference<double>(conv2d_of(expected), expected));
        CHECK(matches_reference<float>(conv2d_of(expected), expected));
    }
}

TEST_CASE("Conv2D: every gradient agrees with central differences") {
    for (const Conv2D& conv : kinds()) {
        CAPTURE(concat(conv.kernel_size, conv.strides, conv.dilation_rate, conv.groups));
        CHECK(gradient_check(conv, {2, 7, 6, 4}));
        CHECK(gradient_check(conv, {1, 5, 7, 4}));
    }
}

TEST_CASE("Conv2D: the gradients of all activations, also those taken from the input") {
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        const Conv2D conv{
            .filters = 3, .kernel_size = 3, .padding = same, .activation = activation};
        CHECK(gradient_check(conv, {2, 4, 5, 2}));
        CHECK(gradient_check(conv, {2, 4, 5, 2}, {.logits = true}));
        SingleLayer<double> layer(conv, {4, 5, 2});
        CHECK(layer.layer().output_activation() == activation);
        CHECK(layer.layer().saved_bytes(2) == 0);
    }
}

TEST_CASE("Conv2D beyond one tile of the product equals the plain sum") {
    SingleLayer<double> layer(Conv2D{.filters = 35, .kernel_size = 3, .strides = 2}, {33, 29, 19});
    const auto x = random_normal({3, 33, 29, 19}, 2);
    const auto w = layer.parameter("kernel"), b = layer.parameter("bias");
    Tensor<double> expected({3, 16, 14, 35});
    for (Index n = 0; n < 3; ++n) {
        for (Index o = 0; o < 16; ++o) {
            for (Index p = 0; p < 14; ++p) {
                for (Index f = 0; f < 35; ++f) {
                    double sum = b[f];
                    for (Index i = 0; i < 3; ++i) {
                        for (Index j = 0; j < 3; ++j) {
                            for (Index c = 0; c < 19; ++c) {
                                sum += x(n, 2 * o + i, 2 * p + j, c) * w(i, j, c, f);
                            }
                        }
                    }
                    expected(n, o, p, f) = sum;
                }
            }
        }
    }
    // 171 roundings, of partial sums below 100, by 2^-53 each: 2e-12 if all went one way.
    CHECK(largest_gap(layer.forward(x), expected, 1) < 2e-12);
}

TEST_CASE("Conv2D: 1, 2 and 7 threads leave the same bits") {
    for (const Conv2D& conv : kinds()) {
        CAPTURE(concat(conv.kernel_size, conv.strides, conv.dilation_rate, conv.groups));
        CHECK(same_on_any_threads<float>(conv, {37, 17, 15, 8}));
        CHECK(same_on_any_threads<double>(conv, {3, 31, 29, 4}));
    }
    CHECK(same_on_any_threads<float>(Conv2D{.filters = 32, .kernel_size = 3, .activation = relu},
                                     {67, 28, 28, 1}));
    CHECK(same_on_any_threads<float>(Conv2D{.filters = 33, .kernel_size = 3, .activation = gelu},
                                     {19, 13, 13, 32}));
}

TEST_CASE("Conv2D: a sample's result has the same bits alone and in any batch") {
    for (const Conv2D& conv : kinds()) {
        CAPTURE(concat(conv.kernel_size, conv.strides, conv.dilation_rate, conv.groups));
        CHECK(same_alone_and_in_a_batch<float>(conv, {5, 9, 8, 4}));
        CHECK(same_alone_and_in_a_batch<double>(conv, {3, 7, 11, 8}));
    }
    for (const Activation activation : {relu, gelu, softmax}) {
        const Conv2D conv{.filters = 32, .kernel_size = 3, .activation = activation};
        CHECK(same_alone_and_in_a_batch<float>(conv, {7, 14, 14, 16}));
    }
}

TEST_CASE("Conv2D infers its shapes") {
    const auto output = [](const Conv2D& conv, const Shape& input) {
        return SingleLayer<float>(conv, input).layer().output_shape();
    };
    CHECK(output({.filters = 8, .kernel_size = 3}, {28, 28, 1}) == Shape{26, 26, 8});
    CHECK(output({.filters = 8, .kernel_size = 3, .padding = same}, {28, 27, 1}) ==
          Shape{28, 27, 8});
    CHECK(output({.filters = 8, .kernel_size = {3, 5}, .strides = {2, 3}}, {28, 28, 1}) ==
          Shape{13, 8, 8});
    CHECK(output({.filters = 8, .kernel_size = 3, .strides = 2, .padding = same}, {7, 8, 1}) ==
          Shape{4, 4, 8});
    CHECK(output({.filters = 8, .kernel_size = 3, .dilation_rate = 2}, {7, 5, 1}) ==
          Shape{3, 1, 8});

    const SingleLayer<float> layer(Conv2D{.filters = 6, .kernel_size = {3, 2}, .groups = 2},
                                   {5, 5, 4});
    REQUIRE(layer.parameters().size() == 2);
    CHECK(layer.parameters()[0].name == "conv2d/kernel");
    CHECK(layer.parameters()[0].slot.shape == Shape{3, 2, 2, 6});
    CHECK(layer.parameters()[1].name == "conv2d/bias");
    CHECK(layer.parameters()[1].slot.shape == Shape{6});
}

TEST_CASE("Conv2D passes a NaN on to the outputs whose window holds it, and to no other") {
    SingleLayer<float> layer(Conv2D{.filters = 3, .kernel_size = 3, .padding = same}, {6, 6, 2});
    auto x = random_normal<float>({2, 6, 6, 2}, 2);
    x(1, 2, 3, 1) = std::numeric_limits<float>::quiet_NaN();
    const auto y = layer.forward(x);
    for (Index n = 0; n < 2; ++n) {
        for (Index o = 0; o < 6; ++o) {
            for (Index p = 0; p < 6; ++p) {
                const bool near = n == 1 && std::abs(o - 2) <= 1 && std::abs(p - 3) <= 1;
                for (Index f = 0; f < 3; ++f) CHECK(std::isnan(y(n, o, p, f)) == near);
            }
        }
    }
}

TEST_CASE("Conv2D refuses what does not fit, by name and with both sides") {
    using Layer = SingleLayer<float>;
    const auto refused = [](const Conv2D& conv, const char* complaint) {
        CHECK_THROWS_WITH_AS(Layer(conv, {5, 5, 4}), doctest::Contains(complaint), ArgumentError);
    };
    refused({.filters = 0, .kernel_size = 3}, "conv2d: filters is 0, expected at least 1");
    refused({.filters = -2, .kernel_size = 3, .name = "stem"}, "stem: filters is -2, expected ");
    refused({.filters = 2, .kernel_size = 0}, "conv2d: kernel_size is (0, 0), expected at least 1");
    refused({.filters = 2, .kernel_size = {3, 0}}, "conv2d: kernel_size is (3, 0)");
    refused({.filters = 2, .kernel_size = 3, .strides = 0}, "conv2d: strides is (0, 0)");
    refused({.filters = 2, .kernel_size = 3, .strides = {-1, 1}}, "conv2d: strides is (-1, 1)");
    // Sizes whose products would overflow.
    constexpr Index huge = Index{1} << 62;
    refused({.filters = 2, .kernel_size = 3, .padding = same, .dilation_rate = {1, huge}},
            "conv2d: dilation_rate is (1, 4611686018427387904), expected at most 2147483647");
    refused({.filters = 2, .kernel_size = huge}, "conv2d: kernel_size is (4611686018427387904");
    refused({.filters = 2, .kernel_size = 3, .strides = std::numeric_limits<Index>::max()},
            "conv2d: strides is (9223372036854775807, 9223372036854775807), expected at most");
    refused({.filters = 2, .kernel_size = 3, .dilation_rate = 0}, "conv2d: dilation_rate is ");
    refused({.filters = 2, .kernel_size = 3, .dilation_rate = {1, -2}},
            "conv2d: dilation_rate is (1, -2), expected at least 1");
    refused({.filters = 2, .kernel_size = 3, .groups = 0}, "conv2d: groups is 0");
    refused({.filters = 3, .kernel_size = 3, .groups = 2},
            "conv2d: filters is 3, expected a multiple of groups, 2");
    refused({.filters = 2, .kernel_size = 3, .kernel_regularizer = l2(-1)},
            "conv2d: kernel_regularizer is ");
    refused({.filters = 2, .kernel_size = 3, .activity_regularizer = l1(-1)},
            "conv2d: activity_regularizer is ");

    CHECK_THROWS_WITH_AS(Layer(Conv2D{.filters = 3, .kernel_size = 3, .groups = 3}, {5, 5, 4}),
                         doctest::Contains("conv2d: input has shape (None, 5, 5, 4), expected "
                                           "(None, height, width, channels) with channels a "
                                           "multiple of groups, 3"),
                         ShapeError);
    CHECK_THROWS_WITH_AS(Layer(Conv2D{.filters = 3, .kernel_size = {6, 2}}, {5, 5, 4}),
                         "conv2d: input has shape (None, 5, 5, 4), expected height and width of at "
                         "least 6 and 2 for kernel_size (6, 2)",
                         ShapeError);
    CHECK_THROWS_WITH_AS(
        Layer(Conv2D{.filters = 3, .kernel_size = 3, .dilation_rate = 3}, {5, 5, 4}),
        "conv2d: input has shape (None, 5, 5, 4), expected height and width of at least 7 and 7 "
        "for kernel_size (3, 3)",
        ShapeError);
    for (const Shape& shape : {Shape{784}, Shape{28, 28}, Shape{2, 28, 28, 1}, Shape{28, 28, 0}}) {
        CHECK_THROWS_WITH_AS(Layer(Conv2D{.filters = 3, .kernel_size = 3}, shape),
                             doctest::Contains("expected (None, height, width, channels)"),
                             ShapeError);
    }
}

TEST_CASE("Conv2D declarations are data") {
    const Conv2D conv{.filters = 4, .kernel_size = 3};
    CHECK(conv == Conv2D{.filters = 4, .kernel_size = {3, 3}});
    CHECK(conv != Conv2D{.filters = 4, .kernel_size = {3, 2}});
    CHECK(conv != Conv2D{.filters = 4, .kernel_size = 3, .padding = same});
    CHECK(conv.strides == Extent2D(1));
    CHECK(conv.padding == valid);
    CHECK(LayerDeclaration<float, Cpu>(conv).name() == "conv2d");
}
