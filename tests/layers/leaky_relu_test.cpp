#include "weft/layers/leaky_relu.hpp"

#include "tests/support/gradient_check.hpp"
#include "tests/support/reference_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("LeakyReLU equals Keras") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("extra_activations.json")) {
        if (expected.at("type") != "LeakyReLU") continue;
        ++cases;
        CAPTURE(expected.name());
        const LeakyReLU layer{.negative_slope = expected.at("negative_slope").get<double>()};
        CHECK(matches_reference<double>(layer, expected));
        CHECK(matches_reference<float>(layer, expected));
    }
    CHECK(cases >= 1);
}

TEST_CASE("LeakyReLU: the gradient agrees with central differences, in every shape") {
    CHECK(gradient_check(LeakyReLU{}, {3, 5}));
    CHECK(gradient_check(LeakyReLU{}, {2, 3, 5}));
    CHECK(gradient_check(LeakyReLU{}, {3, 2, 6, 5}));
    CHECK(gradient_check(LeakyReLU{}, {1, 4}));
    CHECK(gradient_check(LeakyReLU{.negative_slope = 0.01}, {3, 5}));
    CHECK(gradient_check(LeakyReLU{.negative_slope = 0}, {3, 5}));
}

TEST_CASE("LeakyReLU: the same bits on any threads, alone and in a batch, in inference") {
    CHECK(same_on_any_threads<float>(LeakyReLU{}, {1031, 37}));
    CHECK(same_on_any_threads<double>(LeakyReLU{}, {7, 149, 38}));
    CHECK(same_alone_and_in_a_batch<float>(LeakyReLU{}, {7, 3, 5}));
    CHECK(same_alone_and_in_a_batch<double>(LeakyReLU{}, {3, 131}));
    SingleLayer<float> layer(LeakyReLU{}, {37});
    const auto x = random_normal<float>({3, 37}, 2);
    const auto y = layer.forward(x);
    layer.training = false;
    CHECK(identical(layer.forward(x), y));
}

TEST_CASE("LeakyReLU hands a NaN on to its own place, and stays finite at extremes") {
    SingleLayer<float> layer(LeakyReLU{}, {37});
    for (Index place = 0; place < 37; ++place) {
        auto x = random_normal<float>({2, 37}, 2);
        x(1, place) = std::numeric_limits<float>::quiet_NaN();
        const auto y = layer.forward(x);
        for (Index i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i == 37 + place));
    }
    using Limits = std::numeric_limits<float>;
    SingleLayer<float> narrow(LeakyReLU{}, {6});
    const Tensor<float> x({2, 6},
                          {Limits::max(), Limits::lowest(), 1000, -1000, 100, -100,  //
                           Limits::min(), -Limits::min(), Limits::denorm_min(), -0.0f, 0, 1});
    const auto y = narrow.forward(x);
    const auto dx = narrow.backward(x, y, random_normal<float>({2, 6}, 3));
    for (Index i = 0; i < x.size(); ++i) {
        CAPTURE(x[i]);
        CHECK((std::isfinite(y[i]) && std::isfinite(dx[i])));
    }
}

TEST_CASE("LeakyReLU refuses a bad negative_slope, by name") {
    using Layer = SingleLayer<float>;
    for (const double value : {-0.1, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_WITH_AS(Layer(LeakyReLU{value}, {3}),
                             doctest::Contains("leaky_re_lu: negative_slope is "), ArgumentError);
    }
}
