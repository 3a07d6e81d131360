#include "weft/optimizers/rmsprop.hpp"

#include "tests/support/optimizer_run.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace weft;

TEST_CASE("RMSprop equals Keras over several tensors and steps") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("optimizers2.json")) {
        if (expected.at("type") != "RMSprop") continue;
        ++cases;
        CAPTURE(expected.name());
        const auto& options = expected.at("options");
        const RMSprop rmsprop{.learning_rate = options.at("learning_rate"),
                              .rho = options.at("rho"),
                              .momentum = options.at("momentum"),
                              .epsilon = options.at("epsilon"),
                              .centered = options.at("centered")};
        // The same formula in double on both sides; a step is a dozen roundings.
        CHECK(matches_reference<double>(rmsprop, expected, 1e-12));
        CHECK(matches_reference<float>(rmsprop, expected, 1e-5, 1));
    }
    CHECK(cases == 5);
}

TEST_CASE("RMSprop, worked by hand") {
    const Tensor<double> g({1}, {4});
    const double epsilon = 1e-7;
    SUBCASE("plain and with momentum") {
        OptimizerRun<> run(
            RMSprop{.learning_rate = 0.5, .rho = 0.75, .momentum = 0.5, .epsilon = epsilon},
            {Tensor<double>({1}, {1})});
        run.step({g});
        const double v = 0.5 * 4 / std::sqrt(4 + epsilon);
        CHECK(relative_gap(run.tensor(0)[0], 1 - v) < 1e-14);
        run.step({g});
        const double v_2 = 0.5 * v + 0.5 * 4 / std::sqrt(7 + epsilon);
        CHECK(relative_gap(run.tensor(0)[0], 1 - v - v_2) < 1e-14);
    }
    SUBCASE("centered") {
        OptimizerRun<> run(
            RMSprop{.learning_rate = 0.5, .rho = 0.75, .epsilon = epsilon, .centered = true},
            {Tensor<double>({1}, {1})});
        run.step({g});
        CHECK(relative_gap(run.tensor(0)[0], 1 - 0.5 * 4 / std::sqrt(4 - 1 + epsilon)) < 1e-14);
    }
}

TEST_CASE("RMSprop keeps only the state it needs, and the zeros between tensors") {
    const auto vectors = [](const RMSprop& rmsprop) {
        return OptimizerDeclaration<float, Cpu>(rmsprop)->state_vectors();
    };
    CHECK(vectors({}) == 1);
    CHECK(vectors({.momentum = 0.5}) == 2);
    CHECK(vectors({.centered = true}) == 2);
    CHECK(vectors({.momentum = 0.5, .centered = true}) == 3);
    OptimizerRun<float> run(RMSprop{.momentum = 0.5, .centered = true},
                            {Tensor<float>({3}, {1, 2, 3})});
    for (int step = 0; step < 2; ++step) run.step({Tensor<float>({3}, {1, 1, 1})});
    for (Index i = 3; i < 16; ++i) CHECK((run.arena()[i] == 0 && run.state()[i] == 0));
}

TEST_CASE("RMSprop: 1, 2 and 7 threads leave the same bits") {
    CHECK(same_on_any_threads<float>(RMSprop{}));
    CHECK(same_on_any_threads<double>(RMSprop{.momentum = 0.5, .centered = true}));
}

TEST_CASE("RMSprop, centered, stays finite where the gradient never changes") {
    // There s - a^2 goes to 0, and rounding may take it below.
    OptimizerRun<float> run(RMSprop{.centered = true}, {Tensor<float>({4}, {1, 2, 3, 4})});
    for (int step = 0; step < 400; ++step) {
        run.step({Tensor<float>({4}, {1e-3f, 0.3f, 30, 7e3f})});
    }
    for (Index i = 0; i < 4; ++i) {
        CAPTURE(i);
        CHECK(std::isfinite(run.tensor(0)[i]));
    }
}

TEST_CASE("RMSprop hands a NaN on to its own parameter only") {
    OptimizerRun<double> run(RMSprop{.momentum = 0.5}, {random_normal({9}, 1)});
    Tensor<double> g = random_normal({9}, 2);
    g[4] = std::numeric_limits<double>::quiet_NaN();
    run.step({g});
    for (Index i = 0; i < 9; ++i) CHECK(std::isnan(run.tensor(0)[i]) == (i == 4));
}

TEST_CASE("RMSprop refuses bad options, by name") {
    using Declaration = OptimizerDeclaration<float, Cpu>;
    const auto refused = [](const RMSprop& rmsprop, const char* complaint) {
        CHECK_THROWS_WITH_AS(Declaration{rmsprop}, doctest::Contains(complaint), ArgumentError);
    };
    for (const double bad : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
        refused({.rho = bad}, "RMSprop: rho is ");
        refused({.momentum = bad}, "RMSprop: momentum is ");
    }
    refused({.learning_rate = 0}, "RMSprop: learning_rate is 0, expected a positive number");
    refused({.epsilon = 0}, "RMSprop: epsilon is ");
}
