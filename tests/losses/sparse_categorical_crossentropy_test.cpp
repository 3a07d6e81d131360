#include "weft/losses/sparse_categorical_crossentropy.hpp"

#include "tests/support/loss_checks.hpp"
#include "weft/layers/softmax.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

constexpr SparseCategoricalCrossentropy sparse_of_probabilities{};
constexpr SparseCategoricalCrossentropy sparse_of_logits{.from_logits = true};

Shape without_last(const Shape& shape) {
    return Shape(std::span(shape.begin(), static_cast<std::size_t>(shape.rank() - 1)));
}

}  // namespace

TEST_CASE("SparseCategoricalCrossentropy is minus the logarithm of the label's probability") {
    const Tensor<double> p({2, 3}, {0.5, 0.25, 0.25, 0.125, 0.125, 0.75});
    const Tensor<double> labels({2}, {1, 0});
    SUBCASE("from probabilities") {
        const auto result = evaluate_loss(sparse_of_probabilities, p, labels);
        CHECK(largest_gap(result.losses, Tensor<double>({2}, {std::log(4.0), std::log(8.0)})) <
              1e-15);
        // (1 - [c = label] / p_label) / N: the 1 from dividing by the sum
        CHECK(largest_gap(result.gradient,
                          Tensor<double>({2, 3}, {0.5, -1.5, 0.5, -3.5, 0.5, 0.5})) < 1e-15);
    }
    SUBCASE("from logits and fused") {
        Tensor<double> z = p;
        for (double& value : z) value = std::log(value) + 5;
        const Tensor<double> expected({2, 3}, {0.25, -0.375, 0.125, -0.4375, 0.0625, 0.375});
        for (const bool fused : {false, true}) {
            const auto result =
                evaluate_loss(fused ? sparse_of_probabilities : sparse_of_logits, z, labels, fused);
            CHECK(largest_gap(result.losses, Tensor<double>({2}, {std::log(4.0), std::log(8.0)})) <
                  1e-14);
            CHECK(largest_gap(result.gradient, expected) < 1e-14);
            CHECK(largest_gap(result.predictions, fused ? p : z) < 1e-14);
        }
    }
}

TEST_CASE("SparseCategoricalCrossentropy equals Keras") {
    check_loss_reference<SparseCategoricalCrossentropy>();
}

TEST_CASE("SparseCategoricalCrossentropy: every gradient agrees with central differences") {
    for (const Shape& shape : {Shape{5, 3}, {1, 4}, {2, 3, 4}, {2, 3, 4, 5}}) {
        CAPTURE(shape.to_string());
        const auto labels = random_labels(without_last(shape), shape.last());
        CHECK(
            gradient_check(sparse_of_probabilities, random_uniform(shape, 2, 0.05, 0.95), labels));
        CHECK(gradient_check(sparse_of_logits, random_normal(shape, 2, 2), labels));
        CHECK(gradient_check(sparse_of_probabilities, random_normal(shape, 2, 2), labels, true));
    }
}

TEST_CASE("SparseCategoricalCrossentropy alone divides by N") {
    const Tensor<double> label({1}, {2});
    check_divides_by_n(sparse_of_probabilities, random_uniform({1, 4}, 2, 0.1, 0.9), label, false);
    check_divides_by_n(sparse_of_probabilities, random_normal({1, 4}, 2), label, true);
    check_divides_by_n(sparse_of_logits, random_normal({1, 3, 4}, 2), {{1, 3}, {2, 0, 1}}, false);
}

TEST_CASE("SparseCategoricalCrossentropy: rows do not touch each other, on any threads") {
    const auto labels = random_labels({3001}, 7);
    const auto labels_in_float = random_labels<float>({3001}, 7);
    check_loss_rows<double>(sparse_of_probabilities, random_uniform({3001, 7}, 2, 0, 1), labels,
                            false);
    check_loss_rows<double>(sparse_of_logits, random_normal({3001, 7}, 2), labels, false);
    check_loss_rows<float>(sparse_of_probabilities, random_normal<float>({3001, 7}, 2),
                           labels_in_float, true);
}

