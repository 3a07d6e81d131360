#include "weft/layers/dense.hpp"

#include "tests/support/activations.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/reference_checks.hpp"
#include "tests/support/single_layer.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/elu.hpp"
#include "weft/layers/leaky_relu.hpp"
#include "weft/model/sequential.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace weft;

namespace {

/// The declaration of a reference case.
Dense dense_of(const ReferenceCase& expected) {
    return {.units = expected.at("units").get<Index>(),
            .activation = activation_named(expected.at("activation")),
            .use_bias = expected.at("use_bias").get<bool>()};
}

/// One layer of 3 inputs and 2 units with W and b set by hand.
SingleLayer<double> by_hand(Activation activation, bool use_bias = true) {
    SingleLayer<double> layer(Dense{.units = 2, .activation = activation, .use_bias = use_bias},
                              {3});
    std::ranges::copy(std::array{1.0, -1.0, 0.0, 2.0, 3.0, 0.0}, layer.parameter("kernel").begin());
    if (use_bias) std::ranges::copy(std::array{0.5, -4.0}, layer.parameter("bias").begin());
    return layer;
}

}  // namespace

TEST_CASE("Dense is act(X W + b), with gradients worked by hand") {
    const Tensor<double> x({2, 3}, {1, 2, 3, 4, 5, 6});
    const Tensor<double> dy({2, 2}, {1, 2, 3, 4});
    SUBCASE("linear") {
        auto layer = by_hand(linear);
        const auto y = layer.forward(x);
        CHECK(identical(y, Tensor<double>({2, 2}, {10.5, -1, 22.5, 2})));
        CHECK(identical(layer.backward(x, y, dy), Tensor<double>({2, 3}, {-1, 4, 3, -1, 8, 9})));
        CHECK(
            identical(layer.gradient("kernel"), Tensor<double>({3, 2}, {13, 18, 17, 24, 21, 30})));
        CHECK(identical(layer.gradient("bias"), Tensor<double>({2}, {4, 6})));
    }
    SUBCASE("relu lets no gradient through where z < 0") {
        auto layer = by_hand(relu);
        const auto y = layer.forward(x);
        CHECK(identical(y, Tensor<double>({2, 2}, {10.5, 0, 22.5, 2})));
        CHECK(identical(layer.backward(x, y, dy), Tensor<double>({2, 3}, {1, 0, 3, -1, 8, 9})));
        CHECK(
            identical(layer.gradient("kernel"), Tensor<double>({3, 2}, {13, 16, 17, 20, 21, 24})));
        CHECK(identical(layer.gradient("bias"), Tensor<double>({2}, {4, 4})));
    }
    SUBCASE("without a bias") {
        auto layer = by_hand(linear, false);
        CHECK(identical(layer.forward(x), Tensor<double>({2, 2}, {10, 3, 22, 6})));
        CHECK(layer.parameters().size() == 1);
    }
    SUBCASE("a batch of one") {
        auto layer = by_hand(linear);
        const Tensor<double> x_1({1, 3}, {1, 2, 3});
        const auto y = layer.forward(x_1);
        CHECK(identical(y, Tensor<double>({1, 2}, {10.5, -1})));
        const Tensor<double> dy_1({1, 2}, {1, 2});
        CHECK(identical(layer.backward(x_1, y, dy_1), Tensor<double>({1, 3}, {-1, 4, 3})));
        CHECK(identical(layer.gradient("bias"), dy_1.sample(0)));
    }
}

TEST_CASE("Dense: every gradient agrees with central differences") {
    for (const Activation activation : all_activations) {
        for (const bool use_bias : {true, false}) {
            CAPTURE(to_string(activation));
            CAPTURE(use_bias);
            const Dense dense{.units = 4, .activation = activation, .use_bias = use_bias};
            CHECK(gradient_check(dense, {3, 5}));
            CHECK(gradient_check(dense, {2, 3, 5}));
            CHECK(gradient_check(dense, {3, 2, 6, 5}));
            CHECK(gradient_check(dense, {1, 5}));
        }
    }
}

TEST_CASE("Dense: gradients of sizes beyond one tile and one block of the product") {
    // 17 units and 67 rows leave a tail in every register; 517 rows are two blocks of column sums.
    CHECK(gradient_check(Dense{.units = 17, .activation = weft::tanh}, {67, 3}));
    CHECK(gradient_check(Dense{.units = 2, .activation = sigmoid}, {517, 3}));
    CHECK(gradient_check(Dense{.units = 3}, {2, 263}));
}

