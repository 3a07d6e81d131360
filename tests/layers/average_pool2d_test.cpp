#include "weft/layers/average_pool2d.hpp"

#include "tests/support/gradient_check.hpp"
#include "tests/support/reference_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// The declaration of a reference case.
AveragePool2D pool_of(const ReferenceCase& expected) {
    const auto extent = [&](const char* field) {
        return Extent2D(expected.at(field).at(0).get<Index>(),
                        expected.at(field).at(1).get<Index>());
    };
    return {.pool_size = extent("pool_size"),
            .strides = extent("strides"),
            .padding = expected.at("padding") == "same" ? same : valid};
}

}  // namespace

TEST_CASE("AveragePool2D equals Keras") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("pooling.json")) {
        if (expected.at("type") != "AveragePooling2D") continue;
        ++cases;
        CAPTURE(expected.name());
        CHECK(matches_reference<double>(pool_of(expected), expected));
        CHECK(matches_reference<float>(pool_of(expected), expected));
    }
    CHECK(cases >= 10);
}

TEST_CASE("AveragePool2D over windows that overlap, and over a border, worked by hand") {
    const Tensor<double> x({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
    SingleLayer<double> layer(AveragePool2D{.pool_size = 2, .strides = 1}, {2, 3, 1});
    auto y = layer.forward(x);
    CHECK(identical(y, Tensor<double>({1, 1, 2, 1}, {3, 4})));
    CHECK(identical(layer.backward(x, y, Tensor<double>({1, 1, 2, 1}, {4, 8})),
                    Tensor<double>({1, 2, 3, 1}, {1, 3, 2, 1, 3, 2})));

    SingleLayer<double> border(AveragePool2D{.padding = same}, {2, 3, 1});
    y = border.forward(x);
    CHECK(identical(y, Tensor<double>({1, 1, 2, 1}, {3, 4.5})));
    CHECK(identical(border.backward(x, y, Tensor<double>({1, 1, 2, 1}, {4, 8})),
                    Tensor<double>({1, 2, 3, 1}, {1, 1, 4, 1, 1, 4})));
}

TEST_CASE("AveragePool2D: the gradient agrees with central differences") {
    CHECK(gradient_check(AveragePool2D{}, {2, 6, 5, 3}));
    CHECK(
        gradient_check(AveragePool2D{.pool_size = 3, .strides = 2, .padding = same}, {2, 6, 5, 3}));
    CHECK(
        gradient_check(AveragePool2D{.pool_size = 3, .strides = 1, .padding = same}, {1, 4, 5, 1}));
    CHECK(gradient_check(AveragePool2D{.pool_size = {2, 3}, .strides = {1, 2}}, {1, 4, 7, 2}));
    CHECK(gradient_check(AveragePool2D{.pool_size = 2, .strides = 3}, {2, 5, 6, 2}));
}

TEST_CASE("AveragePool2D hands a NaN on to its window, and to no other") {
    SingleLayer<float> layer(AveragePool2D{}, {4, 4, 9});
    auto x = random_normal<float>({2, 4, 4, 9}, 2);
    x(1, 2, 1, 7) = std::numeric_limits<float>::quiet_NaN();
    const auto y = layer.forward(x);
    for (Index i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (&y[i] == &y(1, 1, 0, 7)));
}

TEST_CASE("AveragePool2D: the same bits on any threads, alone and in a batch") {
    const AveragePool2D overlapping{.pool_size = 3, .strides = 2, .padding = same};
    for (const AveragePool2D& pool : {AveragePool2D{}, overlapping}) {
        CHECK(same_on_any_threads<float>(pool, {67, 27, 26, 5}));
        CHECK(same_on_any_threads<double>(pool, {3, 67, 65, 32}));
        CHECK(same_alone_and_in_a_batch<float>(pool, {5, 8, 9, 19}));
        CHECK(same_alone_and_in_a_batch<double>(pool, {3, 7, 7, 1}));
    }
}

TEST_CASE("AveragePool2D infers its shapes and refuses what does not fit, by name") {
    using Layer = SingleLayer<float>;
    CHECK(Layer(AveragePool2D{}, {7, 6, 3}).layer().output_shape() == Shape{3, 3, 3});
    CHECK(Layer(AveragePool2D{.padding = same}, {7, 6, 3}).layer().output_shape() ==
          Shape{4, 3, 3});
    CHECK(Layer(AveragePool2D{.strides = {1, 2}}, {7, 6, 3}).layer().output_shape() ==
          Shape{6, 3, 3});
    CHECK(AveragePool2D{.pool_size = {3, 1}}.strides == Extent2D(3, 1));
    CHECK_THROWS_WITH_AS(Layer(AveragePool2D{.pool_size = 0}, {4, 4, 1}),
                         "average_pool2d: pool_size is (0, 0), expected at least 1", ArgumentError);
    CHECK_THROWS_WITH_AS(Layer(AveragePool2D{.strides = 0}, {4, 4, 1}),
                         "average_pool2d: strides is (0, 0), expected at least 1", ArgumentError);
    for (const Shape& shape : {Shape{4}, Shape{4, 4}, Shape{2, 4, 4, 1}, Shape{4, 4, 0}}) {
        CHECK_THROWS_WITH_AS(Layer(AveragePool2D{}, shape),
                             doctest::Contains("expected (None, height, width, channels)"),
                             ShapeError);
    }
    CHECK_THROWS_WITH_AS(Layer(AveragePool2D{}, {28, 28}),
                         "average_pool2d: input has shape (None, 28, 28), expected (None, height, "
                         "width, channels)",
                         ShapeError);
    CHECK_THROWS_WITH_AS(Layer(AveragePool2D{.pool_size = 5}, {4, 4, 1}),
                         "average_pool2d: input has shape (None, 4, 4, 1), expected height and "
                         "width of at least 5 and 5 for pool_size (5, 5)",
                         ShapeError);
}
