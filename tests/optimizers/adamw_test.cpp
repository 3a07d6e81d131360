#include "weft/optimizers/adamw.hpp"

#include "tests/support/optimizer_run.hpp"
#include "weft/optimizers/adam.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace weft;

TEST_CASE("AdamW equals Keras over several tensors and steps") {
    int cases = 0;
    for (const ReferenceCase& expected : reference_cases("optimizers2.json")) {
        if (expected.at("type") != "AdamW") continue;
        ++cases;
        CAPTURE(expected.name());
        const auto& options = expected.at("options");
        const AdamW adamw{.learning_rate = options.at("learning_rate"),
                          .weight_decay = options.at("weight_decay"),
                          .beta_1 = options.at("beta_1"),
                          .beta_2 = options.at("beta_2"),
                          .epsilon = options.at("epsilon")};
        CHECK(matches_reference<double>(adamw, expected, 1e-12));
        CHECK(matches_reference<float>(adamw, expected, 1e-6, 1));
    }
    CHECK(cases == 3);
}

TEST_CASE("AdamW without decay is Adam; with it, a parameter without gradient shrinks") {
    const std::vector initial{random_normal({3, 5}, 1), random_normal({7}, 2)};
    OptimizerRun<> plain(AdamW{.weight_decay = 0}, initial), adam(Adam{}, initial);
    for (std::uint32_t t = 1; t <= 3; ++t) {
        const std::vector g{random_normal({3, 5}, 10 + t), random_normal({7}, 20 + t)};
        plain.step(g);
        adam.step(g);
    }
    CHECK(largest_gap(plain.arena(), adam.arena()) < 1e-14);

    OptimizerRun<> run(AdamW{.learning_rate = 0.5, .weight_decay = 0.25},
                       {Tensor<double>({2}, {8, -16})});
    run.step({Tensor<double>({2}, {0, 0})});
    CHECK(identical(run.tensor(0), Tensor<double>({2}, {7, -14})));
}

TEST_CASE("AdamW: the decay scales with the learning rate of the step, as in Keras") {
    const OptimizerDeclaration<double, Cpu> adamw = AdamW{.learning_rate = 1, .weight_decay = 0.25};
    CHECK(adamw.type() == "AdamW");
    Tensor<double> p({1}, {8}), state({adamw->state_vectors()});
    Cpu cpu(1);
    update(adamw, cpu, 1, 0.5, p, Tensor<double>({1}, {0}), state);
    CHECK(p[0] == 7);
}

TEST_CASE("AdamW: 1, 2 and 7 threads leave the same bits") {
    CHECK(same_on_any_threads<float>(AdamW{}));
    CHECK(same_on_any_threads<double>(AdamW{.weight_decay = 0.1}));
}

TEST_CASE("AdamW hands a NaN on to its own parameter only") {
    OptimizerRun<double> run(AdamW{}, {random_normal({9}, 1)});
    Tensor<double> g = random_normal({9}, 2);
    g[4] = std::numeric_limits<double>::quiet_NaN();
    run.step({g});
    for (Index i = 0; i < 9; ++i) CHECK(std::isnan(run.tensor(0)[i]) == (i == 4));
}

TEST_CASE("AdamW refuses bad options, by name") {
    using Declaration = OptimizerDeclaration<float, Cpu>;
    const auto refused = [](const AdamW& adamw, const char* complaint) {
        CHECK_THROWS_WITH_AS(Declaration{adamw}, doctest::Contains(complaint), ArgumentError);
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {-0.1, 1.0, nan}) {
        refused({.beta_1 = bad}, "AdamW: beta_1 is ");
        refused({.beta_2 = bad}, "AdamW: beta_2 is ");
    }
    for (const double bad : {-0.1, nan}) {
        refused({.weight_decay = bad}, "AdamW: weight_decay is ");
        refused({.learning_rate = bad}, "AdamW: learning_rate is ");
        refused({.epsilon = bad}, "AdamW: epsilon is ");
    }
}
