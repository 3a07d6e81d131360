#include "weft/metrics/classification_report.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/reference.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("ClassificationReport equals the reference, class by class") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("metrics.json")) {
        if (expected.at("type") != "Report") continue;
        ++cases;
        CAPTURE(expected.name());
        const auto predicted = reference_tensor(expected.at("predicted"));
        const auto labels = reference_tensor(expected.at("targets"));
        const Index classes = expected.at("classes");
        Tensor<float> predictions({predicted.size(), classes});
        for (Index n = 0; n < predicted.size(); ++n) {
            predictions(n, static_cast<Index>(predicted[n])) = 1;
        }
        const ClassificationReport report(predictions, labels);
        REQUIRE(report.classes() == classes);
        CHECK(report.samples() == labels.size());
        CHECK(largest_gap(report.confusion(), reference_tensor(expected.at("confusion"))) < 1e-12);
        CHECK(relative_gap(report.accuracy(), expected.at("accuracy")) < 1e-12);
        const auto check = [&](const char* field, auto score) {
            CAPTURE(field);
            const auto values = reference_tensor(expected.at(field));
            for (Index c = 0; c < classes; ++c) {
                const auto actual = static_cast<double>(report.scores(c).*score);
                CHECK(relative_gap(actual, values[c]) < 1e-12);
            }
        };
        check("precision", &ClassScores::precision);
        check("recall", &ClassScores::recall);
        check("f1", &ClassScores::f1);
        check("support", &ClassScores::support);
    }
    CHECK(cases == 5);
}

TEST_CASE("wilson_interval is the score interval at 95 %") {
    // The ends solve (p - share)^2 = z^2 p (1 - p) / n.
    const double z = 1.959963984540054;
    for (const auto& [hits, trials] : {std::pair<Index, Index>{7, 10}, {9123, 10000}, {1, 3}}) {
        const Interval interval = wilson_interval(hits, trials);
        const auto n = static_cast<double>(trials);
        const double share = static_cast<double>(hits) / n;
        CHECK(interval.low < share);
        CHECK(interval.high > share);
        for (const double p : {interval.low, interval.high}) {
            CHECK(relative_gap((p - share) * (p - share), z * z * p * (1 - p) / n, 1e-9) < 1e-10);
        }
    }
    CHECK(wilson_interval(0, 10).low == 0);
    CHECK(wilson_interval(0, 10).high == doctest::Approx(0.27753).epsilon(1e-4));
    CHECK(wilson_interval(10, 10).high == doctest::Approx(1));
    CHECK(wilson_interval(10, 10).high <= 1);
    CHECK(wilson_interval(0, 0).low == 0);
    CHECK(wilson_interval(0, 0).high == 1);
}

TEST_CASE("ClassificationReport refuses shapes and labels that do not fit") {
    const Tensor<float> predictions({2, 3});
    CHECK_THROWS_WITH_AS(ClassificationReport(predictions, Tensor<float>({2}, {0, 3})),
                         "classification report: label 1 is 3, expected 0 ... 2", ArgumentError);
    CHECK_THROWS_AS(ClassificationReport(predictions, Tensor<float>({2}, {0, -1})), ArgumentError);
    CHECK_THROWS_AS(ClassificationReport(predictions, Tensor<float>({3})), ShapeError);
    CHECK_THROWS_AS(ClassificationReport(Tensor<float>({6}), Tensor<float>({6})), ShapeError);
    const ClassificationReport none(Tensor<float>({0, 3}), Tensor<float>({0}));
    CHECK(none.accuracy() == 0);
    CHECK(none.samples() == 0);
}
