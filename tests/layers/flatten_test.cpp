#include "weft/layers/flatten.hpp"

#include "tests/support/reference_checks.hpp"
#include "weft/layers/dense.hpp"
#include "weft/model/sequential.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

const Flatten first{.data_format = channels_first};

}  // namespace

TEST_CASE("Flatten keeps the order of channels last data and shares its memory") {
    const SingleLayer<float> layer(Flatten{}, {2, 3, 4});
    CHECK(layer.layer().is_view());
    CHECK(layer.layer().output_shape() == Shape{24});
    CHECK(layer.parameters().empty());

    Sequential<float> model{Flatten{}};
    model.build({2, 3});
    auto workspace = model.make_workspace(4, PassKind::training);
    const auto x = random_normal<float>({4, 2, 3}, 2);
    model.forward(workspace, x, {.training = true});
    const auto y = model.output(workspace, x, 0);
    CHECK(y.shape() == Shape{4, 6});
    CHECK(y.data() == x.data());
    CHECK(identical(model.predict(x), x.view().reshape({4, 6})));
}

TEST_CASE("Flatten behind a layer shares that layer's memory") {
    Sequential<float> model{Dense{.units = 3}, Flatten{}, Dense{.units = 2}};
    model.build({4, 5});
    auto workspace = model.make_workspace(7, PassKind::observed);
    const auto x = random_normal<float>({7, 4, 5}, 2);
    model.forward(workspace, x, {.training = true});
    CHECK(model.output(workspace, x, 1).data() == model.output(workspace, x, 0).data());
    CHECK(model.output(workspace, x, 1).shape() == Shape{7, 12});
}

TEST_CASE("Flatten moves channels that come first to the end") {
    SingleLayer<double> layer(first, {2, 3});
    CHECK_FALSE(layer.layer().is_view());
    // Two channels of three positions, in two samples.
    const Tensor<double> x({2, 2, 3}, {1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60});
    const auto y = layer.forward(x);
    CHECK(identical(y, Tensor<double>({2, 6}, {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60})));
    CHECK(identical(layer.backward(x, y, y), x));
    layer.backward_without_dx(x, y, y);
}

TEST_CASE("Flatten equals Keras") {
    for (const ReferenceCase& expected : reference_cases("flatten.json")) {
        CAPTURE(expected.name());
        const bool is_first = expected.at("data_format") == "channels_first";
        CHECK(matches_reference<double>(is_first ? first : Flatten{}, expected));
        CHECK(matches_reference<float>(is_first ? first : Flatten{}, expected));
    }
}

TEST_CASE("Flatten: every gradient agrees with central differences") {
    CHECK(gradient_check(Flatten{}, {2, 3, 4}));
    CHECK(gradient_check(first, {5}));
    CHECK(gradient_check(first, {3, 4}));
    CHECK(gradient_check(first, {2, 3, 4}));
    CHECK(gradient_check(first, {2, 3, 4, 5}));
    CHECK(gradient_check(first, {1, 3, 4}));
}

TEST_CASE("Flatten: 1, 2 and 7 threads leave the same bits, alone and in any batch") {
    CHECK(same_on_any_threads<float>(first, {1031, 5, 7}));
    CHECK(same_on_any_threads<double>(first, {7, 3, 101, 103}));
    CHECK(same_alone_and_in_a_batch<float>(first, {7, 3, 4, 5}));
}

TEST_CASE("Flatten has nothing to move where there is one axis or none") {
    for (const Flatten& flatten : {Flatten{}, first}) {
        CHECK(SingleLayer<float>(flatten, {5}).layer().is_view());
        CHECK(SingleLayer<float>(flatten, {5}).layer().output_shape() == Shape{5});
        CHECK(SingleLayer<float>(flatten, Shape{}).layer().is_view());
        CHECK(SingleLayer<float>(flatten, Shape{}).layer().output_shape() == Shape{1});
        CHECK(SingleLayer<float>(flatten, {0, 3}).layer().output_shape() == Shape{0});
    }
}

TEST_CASE("Flatten of channels first has nothing to move where there are no channels") {
    SingleLayer<float> layer(Flatten{.data_format = channels_first}, {0, 3, 2});
    CHECK(layer.forward(Tensor<float>({2, 0, 3, 2})).shape() == Shape{2, 0});
}

TEST_CASE("Flatten refuses another shape than it was built for") {
    const Sequential<float> model{Input{{2, 3}}, Flatten{}};
    CHECK_THROWS_WITH_AS(model.predict(Tensor<float>({4, 3, 2})),
                         "flatten: input has shape (None, 3, 2), expected (None, 2, 3)",
                         ShapeError);
}

TEST_CASE("Flatten passes a NaN and extremes through") {
    const float infinity = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    SingleLayer<float> layer(first, {2, 2});
    CHECK(identical(layer.forward({{1, 2, 2}, {nan, infinity, 3e38f, -0.0f}}),
                    Tensor<float>({1, 4}, {nan, 3e38f, infinity, -0.0f})));
}

TEST_CASE("Flatten: a copy of a model equals the original") {
    const Sequential<float> model{Input{{2, 3}}, first};
    const auto x = random_normal<float>({4, 2, 3}, 2);
    CHECK(identical(Sequential<float>(model).predict(x), model.predict(x)));
}

TEST_CASE("Flatten declarations are data") {
    CHECK(Flatten{} == Flatten{});
    CHECK(Flatten{} != first);
    CHECK(Flatten{.name = "flat"} != Flatten{});
    CHECK(LayerDeclaration<float, Cpu>(Flatten{}).name() == "flatten");
}