TEST_CASE("SparseCategoricalCrossentropy fuses with softmax, unless it is given logits") {
    const LossDeclaration<double, Cpu> loss = sparse_of_probabilities;
    CHECK(loss.type() == "SparseCategoricalCrossentropy");
    CHECK(loss->fuses(softmax));
    for (const Activation other : {linear, relu, sigmoid, weft::tanh})
        CHECK_FALSE(loss->fuses(other));
    CHECK_FALSE((LossDeclaration<double, Cpu>(sparse_of_logits)->fuses(softmax)));
    check_fused_equals_unfused<Softmax>(loss, random_normal({5, 4}, 2), random_labels({5}, 4));
    check_fused_equals_unfused<Softmax>(loss, random_normal({2, 3, 4}, 2),
                                        random_labels({2, 3}, 4));
}

TEST_CASE_TEMPLATE("SparseCategoricalCrossentropy of logits of +-1000 is finite and exact", Scalar,
                   float, double) {
    const Tensor<Scalar> z({4, 3}, {1000, -1000, 0,       //
                                    1000, -1000, 0,       //
                                    -1000, -1000, -1000,  //
                                    1000, 1000, -1000});
    const Tensor<Scalar> labels({4}, {0, 1, 2, 0});
    const auto log_2 = std::log(Scalar(2)), log_3 = std::log(Scalar(3));
    for (const bool fused : {false, true}) {
        const auto result =
            evaluate_loss(fused ? sparse_of_probabilities : sparse_of_logits, z, labels, fused);
        CHECK(largest_gap(result.losses, Tensor<Scalar>({4}, {0, 2000, log_3, log_2})) < 1e-6);
        constexpr Scalar third = Scalar(1) / 12;
        CHECK(largest_gap(result.gradient, Tensor<Scalar>({4, 3}, {0, 0, 0,                   //
                                                                   0.25, -0.25, 0,            //
                                                                   third, third, -2 * third,  //
                                                                   -0.125, 0.125, 0})) < 1e-6);
    }
}

TEST_CASE("SparseCategoricalCrossentropy wants a class index for every row") {
    const LossDeclaration<float, Cpu> loss = sparse_of_probabilities;
    CHECK(loss->target_shape({4}) == Shape{});
    CHECK(loss->target_shape({3, 4}) == Shape{3});
    CHECK(loss->target_shape({2, 3, 4}) == Shape{2, 3});

    const auto complaint = [&](float label) {
        return loss->complaint(Tensor<float>(Shape{}, {label}), {4});
    };
    for (const float label : {0.f, 1.f, 2.f, 3.f}) CHECK(complaint(label) == "");
    CHECK(loss->class_count({4}) == 4);
    CHECK(loss->class_count({2, 4}) == 0);
    CHECK(complaint(4) == "label 4, expected a class in 0 ... 3");
    CHECK(complaint(-1) == "label -1, expected a class in 0 ... 3");
    CHECK(complaint(1.5) == "label 1.5, expected a class in 0 ... 3");
    CHECK(complaint(2.9999998f).starts_with("label 2.99999976"));
    CHECK(complaint(std::numeric_limits<float>::quiet_NaN()) ==
          "label nan, expected a class in 0 ... 3");
    CHECK(complaint(std::numeric_limits<float>::infinity()) ==
          "label inf, expected a class in 0 ... 3");
    CHECK(complaint(-std::numeric_limits<float>::infinity()) != "");
    CHECK(complaint(3e38f) != "");

    // Any row of a sample may be the one at fault.
    CHECK(loss->complaint(Tensor<float>({3}, {0, 1, 3}), {3, 4}) == "");
    CHECK(loss->complaint(Tensor<float>({3}, {0, 1, 4}), {3, 4}) ==
          "label 4, expected a class in 0 ... 3");
}

TEST_CASE("SparseCategoricalCrossentropy refuses predictions without a class axis") {
    const LossDeclaration<float, Cpu> loss = sparse_of_probabilities;
    CHECK_THROWS_AS(loss->target_shape(Shape{}), Error);
}
