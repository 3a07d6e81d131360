#include "weft/layers/batch_norm.hpp"

#include "tests/support/reference_checks.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// Checks every call of the case, one after another: y, the moving statistics and, in training,
/// all gradients.
template <class Scalar>
Verdict matches_calls(const ReferenceCase& expected) {
    // In a channel that does not vary, a mean that is off by 2^-53 of it is divided by
    // sqrt(epsilon): 1e-14 where Keras or we should have 0. The floor makes at most 1e-12 of it.
    constexpr Bound bound = {same_as_reference<Scalar>.gap,
                             std::max(same_as_reference<Scalar>.floor, 0.1)};
    const BatchNorm norm{.momentum = expected.at("momentum"),
                         .epsilon = expected.at("epsilon"),
                         .center = expected.at("center"),
                         .scale = expected.at("scale")};
    const auto& calls = expected.at("calls");
    const auto sample = reference_tensor(calls.at(0).at("x")).shape().sample();
    SingleLayer<Scalar> layer(norm, sample);
    for (const ParameterInfo& info : layer.parameters()) {
        const auto value =
            reference_tensor<Scalar>(expected.at(info.name.substr(info.name.rfind('/') + 1)));
        std::ranges::copy(value, layer.parameter(info).begin());
    }
    Verdict verdict;
    for (const auto& call : calls) {
        const auto check = [&](const char* field, const auto& actual) {
            verdict.add(field, largest_gap(actual, reference_tensor(call.at(field)), bound.floor),
                        bound.gap);
        };
        layer.training = call.at("training");
        const auto x = reference_tensor<Scalar>(call.at("x"));
        const auto y = layer.forward(x);
        check("y", y);
        check("moving_mean", layer.parameter("moving_mean"));
        check("moving_variance", layer.parameter("moving_variance"));
        if (!layer.training) continue;
        check("dx", layer.backward(x, y, reference_tensor<Scalar>(call.at("dy"))));
        if (norm.scale) check("dgamma", layer.gradient("gamma"));
        if (norm.center) check("dbeta", layer.gradient("beta"));
    }
    return verdict;
}

}  // namespace

TEST_CASE("BatchNorm equals Keras in training and in inference, call after call") {
    for (const ReferenceCase& expected : reference_cases("batch_norm.json")) {
        CAPTURE(expected.name());
        CHECK(matches_calls<double>(expected));
        CHECK(matches_calls<float>(expected));
    }
}

TEST_CASE("BatchNorm in training: every gradient agrees with central differences") {
    for (const bool center : {true, false}) {
        for (const bool scale : {true, false}) {
            CAPTURE(center);
            CAPTURE(scale);
            const BatchNorm norm{.center = center, .scale = scale};
            CHECK(gradient_check(norm, {5, 3}));
            CHECK(gradient_check(norm, {2, 3, 4, 5}));
            CHECK(gradient_check(norm, {67, 2}));
        }
    }
}

TEST_CASE("BatchNorm normalises each channel to mean 0 and variance 1") {
    SingleLayer<double> layer(BatchNorm{.epsilon = 1e-12, .center = false, .scale = false},
                              {13, 11, 3});
    const auto x = random_uniform({17, 13, 11, 3}, 2, 3, 8);
    const auto y = layer.forward(x);
    const Index rows = y.size() / 3;
    for (Index c = 0; c < 3; ++c) {
        double sum = 0, squares = 0;
        for (Index i = 0; i < rows; ++i) {
            sum += y[3 * i + c];
            squares += y[3 * i + c] * y[3 * i + c];
        }
        CHECK(std::abs(sum / static_cast<double>(rows)) < 1e-12);
        CHECK(std::abs(squares / static_cast<double>(rows) - 1) < 1e-11);
    }
}

TEST_CASE("BatchNorm: a mean far above the deviation costs no more digits than it must") {
    // float has 24 bits; numbers near 1000 are rounded to 2^-15, 3e-5 of a deviation of 1.
    SingleLayer<float> layer(BatchNorm{.center = false, .scale = false}, {1});
    Tensor<float> x({4096, 1});
    for (Index i = 0; i < 4096; ++i) x[i] = 1000 + (i % 2 == 0 ? 1.0f : -1.0f);
    const auto y = layer.forward(x);
    const double expected = 1 / std::sqrt(1 + 1e-3);
    for (Index i = 0; i < 4096; ++i) {
        CHECK(std::abs(static_cast<double>(y[i]) - (i % 2 == 0 ? expected : -expected)) < 1e-3);
    }
}

