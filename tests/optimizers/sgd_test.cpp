#include "weft/optimizers/sgd.hpp"

#include "tests/support/optimizer_run.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace weft;

TEST_CASE("SGD is p - learning_rate g") {
    OptimizerRun<double> run(SGD{.learning_rate = 0.5},
                             {Tensor<double>({3}, {1, 2, 3}), Tensor<double>({2}, {4, 5})});
    run.step({Tensor<double>({3}, {2, 0, -4}), Tensor<double>({2}, {1, 8})});
    CHECK(identical(run.tensor(0), Tensor<double>({3}, {0, 2, 5})));
    CHECK(identical(run.tensor(1), Tensor<double>({2}, {3.5, 1})));
    run.step({Tensor<double>({3}, {2, 0, -4}), Tensor<double>({2}, {1, 8})});
    CHECK(identical(run.tensor(0), Tensor<double>({3}, {-1, 2, 7})));
}

TEST_CASE("SGD with momentum: v = momentum v - learning_rate g, p += v") {
    OptimizerRun<double> run(SGD{.learning_rate = 0.5, .momentum = 0.25},
                             {Tensor<double>({1}, {1}), Tensor<double>({2}, {2, 3})});
    run.step({Tensor<double>({1}, {4}), Tensor<double>({2}, {0, -2})});
    CHECK(identical(run.tensor(0), Tensor<double>({1}, {-1})));    // v = -2
    CHECK(identical(run.tensor(1), Tensor<double>({2}, {2, 4})));  // v = 0, 1
    run.step({Tensor<double>({1}, {4}), Tensor<double>({2}, {1, 0})});
    CHECK(identical(run.tensor(0), Tensor<double>({1}, {-3.5})));  // v = -0.5 - 2
    CHECK(identical(run.tensor(1), Tensor<double>({2}, {1.5, 4.25})));
    run.step({Tensor<double>({1}, {0}), Tensor<double>({2}, {0, 0})});
    CHECK(identical(run.tensor(0), Tensor<double>({1}, {-4.125})));
}

TEST_CASE("SGD with Nesterov's momentum looks one step ahead: p += momentum v - learning_rate g") {
    OptimizerRun<double> run(SGD{.learning_rate = 0.5, .momentum = 0.25, .nesterov = true},
                             {Tensor<double>({1}, {1}), Tensor<double>({1}, {0})});
    run.step({Tensor<double>({1}, {4}), Tensor<double>({1}, {-8})});
    CHECK(run.tensor(0)[0] == 1 + 0.25 * -2 - 2);
    CHECK(run.tensor(1)[0] == 0.25 * 4 + 4);
    run.step({Tensor<double>({1}, {4}), Tensor<double>({1}, {0})});
    CHECK(run.tensor(0)[0] == -1.5 + 0.25 * -2.5 - 2);
    CHECK(run.tensor(1)[0] == 5 + 0.25 * 1);
}

TEST_CASE("SGD equals Keras over several tensors and steps") {
    int cases = 0;
    for (const char* file : {"optimizers.json", "optimizers2.json"}) {
        for (const ReferenceCase& expected : reference_cases(file)) {
            if (expected.at("type") != "SGD") continue;
            ++cases;
            CAPTURE(expected.name());
            const auto& options = expected.at("options");
            const SGD sgd{.learning_rate = options.at("learning_rate"),
                          .momentum = options.at("momentum"),
                          .nesterov = options.value("nesterov", false)};
            // One product and one sum a step, with momentum two of each.
            CHECK(matches_reference<double>(sgd, expected, 1e-13));
            CHECK(matches_reference<float>(sgd, expected, 1e-6, 1));
        }
    }
    CHECK(cases == 8);
}

