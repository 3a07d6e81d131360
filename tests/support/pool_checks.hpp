/// \file
/// What both pools over windows have to hold.
#pragma once

#include "tests/support/reference_checks.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

namespace weft {

/// Checks a pool against Keras, whose type it has the name of; its bits, shapes and refusals.
template <class Pool>
void check_pool_layer(const std::string& keras_type, const std::string& name) {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("pooling.json")) {
        if (expected.at("type") != keras_type) continue;
        ++cases;
        CAPTURE(expected.name());
        const auto extent = [&](const char* field) {
            return Extent2D(expected.at(field).at(0).get<Index>(),
                            expected.at(field).at(1).get<Index>());
        };
        const Pool pool{.pool_size = extent("pool_size"),
                        .strides = extent("strides"),
                        .padding = expected.at("padding") == "same" ? same : valid};
        CHECK(matches_reference<double>(pool, expected));
        CHECK(matches_reference<float>(pool, expected));
    }
    CHECK(cases >= 10);

    CHECK(gradient_check(Pool{}, {2, 6, 5, 3}));
    CHECK(gradient_check(Pool{.pool_size = 3, .strides = 2, .padding = same}, {2, 6, 5, 3}));
    CHECK(gradient_check(Pool{.pool_size = {2, 3}, .strides = {1, 2}}, {1, 4, 7, 2}));

    for (const Pool& pool : {Pool{}, Pool{.pool_size = 3, .strides = 2, .padding = same}}) {
        CHECK(same_on_any_threads<float>(pool, {67, 27, 26, 5}));
        CHECK(same_on_any_threads<double>(pool, {3, 67, 65, 32}));
        CHECK(same_alone_and_in_a_batch<float>(pool, {5, 8, 9, 19}));
        CHECK(same_alone_and_in_a_batch<double>(pool, {3, 7, 7, 1}));
        SingleLayer<float> layer(pool, {9, 8, 5});
        const auto x = random_normal<float>({3, 9, 8, 5}, 2);
        const auto y = layer.forward(x);
        layer.training = false;
        CHECK(identical(layer.forward(x), y));
    }

    const auto output = [](const Pool& pool, const Shape& input) {
        return SingleLayer<float>(pool, input).layer().output_shape();
    };
    CHECK(output({}, {7, 6, 3}) == Shape{3, 3, 3});
    CHECK(output({.padding = same}, {7, 6, 3}) == Shape{4, 3, 3});
    CHECK(output({.pool_size = 3, .strides = 2}, {7, 6, 3}) == Shape{3, 2, 3});
    CHECK(output({.pool_size = {3, 1}}, {7, 6, 3}) == Shape{2, 6, 3});
    CHECK(output({.strides = {1, 2}}, {7, 6, 3}) == Shape{6, 3, 3});
    CHECK(Pool{.pool_size = {3, 1}}.strides == Extent2D(3, 1));
    CHECK(LayerDeclaration<float, Cpu>(Pool{}).name() == name);

    const auto refused = [&](const Pool& pool, const Shape& input, auto error,
                             const std::string& message) {
        using Expected = decltype(error);
        CHECK_THROWS_WITH_AS(SingleLayer<float>(pool, input), concat(name, ": ", message).c_str(),
                             Expected);
    };
    const ArgumentError bad_option("");
    const ShapeError bad_input("");
    refused({.pool_size = 0}, {4, 4, 1}, bad_option, "pool_size is (0, 0), expected at least 1");
    refused({.strides = {1, -1}}, {4, 4, 1}, bad_option, "strides is (1, -1), expected at least 1");
    refused({.strides = 0}, {4, 4, 1}, bad_option, "strides is (0, 0), expected at least 1");
    for (const Shape& shape : {Shape{4}, Shape{28, 28}, Shape{2, 4, 4, 1}, Shape{4, 4, 0}}) {
        refused({}, shape, bad_input,
                concat("input has shape ", shape.to_batch_string(),
                       ", expected (None, height, width, channels)"));
    }
    refused({.pool_size = {2, 5}}, {4, 4, 1}, bad_input,
            "input has shape (None, 4, 4, 1), expected height and width of at least 2 and 5 for "
            "pool_size (2, 5)");
}

}  // namespace weft
