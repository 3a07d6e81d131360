#include "weft/layers/global_average_pool2d.hpp"
#include "weft/layers/global_max_pool2d.hpp"

#include "tests/support/reference_checks.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// Checks what both have in common. keras is Keras's name for the layer.
template <class Declaration>
void check_global_pool(const char* keras) {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("pooling.json")) {
        if (expected.at("type") != keras) continue;
        ++cases;
        CAPTURE(expected.name());
        CHECK(matches_reference<double>(Declaration{}, expected));
        CHECK(matches_reference<float>(Declaration{}, expected));
    }
    CHECK(cases >= 4);
    CHECK(gradient_check(Declaration{}, {3, 4, 5, 2}));
    CHECK(gradient_check(Declaration{}, {1, 1, 1, 3}));
    CHECK(same_on_any_threads<float>(Declaration{}, {131, 27, 26, 5}));
    CHECK(same_on_any_threads<double>(Declaration{}, {67, 19, 17, 32}));
    CHECK(same_alone_and_in_a_batch<float>(Declaration{}, {5, 8, 9, 19}));
    CHECK(same_alone_and_in_a_batch<double>(Declaration{}, {3, 7, 7, 1}));

    using Layer = SingleLayer<float>;
    Layer layer(Declaration{}, {4, 3, 9});
    CHECK(layer.layer().output_shape() == Shape{9});
    auto x = random_normal<float>({2, 4, 3, 9}, 2);
    x(1, 2, 1, 7) = std::numeric_limits<float>::quiet_NaN();
    const auto y = layer.forward(x);
    for (Index i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (&y[i] == &y(1, 7)));

    for (const Shape& shape : {Shape{4}, Shape{4, 4}, Shape{1, 4, 4, 1}}) {
        CHECK_THROWS_WITH_AS(Layer(Declaration{}, shape),
                             doctest::Contains("expected (None, height, width, channels)"),
                             ShapeError);
    }
}

}  // namespace

TEST_CASE("GlobalAveragePool2D equals Keras, and holds what every layer has to") {
    check_global_pool<GlobalAveragePool2D>("GlobalAveragePooling2D");
}

TEST_CASE("GlobalMaxPool2D equals Keras, and holds what every layer has to") {
    check_global_pool<GlobalMaxPool2D>("GlobalMaxPooling2D");
}

TEST_CASE("Global pools of samples without a shape are refused, not read past their end") {
    CHECK_THROWS_AS(SingleLayer<float>(GlobalMaxPool2D{}, Shape{}), ShapeError);
    CHECK_THROWS_AS(SingleLayer<float>(GlobalAveragePool2D{}, Shape{}), ShapeError);
}
