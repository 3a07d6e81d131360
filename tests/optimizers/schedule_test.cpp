#include "weft/optimizers/schedule.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/reference.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// The schedule of a reference case; empty for one that starts over again, which is not offered.
Schedule schedule_of(const ReferenceCase& expected) {
    const auto& options = expected.at("options");
    const std::string type = expected.at("type");
    if (type == "PiecewiseConstantDecay") {
        return PiecewiseConstantDecay{
            .boundaries = options.at("boundaries").get<std::vector<std::int64_t>>(),
            .values = options.at("values").get<std::vector<double>>()};
    }
    const double initial = options.at("initial_learning_rate");
    const std::int64_t steps = options.at("decay_steps");
    if (type == "ExponentialDecay") {
        return ExponentialDecay{.initial_learning_rate = initial,
                                .decay_steps = steps,
                                .decay_rate = options.at("decay_rate"),
                                .staircase = options.at("staircase")};
    }
    if (type == "CosineDecay") {
        return CosineDecay{.initial_learning_rate = initial,
                           .decay_steps = steps,
                           .alpha = options.at("alpha"),
                           .warmup_target = options.value("warmup_target", 0.0),
                           .warmup_steps = options.at("warmup_steps")};
    }
    REQUIRE(type == "PolynomialDecay");
    if (options.at("cycle") == true) return {};
    return PolynomialDecay{.initial_learning_rate = initial,
                           .decay_steps = steps,
                           .end_learning_rate = options.at("end_learning_rate"),
                           .power = options.at("power")};
}

}  // namespace

TEST_CASE("Schedules equal Keras's, step by step") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("schedules.json")) {
        CAPTURE(expected.name());
        const Schedule schedule = schedule_of(expected);
        if (!schedule) continue;
        ++cases;
        const auto steps = expected.at("steps").get<std::vector<std::int64_t>>();
        const auto values = expected.at("values").get<std::vector<double>>();
        REQUIRE(steps.size() == values.size());
        for (std::size_t i = 0; i < steps.size(); ++i) {
            CAPTURE(steps[i]);
            // A dozen roundings of numbers near 1, or zero where the cosine ends: 1e-15 absolute.
            CHECK(relative_gap(schedule(steps[i]), values[i]) < 1e-12);
        }
    }
    CHECK(cases == 10);
}

TEST_CASE("StepDecay multiplies after each stretch of steps") {
    const StepDecay decay{.initial_learning_rate = 0.8, .steps = 3, .factor = 0.5};
    CHECK(decay(0) == 0.8);
    CHECK(decay(2) == 0.8);
    CHECK(decay(3) == 0.4);
    CHECK(decay(5) == 0.4);
    CHECK(decay(6) == 0.2);
}

TEST_CASE("PiecewiseConstantDecay refuses values that do not match its boundaries") {
    const PiecewiseConstantDecay decay{.boundaries = {3, 8}, .values = {0.1, 0.2}};
    CHECK_THROWS_WITH_AS(decay(0),
                         "PiecewiseConstantDecay: 2 values for 2 boundaries, expected one more",
                         ArgumentError);
}

TEST_CASE("Schedules stay where they end, however far the run goes") {
    const std::int64_t far = std::int64_t{1} << 40;
    CHECK(CosineDecay{.initial_learning_rate = 0.5, .decay_steps = 10, .alpha = 0.25}(far) ==
          doctest::Approx(0.125));
    CHECK(PolynomialDecay{.initial_learning_rate = 0.5,
                          .decay_steps = 10,
                          .end_learning_rate = 0.1}(far) == doctest::Approx(0.1));
    CHECK(PiecewiseConstantDecay{.boundaries = {3}, .values = {1, 2}}(far) == 2);
}
