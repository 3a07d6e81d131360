#include "weft/layers/max_pool2d.hpp"

#include "tests/support/gradient_check.hpp"
#include "tests/support/reference_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// The declaration of a reference case.
MaxPool2D pool_of(const ReferenceCase& expected) {
    const auto extent = [&](const char* field) {
        return Extent2D(expected.at(field).at(0).get<Index>(),
                        expected.at(field).at(1).get<Index>());
    };
    return {.pool_size = extent("pool_size"),
            .strides = extent("strides"),
            .padding = expected.at("padding") == "same" ? same : valid};
}

}  // namespace

TEST_CASE("MaxPool2D equals Keras") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("pooling.json")) {
        if (expected.at("type") != "MaxPooling2D") continue;
        ++cases;
        CAPTURE(expected.name());
        CHECK(matches_reference<double>(pool_of(expected), expected));
        CHECK(matches_reference<float>(pool_of(expected), expected));
    }
    CHECK(cases >= 10);
}

TEST_CASE("MaxPool2D sums the gradients of windows that overlap, of equals for the first") {
    SingleLayer<double> layer(MaxPool2D{.pool_size = 2, .strides = 1}, {3, 3, 1});
    const Tensor<double> x({1, 3, 3, 1}, {1, 2, 3, 4, 9, 5, 6, 7, 8});
    auto y = layer.forward(x);
    CHECK(identical(y, Tensor<double>({1, 2, 2, 1}, {9, 9, 9, 9})));
    const Tensor<double> dy({1, 2, 2, 1}, {1, 2, 4, 8});
    CHECK(identical(layer.backward(x, y, dy),
                    Tensor<double>({1, 3, 3, 1}, {0, 0, 0, 0, 15, 0, 0, 0, 0})));

    const Tensor<double> equal({1, 3, 3, 1}, {5, 5, 5, 5, 5, 5, 5, 5, 5});
    y = layer.forward(equal);
    CHECK(identical(layer.backward(equal, y, dy),
                    Tensor<double>({1, 3, 3, 1}, {1, 2, 0, 4, 8, 0, 0, 0, 0})));
}

TEST_CASE("MaxPool2D: the gradient agrees with central differences") {
    CHECK(gradient_check(MaxPool2D{}, {2, 6, 5, 3}));
    CHECK(gradient_check(MaxPool2D{.pool_size = 3, .strides = 2, .padding = same}, {2, 6, 5, 3}));
    CHECK(gradient_check(MaxPool2D{.pool_size = {2, 3}, .strides = {1, 2}}, {1, 4, 7, 2}));
}

TEST_CASE("MaxPool2D keeps a NaN in every window that holds one, and in no other") {
    SingleLayer<float> layer(MaxPool2D{}, {4, 4, 9});
    for (Index row = 0; row < 2; ++row) {
        for (Index column = 0; column < 2; ++column) {
            for (Index channel = 0; channel < 9; ++channel) {
                auto x = random_normal<float>({2, 4, 4, 9}, 2);
                x(1, 2 + row, column, channel) = std::numeric_limits<float>::quiet_NaN();
                const auto y = layer.forward(x);
                for (Index i = 0; i < y.size(); ++i) {
                    CHECK(std::isnan(y[i]) == (&y[i] == &y(1, 1, 0, channel)));
                }
            }
        }
    }
}

TEST_CASE("MaxPool2D: the padding is never the largest, not even of negative infinities") {
    SingleLayer<float> layer(MaxPool2D{.pool_size = 3, .strides = 1, .padding = same}, {3, 4, 2});
    for (const float value :
         {-1.0f, -std::numeric_limits<float>::max(), -std::numeric_limits<float>::infinity()}) {
        Tensor<float> x({2, 3, 4, 2});
        std::ranges::fill(x, value);
        const auto y = layer.forward(x);
        CHECK(identical(y, x));
        Tensor<float> dy(y.shape());
        std::ranges::fill(dy, 1.0f);
        float sum = 0;
        for (const float dx : layer.backward(x, y, dy)) sum += dx;
        CHECK(sum == 48);
    }
}

TEST_CASE("MaxPool2D: the same bits on any threads, alone and in a batch, in inference") {
    const MaxPool2D overlapping{.pool_size = 3, .strides = 2, .padding = same};
    for (const MaxPool2D& pool : {MaxPool2D{}, overlapping}) {
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
}

TEST_CASE("MaxPool2D infers its shapes, with the pool's size for strides") {
    const auto output = [](const MaxPool2D& pool, const Shape& input) {
        return SingleLayer<float>(pool, input).layer().output_shape();
    };
    CHECK(output({}, {7, 6, 3}) == Shape{3, 3, 3});
    CHECK(output({.padding = same}, {7, 6, 3}) == Shape{4, 3, 3});
    CHECK(output({.pool_size = 3, .strides = 2}, {7, 6, 3}) == Shape{3, 2, 3});
    CHECK(output({.pool_size = {3, 1}}, {7, 6, 3}) == Shape{2, 6, 3});
    CHECK(output({.strides = {1, 2}}, {7, 6, 3}) == Shape{6, 3, 3});
    CHECK(MaxPool2D{.pool_size = {3, 1}}.strides == Extent2D(3, 1));
    CHECK(LayerDeclaration<float, Cpu>(MaxPool2D{}).name() == "max_pool2d");
}

TEST_CASE("MaxPool2D refuses what does not fit, by name") {
    using Layer = SingleLayer<float>;
    CHECK_THROWS_WITH_AS(Layer(MaxPool2D{.pool_size = 0}, {4, 4, 1}),
                         "max_pool2d: pool_size is (0, 0), expected at least 1", ArgumentError);
    CHECK_THROWS_WITH_AS(Layer(MaxPool2D{.strides = {1, -1}}, {4, 4, 1}),
                         "max_pool2d: strides is (1, -1), expected at least 1", ArgumentError);
    CHECK_THROWS_WITH_AS(Layer(MaxPool2D{.strides = 0}, {4, 4, 1}),
                         "max_pool2d: strides is (0, 0), expected at least 1", ArgumentError);
    for (const Shape& shape : {Shape{4}, Shape{4, 4}, Shape{2, 4, 4, 1}, Shape{4, 4, 0}}) {
        CHECK_THROWS_WITH_AS(Layer(MaxPool2D{}, shape),
                             doctest::Contains("expected (None, height, width, channels)"),
                             ShapeError);
    }
    CHECK_THROWS_WITH_AS(Layer(MaxPool2D{}, {28, 28}),
                         "max_pool2d: input has shape (None, 28, 28), expected (None, height, "
                         "width, channels)",
                         ShapeError);
    CHECK_THROWS_WITH_AS(Layer(MaxPool2D{.pool_size = {2, 5}}, {4, 4, 1}),
                         "max_pool2d: input has shape (None, 4, 4, 1), expected height and width "
                         "of at least 2 and 5 for pool_size (2, 5)",
                         ShapeError);
}
