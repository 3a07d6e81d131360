#include "weft/losses/mean_squared_error.hpp"

#include "tests/support/loss_checks.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("MeanSquaredError is the mean of the squared differences") {
    const auto result = evaluate_loss<double>(MeanSquaredError{}, {{2, 3}, {1, 2, 3, 4, 5, 6}},
                                              {{2, 3}, {1, 4, 0, 4, 5, 0}});
    CHECK(largest_gap(result.losses, Tensor<double>({2}, {13. / 3, 12})) < 1e-15);
    // 2 / C / N (p - t)
    CHECK(largest_gap(result.gradient, Tensor<double>({2, 3}, {0, -2. / 3, 1, 0, 0, 2})) < 1e-15);
}

TEST_CASE("MeanSquaredError equals Keras") { check_loss_reference<MeanSquaredError>(); }

TEST_CASE("MeanSquaredError: every gradient agrees with central differences") {
    for (const Shape& shape : {Shape{5, 3}, {1, 3}, {5, 1}, {2, 3, 4}, {2, 3, 4, 5}}) {
        CAPTURE(shape.to_string());
        CHECK(gradient_check(MeanSquaredError{}, random_normal(shape, 2), random_normal(shape, 3)));
    }
}

TEST_CASE("MeanSquaredError alone divides by N") {
    check_divides_by_n(MeanSquaredError{}, random_normal({1, 3}, 2), random_normal({1, 3}, 3),
                       false);
    check_divides_by_n(MeanSquaredError{}, random_normal({1, 2, 3}, 2), random_normal({1, 2, 3}, 3),
                       false);
}

TEST_CASE("MeanSquaredError: rows do not touch each other, on any number of threads") {
    check_loss_rows<double>(MeanSquaredError{}, random_normal({3001, 7}, 2),
                            random_normal({3001, 7}, 3), false);
    check_loss_rows<float>(MeanSquaredError{}, random_normal<float>({3001, 7}, 2),
                           random_normal<float>({3001, 7}, 3), false);
}

TEST_CASE("MeanSquaredError fuses with nothing and takes targets like the predictions") {
    const LossDeclaration<float, Cpu> loss = MeanSquaredError{};
    CHECK(loss.type() == "MeanSquaredError");
    CHECK_FALSE(loss->fuses(softmax));
    CHECK_FALSE(loss->fuses(sigmoid));
    CHECK(loss->target_shape({3, 4}) == Shape{3, 4});
    CHECK(loss->complaint(Tensor<float>({2}, {1e30f, -7}), {2}).empty());
}

TEST_CASE("MeanSquaredError of large numbers is finite") {
    const auto result =
        evaluate_loss<float>(MeanSquaredError{}, {{1, 2}, {1e18f, -1e18f}}, {{1, 2}, {-1e18f, 0}});
    CHECK(std::isfinite(result.losses[0]));
    CHECK(result.gradient[0] == 2e18f);
}
