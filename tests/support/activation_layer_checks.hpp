/// \file
/// What every activation that is a layer of its own has to hold.
#pragma once

#include "tests/support/reference_checks.hpp"
#include "weft/model/sequential.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <optional>

namespace weft {

template <class Scalar>
bool all_in(const Tensor<Scalar>& x, int low, int high) {
    return std::ranges::all_of(x, [&](Scalar value) {
        return value >= static_cast<Scalar>(low) && value <= static_cast<Scalar>(high);
    });
}

/// Inputs at the ends of the Scalar's range, and near zero.
template <class Scalar>
Tensor<Scalar> extreme_inputs() {
    using Limits = std::numeric_limits<Scalar>;
    return {{3, 6},
            {Limits::max(), Limits::lowest(), 1000, -1000, 100, -100,          //
             Limits::min(), -Limits::min(), Limits::denorm_min(), -0.0, 0, 1,  //
             Limits::lowest(), Limits::lowest(), Limits::lowest(), Limits::lowest(),
             Limits::lowest(), Limits::lowest()}};
}

template <class Scalar, class Declaration>
void check_activation_layer_in(const Declaration& declaration, Activation activation) {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("activations.json")) {
        if (expected.at("type") != Declaration::type) continue;
        ++cases;
        CAPTURE(expected.name());
        CHECK(matches_reference<Scalar>(declaration, expected));
    }
    CHECK(cases >= 4);
    CHECK(same_alone_and_in_a_batch<Scalar>(declaration, {7, 3, 5}));
    CHECK(same_alone_and_in_a_batch<Scalar>(declaration, {3, 131}));
    CHECK(same_on_any_threads<Scalar>(declaration, {1031, 37}));
    CHECK(same_on_any_threads<Scalar>(declaration, {7, 149, 38}));

    SingleLayer<Scalar> layer(declaration, {37});
    CHECK(layer.layer().output_shape() == Shape{37});
    CHECK(layer.parameters().empty());
    CHECK(layer.layer().saved_bytes(5) == 0);
    CHECK(layer.layer().as_activation() == activation);

    // A NaN reaches its own sample's output, in a vector register and in the tail, and no other.
    for (Index place = 0; place < 37; ++place) {
        auto x = random_normal<Scalar>({3, 37}, 2);
        x(1, place) = std::numeric_limits<Scalar>::quiet_NaN();
        const auto y = layer.forward(x);
        CHECK(std::isnan(y(1, place)));
        for (Index i = 0; i < 37; ++i) CHECK((std::isfinite(y(0, i)) && std::isfinite(y(2, i))));
    }

    SingleLayer<Scalar> narrow(declaration, {6});
    const auto x = extreme_inputs<Scalar>();
    const auto y = narrow.forward(x);
    const auto dx = narrow.backward(x, y, random_normal<Scalar>({3, 6}, 3));
    for (Index i = 0; i < x.size(); ++i) {
        CAPTURE(x[i]);
        CHECK(std::isfinite(y[i]));
        CHECK(std::isfinite(dx[i]));
    }
}

/// Checks the layer as Keras has it, its gradients, shapes, bits, NaN and extremes, in both
/// precisions.
template <class Declaration>
void check_activation_layer(const Declaration& declaration, Activation activation) {
    CHECK(gradient_check(declaration, {3, 5}));
    CHECK(gradient_check(declaration, {2, 3, 5}));
    CHECK(gradient_check(declaration, {3, 2, 6, 5}));
    CHECK(gradient_check(declaration, {1, 4}));
    check_activation_layer_in<double>(declaration, activation);
    check_activation_layer_in<float>(declaration, activation);

    Sequential<float> model{declaration};
    model.build({5});
    const auto x = random_normal<float>({3, 5}, 2);
    CHECK(identical(Sequential<float>(model).predict(x), model.predict(x)));
    CHECK_THROWS_WITH_AS(model.predict(Tensor<float>({3, 4})),
                         doctest::Contains("input has shape (None, 4), expected (None, 5)"),
                         ShapeError);

    Declaration named = declaration;
    CHECK(named == declaration);
    named.name = "other";
    CHECK(named != declaration);
    CHECK(LayerDeclaration<float, Cpu>(named).name() == "other");
}

/// Checks an activation that is no option of Dense: the cases of extra_activations.json, each as
/// declared by of(case) or left out where that is empty; its gradients, also of the variants; bits,
/// NaN and extremes.
template <class Declaration, class Of>
void check_extra_activation_layer(const Of& of, std::initializer_list<Declaration> variants = {}) {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("extra_activations.json")) {
        if (expected.at("type") != Declaration::type) continue;
        const std::optional<Declaration> declaration = of(expected);
        if (!declaration) continue;
        ++cases;
        CAPTURE(expected.name());
        CHECK(matches_reference<double>(*declaration, expected));
        CHECK(matches_reference<float>(*declaration, expected));
    }
    CHECK(cases >= 1);

    const Declaration declaration;
    CHECK(gradient_check(declaration, {3, 5}));
    CHECK(gradient_check(declaration, {2, 3, 5}));
    CHECK(gradient_check(declaration, {3, 2, 6, 5}));
    CHECK(gradient_check(declaration, {1, 4}));
    for (const Declaration& variant : variants) CHECK(gradient_check(variant, {3, 5}));

    CHECK(same_on_any_threads<float>(declaration, {1031, 37}));
    CHECK(same_on_any_threads<double>(declaration, {7, 149, 38}));
    CHECK(same_alone_and_in_a_batch<float>(declaration, {7, 3, 5}));
    CHECK(same_alone_and_in_a_batch<double>(declaration, {3, 131}));
    SingleLayer<float> layer(declaration, {37});
    const auto inputs = random_normal<float>({3, 37}, 2);
    const auto in_training = layer.forward(inputs);
    layer.training = false;
    CHECK(identical(layer.forward(inputs), in_training));
    layer.training = true;

    for (Index place = 0; place < 37; ++place) {
        auto x = random_normal<float>({2, 37}, 2);
        x(1, place) = std::numeric_limits<float>::quiet_NaN();
        const auto y = layer.forward(x);
        for (Index i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i == 37 + place));
    }
    SingleLayer<float> narrow(declaration, {6});
    const auto x = extreme_inputs<float>();
    const auto y = narrow.forward(x);
    const auto dx = narrow.backward(x, y, random_normal<float>({3, 6}, 3));
    for (Index i = 0; i < x.size(); ++i) {
        CAPTURE(x[i]);
        CHECK((std::isfinite(y[i]) && std::isfinite(dx[i])));
    }
}

}  // namespace weft
