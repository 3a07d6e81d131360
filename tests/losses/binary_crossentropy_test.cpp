#include "weft/losses/binary_crossentropy.hpp"

#include "tests/support/loss_checks.hpp"
#include "weft/layers/sigmoid.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

constexpr BinaryCrossentropy binary_of_probabilities{};
constexpr BinaryCrossentropy binary_of_logits{.from_logits = true};

constexpr BinaryCrossentropy smoothed_binary(double label_smoothing, bool logits = false) {
    return {.from_logits = logits, .label_smoothing = label_smoothing};
}

}  // namespace

TEST_CASE("BinaryCrossentropy is the mean of -(t log p + (1 - t) log(1 - p))") {
    const Tensor<double> p({2, 2}, {0.5, 0.25, 0.75, 0.2});
    const Tensor<double> t({2, 2}, {1, 0, 0.5, 1});
    const Tensor<double> losses({2}, {(std::log(2.0) + std::log(4.0 / 3)) / 2,
                                      (0.5 * std::log(16.0 / 3) + std::log(5.0)) / 2});
    SUBCASE("from probabilities") {
        const auto result = evaluate_loss(binary_of_probabilities, p, t);
        CHECK(largest_gap(result.losses, losses) < 1e-15);
        // (p - t) / (p (1 - p)) / C / N
        CHECK(largest_gap(result.gradient, Tensor<double>({2, 2}, {-0.5, 1. / 3, 1. / 3, -1.25})) <
              1e-15);
    }
    SUBCASE("from logits and fused") {
        Tensor<double> z = p;
        for (double& value : z) value = std::log(value / (1 - value));
        for (const bool fused : {false, true}) {
            const auto result =
                evaluate_loss(fused ? binary_of_probabilities : binary_of_logits, z, t, fused);
            CHECK(largest_gap(result.losses, losses) < 1e-14);
            CHECK(largest_gap(result.gradient,
                              Tensor<double>({2, 2}, {-0.125, 0.0625, 0.0625, -0.2})) < 1e-14);
            CHECK(largest_gap(result.predictions, fused ? p : z) < 1e-14);
        }
    }
}

TEST_CASE("BinaryCrossentropy: label smoothing s puts t (1 - s) + s / 2 in the place of t") {
    const Tensor<double> p({1, 3}, {0.5, 0.25, 0.75});
    const Tensor<double> t({1, 3}, {1, 0, 0.5});
    // With s = 0.2 the targets become 0.9, 0.1, 0.5. What follows are a dozen roundings of 1e-16.
    const Tensor<double> losses({1}, {(2.2 * std::log(2.0) + 1.4 * std::log(4.0 / 3)) / 3});
    SUBCASE("from probabilities") {
        const auto result = evaluate_loss(smoothed_binary(0.2), p, t);
        CHECK(largest_gap(result.losses, losses) < 1e-14);
        // (p - t) / (p (1 - p)) / C / N
        CHECK(largest_gap(result.gradient, Tensor<double>({1, 3}, {-1.6 / 3, 0.8 / 3, 4.0 / 9})) <
              1e-14);
    }
    SUBCASE("from logits and fused") {
        Tensor<double> z = p;
        for (double& value : z) value = std::log(value / (1 - value));
        for (const bool fused : {false, true}) {
            const auto result = evaluate_loss(smoothed_binary(0.2, !fused), z, t, fused);
            CHECK(largest_gap(result.losses, losses) < 1e-14);
            CHECK(largest_gap(result.gradient, Tensor<double>({1, 3}, {-0.4 / 3, 0.05, 0.25 / 3})) <
                  1e-14);
        }
    }
}

TEST_CASE_TEMPLATE("BinaryCrossentropy of logits of +-1000 and smoothed labels is exact", Scalar,
                   float, double) {
    // With s = 1/2 the targets become 3/4 and 1/4: exact in binary, and so is all that follows.
    const Tensor<Scalar> z({4, 1}, {1000, 1000, -1000, -1000}), t({4, 1}, {1, 0, 0, 1});
    for (const bool fused : {false, true}) {
        const auto result = evaluate_loss(smoothed_binary(0.5, !fused), z, t, fused);
        CHECK(identical(result.losses, Tensor<Scalar>({4}, {250, 750, 250, 750})));
        CHECK(
            identical(result.gradient, Tensor<Scalar>({4, 1}, {0.0625, 0.1875, -0.0625, -0.1875})));
    }
}

TEST_CASE("BinaryCrossentropy refuses a label smoothing outside [0, 1), by name") {
    check_label_smoothing_range<BinaryCrossentropy>();
}

TEST_CASE("BinaryCrossentropy equals Keras") { check_loss_reference<BinaryCrossentropy>(); }

