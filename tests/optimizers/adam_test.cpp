#include "weft/optimizers/adam.hpp"

#include "tests/support/optimizer_run.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace weft;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Adam adam_of(const ReferenceCase& expected) {
    const auto& options = expected.at("options");
    return {.learning_rate = options.at("learning_rate"),
            .beta_1 = options.at("beta_1"),
            .beta_2 = options.at("beta_2"),
            .epsilon = options.at("epsilon")};
}

}  // namespace

TEST_CASE("Adam equals Keras over several tensors and steps") {
    int cases = 0;
    for (const char* file : {"optimizers.json", "optimizers2.json"}) {
        for (const ReferenceCase& expected : reference_cases(file)) {
            if (expected.at("type") != "Adam") continue;
            ++cases;
            CAPTURE(expected.name());
            // The same formula in double on both sides; a step is a dozen roundings.
            CHECK(matches_reference<double>(adam_of(expected), expected, 1e-13));
            // Parameters near 1 are rounded to 2^-24 in each of six steps.
            CHECK(matches_reference<float>(adam_of(expected), expected, 1e-6, 1));
        }
    }
    CHECK(cases == 5);
}

TEST_CASE("Adam equals algorithm 1 of Kingma and Ba, bias-corrected moment by moment") {
    const Adam adam{.learning_rate = 0.02, .beta_1 = 0.7, .beta_2 = 0.9, .epsilon = 1e-12};
    const std::vector initial{random_normal({3, 5}, 1), random_normal({7}, 2)};
    OptimizerRun<> run(adam, initial);
    auto expected = initial;
    std::vector<Tensor<double>> m{Tensor<double>({3, 5}), Tensor<double>({7})}, v = m;
    for (std::uint32_t t = 1; t <= 5; ++t) {
        const std::vector g{random_normal({3, 5}, 10 + t), random_normal({7}, 20 + t)};
        run.step(g);
        for (std::size_t i = 0; i < 2; ++i) {
            for (Index k = 0; k < g[i].size(); ++k) {
                m[i][k] = adam.beta_1 * m[i][k] + (1 - adam.beta_1) * g[i][k];
                v[i][k] = adam.beta_2 * v[i][k] + (1 - adam.beta_2) * g[i][k] * g[i][k];
                const double m_hat = m[i][k] / (1 - std::pow(adam.beta_1, t));
                const double v_hat = v[i][k] / (1 - std::pow(adam.beta_2, t));
                expected[i][k] -= adam.learning_rate * m_hat / (std::sqrt(v_hat) + adam.epsilon);
            }
            // The two places of epsilon differ by 1e-12 / sqrt(v), where v is near 1e-2 at least.
            CAPTURE(t);
            CHECK(largest_gap(run.tensor(i), expected[i]) < 1e-11);
        }
    }
}

TEST_CASE_TEMPLATE(
    "Adam's first step moves a parameter by the learning rate, whatever the gradient", Scalar,
    float, double) {
    // m / sqrt(v) = sqrt(alpha's denominators) exactly undone: g / |g|. A few roundings, no more.
    constexpr double bound = 8 * static_cast<double>(std::numeric_limits<Scalar>::epsilon());
    const Adam adam{.learning_rate = 0.5, .epsilon = 1e-30};
    OptimizerRun<Scalar> run(adam, {Tensor<Scalar>({6})});
    run.step({Tensor<Scalar>({6}, {1, -1, Scalar(1e-3), Scalar(-1e-3), 1000, -77})});
    CHECK(largest_gap(run.tensor(0), Tensor<double>({6}, {-0.5, 0.5, -0.5, 0.5, -0.5, 0.5})) <
          bound);
}

TEST_CASE("Adam's time advances once a step, not once a tensor") {
    const std::vector initial{random_normal({5}, 1), random_normal({7}, 2), random_normal({3}, 3)};
    OptimizerRun<> together(Adam{}, initial);
    // The same optimiser given tensor after tensor of each step, and then those of another model.
    const OptimizerDeclaration<double, Cpu> shared = Adam{};
    Cpu cpu(1);
    std::vector apart = initial, other = initial;
    std::vector<Tensor<double>> state, other_state;
    for (const auto& tensor : initial) state.emplace_back(Shape{2 * tensor.size()});
    other_state = state;
    for (std::uint32_t step = 1; step <= 4; ++step) {
        std::vector<Tensor<double>> gradients;
        for (std::uint32_t i = 0; i < 3; ++i) {
            gradients.push_back(random_normal(initial[i].shape(), 10 * step + i));
            update(shared, cpu, step, 0.001, apart[i], gradients[i], state[i]);
        }
        for (std::size_t i = 0; i < 3; ++i) {
            update(shared, cpu, step, 0.001, other[i], gradients[i], other_state[i]);
        }
        together.step(gradients);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(identical(apart[i], together.tensor(i)));
            CHECK(identical(other[i], together.tensor(i)));
        }
    }
}

TEST_CASE("Adam takes the learning rate of the step, and depends on the step") {
    const auto after = [](std::int64_t step, double learning_rate) {
        Tensor<double> p({1}), state({2});
        const Tensor<double> g({1}, {3});
        Cpu cpu(1);
        const OptimizerDeclaration<double, Cpu> adam = Adam{.epsilon = 1e-12};
        update(adam, cpu, step, learning_rate, p, g, state);
        return p[0];
    };
    CHECK(relative_gap(after(1, 0.25), -0.25) < 1e-6);
    CHECK(relative_gap(after(1, 0.5), -0.5) < 1e-6);
    // At step 2 with no past: alpha sqrt(1 - 0.999^2) / (1 - 0.9^2) * 0.1 / sqrt(0.001)
    CHECK(relative_gap(after(2, 1), -std::sqrt(0.001999 / 0.001) * 0.1 / 0.19) < 1e-6);
    // Far on, where both corrections are 1.
    CHECK(relative_gap(after(100000000, 1), -0.1 / std::sqrt(0.001)) < 1e-6);
}