TEST_CASE("SGD takes the learning rate of the step, and keeps a velocity only with momentum") {
    const OptimizerDeclaration<double, Cpu> sgd = SGD{.learning_rate = 0.5};
    CHECK(sgd.type() == "SGD");
    CHECK(sgd->learning_rate() == 0.5);
    CHECK(sgd->state_vectors() == 0);
    CHECK(OptimizerDeclaration<float, Cpu>(SGD{.momentum = 0.5})->state_vectors() == 1);
    Tensor<double> p({1}, {1}), none;
    const Tensor<double> g({1}, {2});
    Cpu cpu(1);
    update(sgd, cpu, 1, 0.25, p, g, none);
    CHECK(p[0] == 0.5);
    update(sgd, cpu, 1000, 0.25, p, g, none);
    CHECK(p[0] == 0);
}

TEST_CASE("SGD: 1, 2 and 7 threads leave the same bits") {
    CHECK(same_on_any_threads<float>(SGD{}));
    CHECK(same_on_any_threads<double>(SGD{}));
    CHECK(same_on_any_threads<float>(SGD{.momentum = 0.9}));
    CHECK(same_on_any_threads<double>(SGD{.momentum = 0.9, .nesterov = true}));
}

TEST_CASE("SGD leaves the zeros between tensors alone") {
    OptimizerRun<float> run(SGD{}, {Tensor<float>({3}, {1, 2, 3}), Tensor<float>({2}, {4, 5})});
    run.step({Tensor<float>({3}, {1, 1, 1}), Tensor<float>({2}, {1, 1})});
    for (Index i = 3; i < 16; ++i) CHECK(run.arena()[i] == 0);
    OptimizerRun<float> fast(SGD{.momentum = 0.5}, {Tensor<float>({3}, {1, 2, 3})});
    for (int step = 0; step < 2; ++step) fast.step({Tensor<float>({3}, {1, 1, 1})});
    for (Index i = 3; i < 16; ++i) CHECK((fast.arena()[i] == 0 && fast.state()[i] == 0));
}

TEST_CASE("SGD hands a NaN on to its own parameter only") {
    OptimizerRun<double> run(SGD{}, {random_normal({9}, 1)});
    Tensor<double> g = random_normal({9}, 2);
    g[4] = std::numeric_limits<double>::quiet_NaN();
    run.step({g});
    for (Index i = 0; i < 9; ++i) CHECK(std::isnan(run.tensor(0)[i]) == (i == 4));
}

TEST_CASE("SGD has Keras's default and is comparable data") {
    CHECK(SGD{}.learning_rate == 0.01);
    CHECK(SGD{} == SGD{.learning_rate = 0.01});
    CHECK(SGD{}.momentum == 0);
    CHECK_FALSE(SGD{}.nesterov);
    CHECK(SGD{} != SGD{.learning_rate = 0.1});
    CHECK(SGD{.momentum = 0.9} != SGD{.momentum = 0.9, .nesterov = true});
}

TEST_CASE("SGD refuses a momentum outside [0, 1), by name") {
    using Declaration = OptimizerDeclaration<float, Cpu>;
    CHECK_THROWS_WITH_AS(Declaration(SGD{.momentum = 1}),
                         "SGD: momentum is 1, expected a number in [0, 1)", ArgumentError);
    for (const double momentum : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_WITH_AS(Declaration(SGD{.momentum = momentum}),
                             doctest::Contains("SGD: momentum is "), ArgumentError);
    }
}

TEST_CASE("SGD refuses a learning rate that is not positive and finite, by name") {
    using Declaration = OptimizerDeclaration<float, Cpu>;
    CHECK_THROWS_WITH_AS(Declaration(SGD{.learning_rate = 0}),
                         "SGD: learning_rate is 0, expected a positive number", ArgumentError);
    CHECK_THROWS_WITH_AS(Declaration(SGD{.learning_rate = -0.5}),
                         "SGD: learning_rate is -0.5, expected a positive number", ArgumentError);
    CHECK_THROWS_WITH_AS(
        Declaration(SGD{.learning_rate = std::numeric_limits<double>::quiet_NaN()}),
        "SGD: learning_rate is nan, expected a positive number", ArgumentError);
    CHECK_THROWS_AS(Declaration(SGD{.learning_rate = std::numeric_limits<double>::infinity()}),
                    ArgumentError);
}