TEST_CASE("BinaryCrossentropy: every gradient agrees with central differences") {
    for (const Shape& shape : {Shape{5, 3}, {1, 4}, {5, 1}, {2, 3, 4}, {2, 3, 4, 5}}) {
        CAPTURE(shape.to_string());
        const auto targets = random_uniform(shape, 3, 0, 1);
        for (const double s : {0.0, 0.1, 0.9}) {
            CAPTURE(s);
            const auto p = random_uniform(shape, 2, 0.05, 0.95), z = random_normal(shape, 2, 2);
            CHECK(gradient_check(smoothed_binary(s), p, targets));
            CHECK(gradient_check(smoothed_binary(s, true), z, targets));
            CHECK(gradient_check(smoothed_binary(s), z, targets, true));
        }
    }
}

TEST_CASE("BinaryCrossentropy alone divides by N") {
    const auto target = random_uniform({1, 4}, 3, 0, 1);
    check_divides_by_n(binary_of_probabilities, random_uniform({1, 4}, 2, 0.1, 0.9), target, false);
    check_divides_by_n(binary_of_probabilities, random_normal({1, 4}, 2), target, true);
    check_divides_by_n(binary_of_logits, random_normal({1, 2, 3}, 2),
                       random_uniform({1, 2, 3}, 3, 0, 1), false);
}

TEST_CASE("BinaryCrossentropy: rows do not touch each other, on any number of threads") {
    const auto targets = random_labels({3001, 7}, 2);
    check_loss_rows<double>(binary_of_probabilities, random_uniform({3001, 7}, 2, 0, 1), targets,
                            false);
    check_loss_rows<double>(binary_of_logits, random_normal({3001, 7}, 2), targets, false);
    check_loss_rows<float>(binary_of_probabilities, random_normal<float>({3001, 7}, 2),
                           random_labels<float>({3001, 7}, 2), true);
}

TEST_CASE("BinaryCrossentropy fuses with sigmoid, unless it is given logits") {
    const LossDeclaration<double, Cpu> loss = binary_of_probabilities;
    CHECK(loss.type() == "BinaryCrossentropy");
    CHECK(loss->fuses(sigmoid));
    for (const Activation other : {linear, relu, softmax, weft::tanh})
        CHECK_FALSE(loss->fuses(other));
    CHECK_FALSE((LossDeclaration<double, Cpu>(binary_of_logits)->fuses(sigmoid)));
    for (const Shape& shape : {Shape{5, 4}, {5, 1}, {2, 3, 4}}) {
        for (const double s : {0.0, 0.1, 0.9}) {
            CAPTURE(s);
            check_fused_equals_unfused<Sigmoid>(smoothed_binary(s), random_normal(shape, 2),
                                                random_uniform(shape, 3, 0, 1));
        }
    }
}

TEST_CASE_TEMPLATE("BinaryCrossentropy of logits of +-1000 is finite and exact", Scalar, float,
                   double) {
    const Tensor<Scalar> z({5, 1}, {1000, 1000, -1000, -1000, 0});
    const Tensor<Scalar> t({5, 1}, {1, 0, 0, 1, 1});
    for (const bool fused : {false, true}) {
        const auto result =
            evaluate_loss(fused ? binary_of_probabilities : binary_of_logits, z, t, fused);
        CHECK(largest_gap(result.losses,
                          Tensor<Scalar>({5}, {0, 1000, 0, 1000, std::log(Scalar(2))})) < 1e-6);
        constexpr Scalar fifth = Scalar(1) / 5, tenth = Scalar(1) / 10;
        CHECK(largest_gap(result.gradient, Tensor<Scalar>({5, 1}, {0, fifth, 0, -fifth, -tenth})) <
              1e-6);
    }
}

TEST_CASE_TEMPLATE("BinaryCrossentropy of probabilities 0 and 1 is finite", Scalar, float, double) {
    const auto result = evaluate_loss<Scalar>(binary_of_probabilities, {{4, 1}, {0, 0, 1, 1}},
                                              {{4, 1}, {0, 1, 0, 1}});
    for (const Scalar loss : result.losses) CHECK(std::isfinite(loss));
    for (const Scalar value : result.gradient) CHECK(value == 0);  // clipped, as in Keras
    CHECK(result.losses[1] > 15);
    CHECK(result.losses[2] > 15);
}

TEST_CASE("BinaryCrossentropy takes targets like the predictions") {
    const LossDeclaration<float, Cpu> loss = binary_of_probabilities;
    CHECK(loss->target_shape({3, 4}) == Shape{3, 4});
    CHECK(loss->complaint(Tensor<float>({2}, {0, 1}), {2}) == "");
    CHECK(loss->complaint(Tensor<float>({2}, {0, 1.5f}), {2}) == "label 1.5, expected 0 ... 1");
    CHECK(loss->complaint(Tensor<float>({2}, {-0.5f, 1}), {2}) == "label -0.5, expected 0 ... 1");
    CHECK(loss->class_count({1}) == 2);
    CHECK(loss->class_count({3}) == 0);
}