TEST_CASE("Dense beyond one tile of the product equals the plain sum") {
    SingleLayer<double> layer(Dense{.units = 67}, {300});
    const auto x = random_normal({261, 300}, 2);
    const auto w = layer.parameter("kernel"), b = layer.parameter("bias");
    Tensor<double> expected({261, 67});
    for (Index row = 0; row < 261; ++row) {
        for (Index unit = 0; unit < 67; ++unit) {
            expected(row, unit) = b[unit];
            for (Index k = 0; k < 300; ++k) expected(row, unit) += x(row, k) * w(k, unit);
        }
    }
    // 300 roundings, of partial sums below 100, by 2^-53 each: 3e-12 if all went one way.
    CHECK(largest_gap(layer.forward(x), expected, 1) < 3e-12);
}

TEST_CASE("Dense equals Keras") {
    for (const ReferenceCase& expected : reference_cases("dense.json")) {
        CAPTURE(expected.name());
        CHECK(matches_reference<double>(dense_of(expected), expected));
        CHECK(matches_reference<float>(dense_of(expected), expected));
    }
}

TEST_CASE("Dense sums the gradients of its parameters over the batch, and divides by nothing") {
    SingleLayer<double> layer(Dense{.units = 4, .activation = weft::tanh}, {3, 5});
    const auto x = random_normal({2, 3, 5}, 2);
    const auto dy = random_normal({2, 3, 4}, 3);
    const auto gradients_of = [&](Index first, Index count) {
        const Tensor<double> part(x.slice(first, count));
        layer.backward(part, layer.forward(part), Tensor<double>(dy.slice(first, count)));
        return std::pair(Tensor<double>(layer.gradient("kernel")),
                         Tensor<double>(layer.gradient("bias")));
    };
    const auto [kernel, bias] = gradients_of(0, 2);
    auto [kernel_sum, bias_sum] = gradients_of(0, 1);
    const auto [kernel_1, bias_1] = gradients_of(1, 1);
    for (Index i = 0; i < kernel_sum.size(); ++i) kernel_sum[i] += kernel_1[i];
    for (Index i = 0; i < bias_sum.size(); ++i) bias_sum[i] += bias_1[i];
    CHECK(largest_gap(kernel, kernel_sum) < 1e-12);
    CHECK(largest_gap(bias, bias_sum) < 1e-12);
}

TEST_CASE("Dense leaves its activation out where the loss wants logits") {
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        const Dense dense{.units = 4, .activation = activation};
        SingleLayer<double> layer(dense, {5}), plain(Dense{.units = 4}, {5});
        CHECK(layer.layer().output_activation() == activation);
        layer.logits = true;
        const auto x = random_normal({3, 5}, 2), dy = random_normal({3, 4}, 3);
        const auto z = layer.forward(x);
        CHECK(identical(z, plain.forward(x)));
        CHECK(identical(layer.backward(x, z, dy), plain.backward(x, z, dy)));
        CHECK(identical(layer.gradient("kernel"), plain.gradient("kernel")));
        CHECK(gradient_check(dense, {3, 5}, {.logits = true}));
    }
}

TEST_CASE("Dense computes the same bits in training and in inference") {
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        SingleLayer<float> layer(Dense{.units = 37, .activation = activation}, {3, 19});
        const auto x = random_normal<float>({5, 3, 19}, 2);
        const auto y = layer.forward(x);
        layer.training = false;
        CHECK(identical(layer.forward(x), y));
    }
}

TEST_CASE("Dense infers its shapes") {
    const SingleLayer<float> layer(Dense{.units = 4}, {2, 3, 5});
    CHECK(layer.layer().input_shape() == Shape{2, 3, 5});
    CHECK(layer.layer().output_shape() == Shape{2, 3, 4});
    REQUIRE(layer.parameters().size() == 2);
    CHECK(layer.parameters()[0].name == "dense/kernel");
    CHECK(layer.parameters()[0].slot.shape == Shape{5, 4});
    CHECK(layer.parameters()[1].name == "dense/bias");
    CHECK(layer.parameters()[1].slot.shape == Shape{4});
    CHECK(layer.parameters()[0].slot.trainable);
    CHECK(layer.parameters()[1].slot.trainable);
    CHECK(layer.layer().saved_bytes(7) == 0);
    CHECK_FALSE(layer.layer().is_view());
}

