#include "weft/optimizers/schedule.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/keras_model.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;

TEST_CASE("Schedules equal Keras's, step by step") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("schedules.json")) {
        CAPTURE(expected.name());
        const auto& options = expected.at("options");
        // One that starts over again is not offered.
        if (options.value("cycle", false)) continue;
        const Schedule schedule =
            keras_schedule({{"type", expected.at("type")}, {"options", options}});
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

TEST_CASE(
    "PiecewiseConstantDecay refuses boundaries that do not increase and values that are bad") {
    CHECK_THROWS_WITH_AS(
        (PiecewiseConstantDecay{.boundaries = {3, 8, 8}, .values = {1, 1, 1, 1}}(0)),
        "PiecewiseConstantDecay: boundary 2 is 8, expected more than 8", ArgumentError);
    CHECK_THROWS_WITH_AS((PiecewiseConstantDecay{.boundaries = {3, 2}, .values = {1, 1, 1}}(0)),
                         "PiecewiseConstantDecay: boundary 1 is 2, expected more than 3",
                         ArgumentError);
    // Also a value that this step does not ask for.
    CHECK_THROWS_WITH_AS((PiecewiseConstantDecay{.boundaries = {3}, .values = {1, -2}}(0)),
                         "PiecewiseConstantDecay: a value is -2, expected a finite number of at "
                         "least 0",
                         ArgumentError);
    CHECK(PiecewiseConstantDecay{.boundaries = {}, .values = {0.5}}(7) == 0.5);
}

TEST_CASE("Schedules refuse options out of range, by name") {
    const auto refused = [](const Schedule& schedule, const std::string& message) {
        for (const std::int64_t step : {0, 3}) {
            CHECK_THROWS_WITH_AS(schedule(step), doctest::Contains(message.c_str()), ArgumentError);
        }
    };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
    for (const double rate : {-0.1, not_a_number, infinity}) {
        CAPTURE(rate);
        refused(ExponentialDecay{rate, 2, 0.5}, "ExponentialDecay: initial_learning_rate is ");
        refused(ExponentialDecay{0.1, 2, rate}, "ExponentialDecay: decay_rate is ");
        refused(PiecewiseConstantDecay{{1}, {rate, 0.1}}, "PiecewiseConstantDecay: a value is ");
        refused(CosineDecay{rate, 2}, "CosineDecay: initial_learning_rate is ");
        refused(CosineDecay{0.1, 2, rate}, "CosineDecay: alpha is ");
        refused(CosineDecay{0.1, 2, 0, rate}, "CosineDecay: warmup_target is ");
        refused(StepDecay{rate, 2}, "StepDecay: initial_learning_rate is ");
        refused(StepDecay{0.1, 2, rate}, "StepDecay: factor is ");
        refused(PolynomialDecay{rate, 2}, "PolynomialDecay: initial_learning_rate is ");
        refused(PolynomialDecay{0.1, 2, rate}, "PolynomialDecay: end_learning_rate is ");
        refused(PolynomialDecay{0.1, 2, 0, rate}, "PolynomialDecay: power is ");
    }
    for (const std::int64_t steps : {0, -3}) {
        const std::string number = concat(steps, ", expected at least 1");
        refused(ExponentialDecay{0.1, steps, 0.5}, "ExponentialDecay: decay_steps is " + number);
        refused(CosineDecay{0.1, steps}, "CosineDecay: decay_steps is " + number);
        refused(StepDecay{0.1, steps}, "StepDecay: steps is " + number);
        refused(PolynomialDecay{0.1, steps}, "PolynomialDecay: decay_steps is " + number);
    }
    refused(ExponentialDecay{0.1, 2, 0}, "decay_rate is 0, expected a positive number");
    refused(StepDecay{0.1, 2, 0}, "factor is 0, expected a positive number");
    refused(StepDecay{-0.1, 2}, "is -0.1, expected a finite number of at least 0");
    refused(CosineDecay{0.1, 2, 1.5}, "alpha is 1.5, expected a number in [0, 1]");
    refused(CosineDecay{.initial_learning_rate = 0.1, .decay_steps = 2, .warmup_steps = -1},
            "CosineDecay: warmup_steps is -1, expected at least 0");
}

TEST_CASE("Schedules take the ends of their ranges") {
    CHECK(ExponentialDecay{0, 1, 2}(3) == 0);
    CHECK(CosineDecay{0.5, 1, 1}(9) == 0.5);
    CHECK(StepDecay{1, 1, 2}(3) == 8);
    CHECK(PolynomialDecay{1, 1, 0, 0}(1) == 1);
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

TEST_CASE("CosineDecay warms up only towards a target, and starts from it after no steps") {
    const CosineDecay plain{.initial_learning_rate = 0.1, .decay_steps = 10};
    const CosineDecay no_target{.initial_learning_rate = 0.1, .decay_steps = 10, .warmup_steps = 5};
    const CosineDecay no_steps{
        .initial_learning_rate = 0.1, .decay_steps = 10, .warmup_target = 0.3};
    for (std::int64_t step = 0; step < 15; ++step) {
        CHECK(no_target(step) == plain(step));
        CHECK(relative_gap(no_steps(step), 3 * plain(step), 1) < 1e-15);
    }
}
