#include "weft/metrics/top_k_accuracy.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/metric_sum.hpp"
#include "tests/support/reference.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;

namespace {

template <class Scalar>
MetricSum top_k(Index k, const Tensor<Scalar>& predictions, const Tensor<Scalar>& targets) {
    return metric_sum<Scalar>(TopKAccuracy{.k = k}, predictions, targets);
}

}  // namespace

TEST_CASE("TopKAccuracy equals Keras") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("metrics.json")) {
        const std::string type = expected.at("type");
        if (type.find("TopK") == std::string::npos) continue;
        ++cases;
        CAPTURE(expected.name());
        const auto check = [&]<class Scalar>(Scalar) {
            const auto sum = top_k<Scalar>(expected.at("k"),
                                           reference_tensor<Scalar>(expected.at("predictions")),
                                           reference_tensor<Scalar>(expected.at("targets")));
            CHECK(relative_gap(sum.mean(), expected.at("value")) < 1e-12);
        };
        check(0.0);
        check(0.0f);
    }
    CHECK(cases == 24);
}

TEST_CASE("TopKAccuracy counts fewer than k larger predictions, ties in favour") {
    const Tensor<float> p({1, 4}, {0.4f, 0.3f, 0.3f, 0});
    const auto hit = [&](Index k, float label) {
        return top_k(k, p, Tensor<float>({1}, {label})).sum == 1;
    };
    CHECK(hit(1, 0));
    CHECK_FALSE(hit(1, 1));
    CHECK(hit(2, 1));
    CHECK(hit(2, 2));
    CHECK_FALSE(hit(3, 3));
    CHECK(hit(4, 3));
    CHECK(hit(9, 3));
}

TEST_CASE("TopKAccuracy counts every row along an axis") {
    const Tensor<float> p({2, 2, 3}, {3, 2, 1, 3, 2, 1, 3, 2, 1, 3, 2, 1});
    const auto sum = top_k(2, p, Tensor<float>({2, 2}, {0, 1, 2, 1}));
    CHECK(sum.sum == 3);
    CHECK(sum.count == 4);
}

TEST_CASE("TopKAccuracy refuses a k below 1, by name") {
    CHECK_THROWS_WITH_AS((MetricDeclaration<float, Cpu>(TopKAccuracy{.k = 0})),
                         "TopKAccuracy: k is 0, expected at least 1", ArgumentError);
    CHECK((MetricDeclaration<float, Cpu>(TopKAccuracy{}).name()) == "top_k_accuracy");
}