TEST_CASE("Dense starts Glorot uniform with a zero bias, or as it is told") {
    Sequential<double> model{Dense{.units = 30}};
    model.build({20}, 1);
    const double limit = std::sqrt(6.0 / (20 + 30));
    double largest = 0;
    for (const double w : model.parameter("dense/kernel")) largest = std::max(largest, std::abs(w));
    CHECK(largest <= limit);
    CHECK(largest > 0.95 * limit);  // of 600 draws: fails once in 10^13
    for (const double b : model.parameter("dense/bias")) CHECK(b == 0);

    Sequential<double> told{
        Dense{.units = 2, .kernel_initializer = constant(0.25), .bias_initializer = constant(-3)}};
    told.build({4}, 1);
    CHECK(told.predict(Tensor<double>({4}, {1, 2, 3, 4}))[1] == -0.5);
}

TEST_CASE("Dense refuses what does not fit, by name and with both sides") {
    using Layer = SingleLayer<float>;
    CHECK_THROWS_WITH_AS(Layer(Dense{.units = 0}, {5}), "dense: units is 0, expected at least 1",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(Layer(Dense{.units = -3, .name = "head"}, {5}),
                         "head: units is -3, expected at least 1", ArgumentError);
    CHECK_THROWS_WITH_AS(Layer(Dense{.units = 2}, Shape{}),
                         "dense: input has shape (None,), expected (None, ..., features)",
                         ShapeError);
    CHECK_THROWS_WITH_AS(Layer(Dense{.units = 2}, {4, 0}),
                         "dense: input has shape (None, 4, 0), expected (None, ..., features)",
                         ShapeError);
    Sequential model{Input{{7}}, Dense{.units = 2}, Dense{.units = 3, .name = "head"}};
    CHECK_THROWS_WITH_AS(model.predict(Tensor<float>({2, 6})),
                         "dense: input has shape (None, 6), expected (None, 7)", ShapeError);
}

TEST_CASE("Dense takes activations with a number, and refuses one that does not fit") {
    using Layer = SingleLayer<float>;
    const auto x = random_normal<float>({5, 4}, 1);
    const auto equals_layer = [&](Activation activation, const auto& layer) {
        Sequential<float> fused{Dense{3, activation}}, apart{Dense{3}, layer};
        fused.build({4}, 7);
        apart.build({4}, 7);
        CHECK(identical(fused.predict(x), apart.predict(x)));
        CHECK(gradient_check(Dense{3, activation}, {4, 5}));
    };
    equals_layer(leaky_relu(0.125), LeakyReLU{0.125});
    equals_layer(elu(0.5), ELU{0.5});
    const auto refuses = [](Activation activation, const char* message) {
        CHECK_THROWS_WITH_AS(Layer(Dense{3, activation}, {4}), message, ArgumentError);
    };
    refuses(leaky_relu(-1), "dense: negative_slope is -1, expected at least 0");
    refuses(elu(0), "dense: alpha is 0, expected a positive number");
    refuses(relu(0.5), "dense: relu is 0.5, expected no number");
    CHECK_THROWS_WITH_AS(
        Layer(Conv2D{.filters = 2, .kernel_size = 1, .activation = leaky_relu(-1)}, {4, 4, 1}),
        "conv2d: negative_slope is -1, expected at least 0", ArgumentError);
}

TEST_CASE("Dense hands regularisers and constraints on to its parameters, and refuses bad ones") {
    const SingleLayer<float> layer(Dense{.units = 2,
                                         .kernel_regularizer = l2(0.5),
                                         .bias_regularizer = l1(0.25),
                                         .activity_regularizer = l1_l2(1, 2),
                                         .kernel_constraint = max_norm(3),
                                         .bias_constraint = non_negative},
                                   {5});
    CHECK(layer.parameters()[0].regularizer == l2(0.5));
    CHECK(layer.parameters()[1].regularizer == l1(0.25));
    CHECK(layer.parameters()[0].constraint == max_norm(3));
    CHECK(layer.parameters()[1].constraint == non_negative);
    CHECK(layer.layer().activity_regularizer() == l1_l2(1, 2));

    using Layer = SingleLayer<float>;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double factor : {-0.1, nan}) {
        const auto check = [](const Dense& dense, const char* option) {
            CHECK_THROWS_WITH_AS(Layer(dense, {5}), doctest::Contains(option), ArgumentError);
        };
        check({.units = 2, .kernel_regularizer = l1(factor)}, "dense: kernel_regularizer is ");
        check({.units = 2, .bias_regularizer = l2(factor)}, "dense: bias_regularizer is ");
        check({.units = 2, .activity_regularizer = l2(factor)}, "dense: activity_regularizer is ");
        check({.units = 2, .kernel_constraint = max_norm(factor)}, "dense: kernel_constraint is ");
    }
}