TEST_CASE("BatchNorm updates its moving statistics in training only") {
    SingleLayer<double> layer(BatchNorm{.momentum = 0.75}, {2});
    CHECK(identical(layer.parameter("moving_mean"), Tensor<double>({2}, {0, 0})));
    CHECK(identical(layer.parameter("moving_variance"), Tensor<double>({2}, {1, 1})));
    const Tensor<double> x({2, 2}, {1, 4, 3, 4});
    layer.forward(x);
    CHECK(identical(layer.parameter("moving_mean"), Tensor<double>({2}, {0.5, 1})));
    CHECK(identical(layer.parameter("moving_variance"), Tensor<double>({2}, {1, 0.75})));
    layer.training = false;
    layer.forward(x);
    CHECK(identical(layer.parameter("moving_mean"), Tensor<double>({2}, {0.5, 1})));
    CHECK(identical(layer.parameter("moving_variance"), Tensor<double>({2}, {1, 0.75})));
}

TEST_CASE("BatchNorm: 1, 2 and 7 threads leave the same bits") {
    CHECK(same_on_any_threads<float>(BatchNorm{}, {4099, 37}));
    CHECK(same_on_any_threads<double>(BatchNorm{}, {67, 19, 17, 5}));
    CHECK(same_on_any_threads<float>(BatchNorm{.scale = false}, {100003, 1}));
}

TEST_CASE("BatchNorm in inference: a sample's result has the same bits alone and in a batch") {
    SingleLayer<float> layer(BatchNorm{}, {7, 9, 19});
    layer.training = false;
    const auto x = random_normal<float>({5, 7, 9, 19}, 2);
    const auto y = layer.forward(x);
    for (Index n = 0; n < 5; ++n) {
        CHECK(identical(layer.forward(Tensor<float>(x.slice(n, 1))), y.slice(n, 1)));
    }
}

TEST_CASE("BatchNorm keeps a NaN within its channel") {
    SingleLayer<float> layer(BatchNorm{}, {9});
    auto x = random_normal<float>({5, 9}, 2);
    x(3, 4) = std::numeric_limits<float>::quiet_NaN();
    const auto y = layer.forward(x);
    for (Index i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i % 9 == 4));
}

TEST_CASE("BatchNorm of a channel that does not vary stays finite") {
    SingleLayer<float> layer(BatchNorm{}, {2});
    Tensor<float> x({8, 2});
    std::ranges::fill(x, 3.0f);
    const auto y = layer.forward(x);
    const auto dx = layer.backward(x, y, random_normal<float>({8, 2}, 3));
    for (Index i = 0; i < y.size(); ++i) CHECK((std::isfinite(y[i]) && std::isfinite(dx[i])));
    const Tensor<float> one({1, 2}, {5, -7});
    CHECK(identical(layer.forward(one).sample(0), layer.parameter("beta")));
}

TEST_CASE("BatchNorm has the parameters it is told to have") {
    const auto count = [](const BatchNorm& norm, bool trainable) {
        const SingleLayer<float> layer(norm, {4, 3});
        return std::ranges::count_if(layer.parameters(), [&](const ParameterInfo& info) {
            CHECK(info.slot.shape == Shape{3});
            return info.slot.trainable == trainable;
        });
    };
    CHECK(count({}, true) == 2);
    CHECK(count({.center = false}, true) == 1);
    CHECK(count({.scale = false}, true) == 1);
    CHECK(count({.center = false, .scale = false}, true) == 0);
    CHECK(count({}, false) == 2);
    CHECK(LayerDeclaration<float, Cpu>(BatchNorm{}).name() == "batch_norm");
}

TEST_CASE("BatchNorm refuses bad options and inputs, by name") {
    using Layer = SingleLayer<float>;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_WITH_AS(Layer(BatchNorm{.momentum = 1}, {3}),
                         "batch_norm: momentum is 1, expected a number in [0, 1)", ArgumentError);
    for (const double momentum : {-0.1, 1.5, nan}) {
        CHECK_THROWS_WITH_AS(Layer(BatchNorm{.momentum = momentum}, {3}),
                             doctest::Contains("batch_norm: momentum is "), ArgumentError);
    }
    CHECK_THROWS_WITH_AS(Layer(BatchNorm{.epsilon = 0}, {3}),
                         "batch_norm: epsilon is 0, expected a positive number", ArgumentError);
    for (const double epsilon : {-1e-3, nan}) {
        CHECK_THROWS_WITH_AS(Layer(BatchNorm{.epsilon = epsilon}, {3}),
                             doctest::Contains("batch_norm: epsilon is "), ArgumentError);
    }
    CHECK_THROWS_WITH_AS(Layer(BatchNorm{}, {3, 0}),
                         "batch_norm: input has shape (None, 3, 0), expected (None, ..., channels)",
                         ShapeError);
    CHECK_THROWS_AS(Layer(BatchNorm{}, Shape{}), ShapeError);
}
