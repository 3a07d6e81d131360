#include "weft/losses/categorical_crossentropy.hpp"

#include "tests/support/loss_checks.hpp"
#include "weft/layers/softmax.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

constexpr CategoricalCrossentropy categorical_of_probabilities{};
constexpr CategoricalCrossentropy categorical_of_logits{.from_logits = true};

constexpr CategoricalCrossentropy smoothed_categorical(double label_smoothing,
                                                       bool logits = false) {
    return {.from_logits = logits, .label_smoothing = label_smoothing};
}

}  // namespace

TEST_CASE("CategoricalCrossentropy is -sum t log p") {
    const Tensor<double> p({2, 3}, {0.5, 0.25, 0.25, 0.125, 0.125, 0.75});
    const Tensor<double> t({2, 3}, {0.5, 0.5, 0, 0, 1, 0});
    const double log_2 = std::log(2.0);
    SUBCASE("from probabilities") {
        const auto result = evaluate_loss(categorical_of_probabilities, p, t);
        CHECK(largest_gap(result.losses, Tensor<double>({2}, {1.5 * log_2, 3 * log_2})) < 1e-15);
        // (sum t - t / p) / N: the sum from dividing by the sum
        CHECK(largest_gap(result.gradient, Tensor<double>({2, 3}, {0, -0.5, 0.5, 0.5, -3.5, 0.5})) <
              1e-15);
    }
    SUBCASE("from logits and fused") {
        Tensor<double> z = p;
        for (double& value : z) value = std::log(value) - 9;
        for (const bool fused : {false, true}) {
            const auto result = evaluate_loss(
                fused ? categorical_of_probabilities : categorical_of_logits, z, t, fused);
            CHECK(largest_gap(result.losses, Tensor<double>({2}, {1.5 * log_2, 3 * log_2})) <
                  1e-14);
            CHECK(largest_gap(result.gradient, Tensor<double>({2, 3}, {0, -0.125, 0.125, 0.0625,
                                                                       -0.4375, 0.375})) < 1e-14);
            CHECK(largest_gap(result.predictions, fused ? p : z) < 1e-14);
        }
    }
}

TEST_CASE("CategoricalCrossentropy: label smoothing s puts t (1 - s) + s / C in the place of t") {
    const Tensor<double> p({2, 4}, {0.5, 0.25, 0.125, 0.125, 0.5, 0.25, 0.125, 0.125});
    const Tensor<double> t({2, 4}, {0, 1, 0, 0, 0.5, 0.5, 0, 0});
    // With s = 0.2 the targets become (0.05, 0.85, 0.05, 0.05) and (0.45, 0.45, 0.05, 0.05). What
    // follows are a dozen roundings of 1e-16, of numbers up to 10 times those left at the end.
    const double log_2 = std::log(2.0);
    const Tensor<double> losses({2}, {2.05 * log_2, 1.65 * log_2});
    SUBCASE("from probabilities") {
        const auto result = evaluate_loss(smoothed_categorical(0.2), p, t);
        CHECK(largest_gap(result.losses, losses) < 1e-14);
        // (sum t - t / p) / N
        CHECK(largest_gap(result.gradient, Tensor<double>({2, 4}, {0.45, -1.2, 0.3, 0.3, 0.05, -0.4,
                                                                   0.3, 0.3})) < 1e-14);
    }
    SUBCASE("from logits and fused") {
        Tensor<double> z = p;
        for (double& value : z) value = std::log(value);
        for (const bool fused : {false, true}) {
            const auto result = evaluate_loss(smoothed_categorical(0.2, !fused), z, t, fused);
            CHECK(largest_gap(result.losses, losses) < 1e-14);
            CHECK(largest_gap(result.gradient,
                              Tensor<double>({2, 4}, {0.225, -0.3, 0.0375, 0.0375,  //
                                                      0.025, -0.1, 0.0375, 0.0375})) < 1e-14);
        }
    }
}

TEST_CASE_TEMPLATE("Targets without label smoothing are kept to the last bit", Scalar, float,
                   double) {
    using Limits = std::numeric_limits<Scalar>;
    const Tensor<Scalar> t(
        {6}, {0, 1, Scalar(0.1), Scalar(1) / 3, Limits::epsilon() / 8, Limits::denorm_min()});
    Tensor<Scalar> kept(t.shape());
    const kernels::SmoothedTargets<Scalar> targets(TensorView<const Scalar>(t), 0, 6);
    for (Index i = 0; i < t.size(); ++i) kept[i] = targets[i];
    CHECK(identical(kept, t));
}

TEST_CASE_TEMPLATE("CategoricalCrossentropy of logits of +-1000 and smoothed labels is exact",
                   Scalar, float, double) {
    // With s = 3/4 the targets become (1/2, 1/4, 1/4): exact in binary, and so is all that follows.
    const Tensor<Scalar> z({1, 3}, {1000, -1000, 0}), t({1, 3}, {1, 0, 0});
    for (const bool fused : {false, true}) {
        const auto result = evaluate_loss(smoothed_categorical(0.75, !fused), z, t, fused);
        CHECK(identical(result.losses, Tensor<Scalar>({1}, {750})));
        CHECK(identical(result.gradient, Tensor<Scalar>({1, 3}, {0.5, -0.25, -0.25})));
    }
}

TEST_CASE("CategoricalCrossentropy refuses a label smoothing outside [0, 1), by name") {
    check_label_smoothing_range<CategoricalCrossentropy>();
}

TEST_CASE("CategoricalCrossentropy equals Keras") {
    check_loss_reference<CategoricalCrossentropy>();
}

