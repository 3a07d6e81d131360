#include "weft/model/inner_model.hpp"

#include "tests/support/compare.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/dense.hpp"
#include "weft/model/functional.hpp"
#include "weft/model/sequential.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// As if it had been trained: no initializer gives these numbers.
Sequential<float> pretrained() {
    Sequential<float> encoder{Input{{3}}, Dense{3}};
    encoder.set_name("encoder");
    for (const ParameterInfo& parameter : encoder.parameters()) {
        for (float& x : encoder.view(parameter.slot)) x = 42;
    }
    return encoder;
}

}  // namespace

TEST_CASE("parameters of a model go with it through a model that is not built") {
    const auto encoder = pretrained();
    const auto x = input({3});
    const auto y = x | Dense{3};
    Model<float> middle(y, encoder(y) | Dense{3});
    middle.set_name("middle");
    REQUIRE_FALSE(middle.is_built());
    // Layers in front, so that the inner one is not the first of either.
    Model<float> outer(x, middle(x | Dense{3}) | Dense{1});
    CHECK(identical(outer.parameter("middle/encoder/dense/kernel"),
                    encoder.parameter("dense/kernel")));
    CHECK(identical(outer.parameter("middle/encoder/dense/bias"), encoder.parameter("dense/bias")));
    CHECK(outer.parameter("dense/kernel")[0] != 42);
    CHECK(outer.parameter("middle/dense/kernel")[0] != 42);
    CHECK(outer.parameter("dense_1/kernel")[0] != 42);
    middle.build({3});
    CHECK(identical(middle.parameter("encoder/dense/kernel"), encoder.parameter("dense/kernel")));
}

TEST_CASE("what a built model has is what counts, also of the models in it") {
    const auto encoder = pretrained();
    const auto x = input({3});
    Model<float> middle(x, encoder(x));
    middle.parameter("encoder/dense/kernel")[0] = 7;  // it was trained on
    const Model<float> outer(x, middle(x));
    CHECK(outer.parameter("functional/encoder/dense/kernel")[0] == 7);
    CHECK(outer.parameter("functional/encoder/dense/kernel")[1] == 42);
}

TEST_CASE("each build starts from the parameters of the models in it") {
    const auto encoder = pretrained();
    const auto x = input({3});
    Model<float> model(x, encoder(x) | Dense{2});
    const Tensor<float> head(model.parameter("dense/kernel"));
    for (const std::uint64_t seed : {7u, 8u}) {
        model.parameter("encoder/dense/kernel")[0] = 7;
        model.build({3}, seed);
        CHECK(
            identical(model.parameter("encoder/dense/kernel"), encoder.parameter("dense/kernel")));
        CHECK_FALSE(identical(model.parameter("dense/kernel"), head));
    }
    // A copy does so, too, and so does a model that is made of it.
    Model<float> copy = model;
    copy.build({3}, 9);
    CHECK(copy.parameter("encoder/dense/kernel")[0] == 42);
    Model<float> outer(x, copy(x));
    outer.parameter("functional/dense/kernel")[0] = 7;
    outer.build({3}, 10);
    CHECK(identical(outer.parameter("functional/dense/kernel"), copy.parameter("dense/kernel")));
}

TEST_CASE("parameters of other shapes than the model's are refused, and it stays as it was") {
    Sequential<float> encoder{Dense{2}};
    encoder.set_name("encoder");
    encoder.build({3});
    const auto x = input({3}), wide = input({4});
    CHECK_THROWS_WITH_AS(
        (Model<float>(wide, encoder(wide))),
        "encoder/dense/kernel: shape (4, 2), expected (3, 2) as in the model that is applied",
        ShapeError);
    const auto y = x | Dense{3};
    Model<float> model(y, encoder(y));
    model.build({3}, 1);
    const Tensor<float> kernel(model.parameter("encoder/dense/kernel"));
    CHECK_THROWS_AS(model.build({4}), ShapeError);
    REQUIRE(model.is_built());
    CHECK(model.input_shape() == Shape{3});
    CHECK(identical(model.parameter("encoder/dense/kernel"), kernel));
}

TEST_CASE("names that clash are refused when the model is made, not when it is saved") {
    const auto x = input({3}, "x"), y = input({3}, "y"), again = input({3}, "x");
    CHECK_NOTHROW(Model<float>({x, y}, add(x, y | Dense{3})));
    CHECK_THROWS_WITH_AS((Model<float>({x, again}, add(x, again))), "model: two inputs are named x",
                         ArgumentError);
    CHECK_THROWS_WITH_AS((Model<float>({x, y}, add(x, y | Dense{.units = 3, .name = "x"}))),
                         "model: an input has the name of a layer, x", ArgumentError);
    // Also where only build knows the shape.
    const auto behind = x | Dense{3};
    CHECK_NOTHROW(Model<float>(behind, add(behind, behind | Dense{3})).build({3}));
    const auto encoder = pretrained();
    const auto code = input({3}, "encoder");
    CHECK_THROWS_WITH_AS((Model<float>(code, encoder(code))),
                         "model: an input has the name of a layer, encoder", ArgumentError);
}

TEST_CASE("/ is no part of a name, because it stands between those of models and layers") {
    const auto refuse = [](const std::string& name) {
        return "model: the name " + name +
               " has a /, expected none: it stands between a model and its layers";
    };
    const auto encoder = pretrained();
    const auto x = input({3}), slash = input({3}, "a/b");
    const Dense dense{.units = 3, .name = "encoder/dense"};
    CHECK_THROWS_WITH_AS((Model<float>(x, encoder(x) | dense)), refuse("encoder/dense").c_str(),
                         ArgumentError);
    CHECK_THROWS_WITH_AS((Sequential<float>{Input{{3}}, dense}), refuse("encoder/dense").c_str(),
                         ArgumentError);
    CHECK_THROWS_WITH_AS((Model<float>(slash, slash | Dense{3})), refuse("a/b").c_str(),
                         ArgumentError);
    Sequential<float> model{Dense{3}};
    model.set_name("kept");
    CHECK_THROWS_WITH_AS(model.set_name("a/b"), refuse("a/b").c_str(), ArgumentError);
    CHECK(model.name() == "kept");
}

TEST_CASE("a model that is applied to another number of values than it has inputs is named") {
    const auto x = input({3}), y = input({3});
    Model<float> pair({x, y}, add(x, y));
    pair.set_name("pair");
    CHECK_THROWS_WITH_AS(pair(x), "pair: 1 inputs, expected 2", ArgumentError);
    CHECK_THROWS_WITH_AS(pair.apply(std::vector{x, y, x}), "pair: 3 inputs, expected 2",
                         ArgumentError);
    Model<float> both(x, {x | Dense{3}, x | Dense{2}});
    both.set_name("both");
    CHECK_THROWS_WITH_AS(both(x), "both: it has 2 outputs, expected 1; apply gives all of them",
                         ArgumentError);
}