TEST_CASE("Dense: a sample's result has the same bits alone and in any batch") {
    // 70 rows of 32 units are packed for the product, one row is not; 300 features are two blocks.
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        for (const Index units : {32, 5}) {
            const Dense dense{.units = units, .activation = activation};
            CHECK(same_alone_and_in_a_batch<float>(dense, {70, 300}));
            CHECK(same_alone_and_in_a_batch<double>(dense, {9, 3, 7}));
        }
    }
}

TEST_CASE("Dense: 1, 2 and 7 threads leave the same bits") {
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        const Dense dense{.units = 37, .activation = activation};
        CHECK(same_on_any_threads<float>(dense, {1031, 19}));
        CHECK(same_on_any_threads<double>(dense, {7, 149, 19}));
    }
}

TEST_CASE("Dense: extreme inputs leave finite outputs and gradients") {
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        SingleLayer<float> layer(Dense{.units = 4, .activation = activation}, {5});
        Tensor<float> x({4, 5});
        std::ranges::fill(x.sample(0), 1e30f);
        std::ranges::fill(x.sample(1), -1e30f);
        std::ranges::fill(x.sample(2), 1e-42f);  // below the smallest normal number
        const auto y = layer.forward(x);
        const auto dx = layer.backward(x, y, random_normal<float>({4, 4}, 3));
        for (const float value : y) CHECK(std::isfinite(value));
        for (const float value : dx) CHECK(std::isfinite(value));
        for (const float value : layer.gradient("kernel")) CHECK(std::isfinite(value));
        for (const float value : layer.gradient("bias")) CHECK(std::isfinite(value));
    }
}

TEST_CASE("Dense passes a NaN on to its sample's outputs, and to no other sample") {
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        SingleLayer<float> layer(Dense{.units = 9, .activation = activation}, {5});
        auto x = random_normal<float>({3, 5}, 2);
        x(1, 2) = std::numeric_limits<float>::quiet_NaN();
        const auto y = layer.forward(x);
        for (Index unit = 0; unit < 9; ++unit) {
            CHECK(std::isfinite(y(0, unit)));
            CHECK(std::isnan(y(1, unit)));
            CHECK(std::isfinite(y(2, unit)));
        }
    }
}

TEST_CASE("Dense: a copy of a model equals the original and lives on its own") {
    Sequential<double> model{Dense{.units = 4, .activation = relu}, Dense{.units = 3}};
    model.build({5}, 1);
    const auto x = random_normal({7, 5}, 2);
    const auto y = model.predict(x);
    Sequential<double> copy = model;
    CHECK(identical(copy.predict(x), y));
    std::ranges::fill(copy.parameter("dense_1/bias"), 100.0);
    CHECK(identical(model.predict(x), y));
    CHECK(copy.predict(x)[0] == y[0] + 100);
}

TEST_CASE("Dense: a repeated pass allocates nothing" *
          doctest::skip(!AllocationCounter::available())) {
    Sequential<float> model{Dense{.units = 37, .activation = softmax}};
    model.build({19}, 1);
    model.set_device(Cpu(2));
    auto workspace = model.make_workspace(600, PassKind::training);
    const auto x = random_normal<float>({600, 19}, 2);
    Tensor<float> gradients(model.trainable_parameters().shape());
    const auto pass = [&] {
        model.forward(workspace, x, {.training = true});
        std::ranges::fill(model.output_gradient(workspace, 600), 1.0f);
        model.backward(workspace, x, {.training = true}, gradients);
    };
    pass();
    const AllocationCounter counter;
    pass();
    pass();
    CHECK(counter.count() == 0);
}

TEST_CASE("Dense declarations are data") {
    const Dense dense{.units = 4, .activation = relu};
    Dense other = dense;
    CHECK(other == dense);
    other.use_bias = false;
    CHECK(other != dense);
    CHECK(Dense{.units = 4} != Dense{.units = 5});
    CHECK(Dense{.units = 4, .kernel_initializer = he_normal} != Dense{.units = 4});
    CHECK(Dense{.units = 4, .name = "head"} != Dense{.units = 4});
    CHECK(Dense{10, softmax} == Dense{.units = 10, .activation = softmax});
}

TEST_CASE("Dense refuses sizes whose product or bytes overflow") {
    const auto build = [](Index features, Index units) {
        Sequential<float>(Dense{.units = units, .use_bias = false}).build({features});
    };
    CHECK_THROWS_AS(build(8, Index{1} << 60), Error);  // 2^63 elements
    CHECK_THROWS_AS(build(4, Index{1} << 60), Error);  // 2^62 elements, 2^64 bytes
    CHECK_THROWS_AS(build(1, std::numeric_limits<Index>::max()), Error);
}