TEST_CASE("Adam leaves parameters with no gradient, and the zeros between tensors, alone") {
    OptimizerRun<float> run(Adam{}, {Tensor<float>({3}, {1, 2, 3}), Tensor<float>({2}, {4, 5})});
    for (int step = 0; step < 3; ++step)
        run.step({Tensor<float>({3}), Tensor<float>({2}, {1, -1})});
    CHECK(identical(run.tensor(0), Tensor<float>({3}, {1, 2, 3})));
    for (Index i = 0; i < 32; ++i) {
        if ((i >= 3 && i < 16) || i >= 18) {
            CHECK(run.arena()[i] == 0);
            CHECK(run.state()[i] == 0);
            CHECK(run.state()[32 + i] == 0);
        }
    }
}

TEST_CASE("Adam keeps the first moments, then the second, one of each a parameter") {
    const OptimizerDeclaration<double, Cpu> adam = Adam{.beta_1 = 0.75, .beta_2 = 0.875};
    CHECK(adam->state_vectors() == 2);
    Tensor<double> p({2}), state({4});
    const Tensor<double> g({2}, {4, -2});
    Cpu cpu(1);
    update(adam, cpu, 1, 0.001, p, g, state);
    CHECK(identical(state, Tensor<double>({4}, {1, -0.5, 2, 0.5})));
}

TEST_CASE("Adam: 1, 2 and 7 threads leave the same bits") {
    CHECK(same_on_any_threads<float>(Adam{}));
    CHECK(same_on_any_threads<double>(Adam{}));
}

TEST_CASE("Adam hands a NaN on to its own parameter only") {
    OptimizerRun<double> run(Adam{}, {random_normal({9}, 1)});
    Tensor<double> g = random_normal({9}, 2);
    g[4] = not_a_number;
    run.step({g});
    for (Index i = 0; i < 9; ++i) CHECK(std::isnan(run.tensor(0)[i]) == (i == 4));
}

TEST_CASE("Adam has Keras's defaults and is comparable data") {
    const Adam adam;
    CHECK(adam.learning_rate == 0.001);
    CHECK(adam.beta_1 == 0.9);
    CHECK(adam.beta_2 == 0.999);
    CHECK(adam.epsilon == 1e-7);
    CHECK(adam == Adam{});
    CHECK(adam != Adam{.beta_1 = 0.8});
    const OptimizerDeclaration<float, Cpu> declaration = Adam{.learning_rate = 0.25};
    CHECK(declaration.type() == "Adam");
    CHECK(declaration->learning_rate() == 0.25);
}

TEST_CASE("Adam refuses bad options by name") {
    using Declaration = OptimizerDeclaration<float, Cpu>;
    CHECK_THROWS_WITH_AS(Declaration(Adam{.learning_rate = 0}),
                         "Adam: learning_rate is 0, expected a positive number", ArgumentError);
    for (const double rate : {-0.001, not_a_number, infinity}) {
        CHECK_THROWS_WITH_AS(Declaration(Adam{.learning_rate = rate}),
                             doctest::Contains("Adam: learning_rate is "), ArgumentError);
    }
    CHECK_THROWS_WITH_AS(Declaration(Adam{.beta_1 = 1}),
                         "Adam: beta_1 is 1, expected a number in [0, 1)", ArgumentError);
    CHECK_THROWS_WITH_AS(Declaration(Adam{.beta_2 = 1}),
                         "Adam: beta_2 is 1, expected a number in [0, 1)", ArgumentError);
    for (const double beta : {-0.1, 1.5, not_a_number, infinity}) {
        CHECK_THROWS_WITH_AS(Declaration(Adam{.beta_1 = beta}),
                             doctest::Contains("Adam: beta_1 is "), ArgumentError);
        CHECK_THROWS_WITH_AS(Declaration(Adam{.beta_2 = beta}),
                             doctest::Contains("Adam: beta_2 is "), ArgumentError);
    }
    CHECK_THROWS_WITH_AS(Declaration(Adam{.epsilon = 0}),
                         "Adam: epsilon is 0, expected a positive number", ArgumentError);
    for (const double epsilon : {-1e-7, not_a_number, infinity}) {
        CHECK_THROWS_WITH_AS(Declaration(Adam{.epsilon = epsilon}),
                             doctest::Contains("Adam: epsilon is "), ArgumentError);
    }
    CHECK_NOTHROW(Declaration(Adam{.beta_1 = 0, .beta_2 = 0}));
}

TEST_CASE("Adam's options hold in the precision of the parameters too") {
    // As a float, 1e-50 is 0, which makes a step without a gradient 0 / 0; 1 - 1e-9 is 1, which
    // makes 1 - beta vanish. Either is refused, or works as in double.
    for (const Adam& adam : {Adam{.epsilon = 1e-50}, Adam{.beta_2 = 1 - 1e-9}}) {
        try {
            OptimizerRun<float> in_float(adam, {Tensor<float>({2}, {1, 1})});
            OptimizerRun<double> in_double(adam, {Tensor<double>({2}, {1, 1})});
            in_float.step({Tensor<float>({2}, {0, 2})});
            in_double.step({Tensor<double>({2}, {0, 2})});
            CHECK(largest_gap(in_float.tensor(0), in_double.tensor(0)) < 1e-6);
        } catch (const ArgumentError&) {
        }
    }
}