TEST_CASE("CategoricalCrossentropy: every gradient agrees with central differences") {
    for (const Shape& shape : {Shape{5, 3}, {1, 4}, {2, 3, 4}, {2, 3, 4, 5}}) {
        CAPTURE(shape.to_string());
        // Targets that do not sum to 1 are weighed by their sum.
        const auto targets = random_uniform(shape, 3, 0, 1);
        for (const double s : {0.0, 0.1, 0.9}) {
            CAPTURE(s);
            const auto p = random_uniform(shape, 2, 0.05, 0.95), z = random_normal(shape, 2, 2);
            CHECK(gradient_check(smoothed_categorical(s), p, targets));
            CHECK(gradient_check(smoothed_categorical(s, true), z, targets));
            CHECK(gradient_check(smoothed_categorical(s), z, targets, true));
        }
    }
}

TEST_CASE("CategoricalCrossentropy alone divides by N") {
    const auto target = random_uniform({1, 4}, 3, 0, 1);
    check_divides_by_n(categorical_of_probabilities, random_uniform({1, 4}, 2, 0.1, 0.9), target,
                       false);
    check_divides_by_n(categorical_of_probabilities, random_normal({1, 4}, 2), target, true);
    check_divides_by_n(categorical_of_logits, random_normal({1, 2, 3}, 2),
                       random_uniform({1, 2, 3}, 3, 0, 1), false);
}

TEST_CASE("CategoricalCrossentropy: rows do not touch each other, on any number of threads") {
    const auto targets = random_uniform({3001, 7}, 3, 0, 1);
    check_loss_rows<double>(categorical_of_probabilities, random_uniform({3001, 7}, 2, 0, 1),
                            targets, false);
    check_loss_rows<double>(categorical_of_logits, random_normal({3001, 7}, 2), targets, false);
    check_loss_rows<float>(categorical_of_probabilities, random_normal<float>({3001, 7}, 2),
                           random_uniform<float>({3001, 7}, 3, 0, 1), true);
}

TEST_CASE("CategoricalCrossentropy fuses with softmax, unless it is given logits") {
    const LossDeclaration<double, Cpu> loss = categorical_of_probabilities;
    CHECK(loss.type() == "CategoricalCrossentropy");
    CHECK(loss->fuses(softmax));
    for (const Activation other : {linear, relu, sigmoid, weft::tanh})
        CHECK_FALSE(loss->fuses(other));
    CHECK_FALSE((LossDeclaration<double, Cpu>(categorical_of_logits)->fuses(softmax)));
    for (const Shape& shape : {Shape{5, 4}, {2, 3, 4}}) {
        for (const double s : {0.0, 0.1, 0.9}) {
            CAPTURE(s);
            check_fused_equals_unfused<Softmax>(smoothed_categorical(s), random_normal(shape, 2),
                                                random_uniform(shape, 3, 0, 1));
        }
    }
}

TEST_CASE("CategoricalCrossentropy of one-hot targets is the sparse one") {
    const auto z = random_normal({5, 4}, 2, 2);
    const auto labels = random_labels({5}, 4);
    Tensor<double> one_hot({5, 4});
    for (Index n = 0; n < 5; ++n) one_hot(n, static_cast<Index>(labels[n])) = 1;
    const auto dense = evaluate_loss(categorical_of_logits, z, one_hot);
    const auto sparse = evaluate_loss(SparseCategoricalCrossentropy{true}, z, labels);
    CHECK(largest_gap(dense.losses, sparse.losses) < 1e-13);
    CHECK(largest_gap(dense.gradient, sparse.gradient) < 1e-13);
}

TEST_CASE_TEMPLATE("CategoricalCrossentropy of logits of +-1000 is finite and exact", Scalar, float,
                   double) {
    const Tensor<Scalar> z({3, 3}, {1000, -1000, 0, 1000, -1000, 0, -1000, -1000, -1000});
    const Tensor<Scalar> t({3, 3}, {1, 0, 0, 0, 0.5, 0.5, 0, 0, 1});
    for (const bool fused : {false, true}) {
        const auto result = evaluate_loss(
            fused ? categorical_of_probabilities : categorical_of_logits, z, t, fused);
        CHECK(largest_gap(result.losses, Tensor<Scalar>({3}, {0, 1500, std::log(Scalar(3))})) <
              1e-6);
        constexpr Scalar ninth = Scalar(1) / 9, sixth = Scalar(1) / 6;
        CHECK(largest_gap(result.gradient, Tensor<Scalar>({3, 3}, {0, 0, 0,                    //
                                                                   2 * sixth, -sixth, -sixth,  //
                                                                   ninth, ninth, -2 * ninth})) <
              1e-6);
    }
}

TEST_CASE("CategoricalCrossentropy takes no notice of a logit of -infinity without weight") {
    const float infinity = std::numeric_limits<float>::infinity();
    const auto result = evaluate_loss<float>(
        categorical_of_probabilities, {{1, 3}, {0, -infinity, 0}}, {{1, 3}, {1, 0, 0}}, true);
    CHECK(largest_gap(result.losses, Tensor<float>({1}, {std::log(2.f)})) < 1e-6);
    CHECK(largest_gap(result.gradient, Tensor<float>({1, 3}, {-0.5, 0, 0.5})) < 1e-6);
}

TEST_CASE("CategoricalCrossentropy takes targets like the predictions") {
    const LossDeclaration<float, Cpu> loss = categorical_of_probabilities;
    CHECK(loss->target_shape({3, 4}) == Shape{3, 4});
    CHECK(loss->complaint(Tensor<float>({2}, {0.3f, 0.7f}), {2}) == "");
    CHECK(loss->complaint(Tensor<float>({2}, {1, -0.5f}), {2}) ==
          "target -0.5, expected at least 0");
    CHECK(loss->class_count({3}) == 3);
    CHECK(loss->class_count({1}) == 0);
    CHECK(loss->class_count({2, 3}) == 0);
}
