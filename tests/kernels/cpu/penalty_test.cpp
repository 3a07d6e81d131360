#include "weft/kernels/cpu/penalty.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/penalty.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using weft::Cpu;
using weft::eps;
using weft::identical;
using weft::Index;
using weft::largest_gap;
using weft::not_a_number;
using weft::Reference;
using weft::relative_gap;
using weft::Tensor;

TEST_CASE_TEMPLATE("penalty is l1 times the sum of magnitudes and l2 times that of squares", Scalar,
                   float, double) {
    Cpu cpu(1);
    const Tensor<Scalar> x({2, 2}, {1, -2, 0, 3});
    CHECK(weft::kernels::penalty<Scalar>(cpu, x, 1, 0) == 6);
    CHECK(weft::kernels::penalty<Scalar>(cpu, x, 0, 1) == 14);
    CHECK(weft::kernels::penalty<Scalar>(cpu, x, 0.5, 0.25) == 6.5);
    CHECK(weft::kernels::penalty<Scalar>(cpu, Tensor<Scalar>(), 1, 1) == 0);
    CHECK(std::isnan(
        weft::kernels::penalty<Scalar>(cpu, Tensor<Scalar>({1}, {not_a_number<Scalar>}), 1, 0)));
}

TEST_CASE("penalty sums in double precision") {
    Cpu cpu(1);
    const Tensor<float> x({3}, {33554432, 1, 1});  // 2^25 + 1 is 2^25 in float
    CHECK(weft::kernels::penalty<float>(cpu, x, 1, 0) == 33554434);
}

TEST_CASE_TEMPLATE("add_penalty_gradient adds the penalty's derivative, 0 at 0", Scalar, float,
                   double) {
    Cpu cpu(1);
    const Tensor<Scalar> x({4}, {1, -2, 0, 3});
    Tensor<Scalar> gradient({4}, {10, 20, 30, 40});
    add_penalty_gradient<Scalar>(cpu, x, 0.5, 0.25, gradient);
    CHECK(identical(gradient, Tensor<Scalar>({4}, {11, Scalar(18.5), 30, 42})));
}

TEST_CASE_TEMPLATE("clip_values limits each number and keeps NaN", Scalar, float, double) {
    constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    Cpu cpu(1);
    Tensor<Scalar> x({8}, {-3, -2, -1, 0, 1, 2, infinity, -infinity});
    clip_values<Scalar>(cpu, x, 2);
    CHECK(identical(x, Tensor<Scalar>({8}, {-2, -2, -1, 0, 1, 2, 2, -2})));
    Tensor<Scalar> bad({1}, {not_a_number<Scalar>});
    clip_values<Scalar>(cpu, bad, 2);
    CHECK(std::isnan(bad[0]));
}

TEST_CASE_TEMPLATE("penalties, limits and constraints of many numbers are those of each", Scalar,
                   float, double) {
    // Whole numbers, so that sums of products with halves are exact; several tasks of threads.
    constexpr Index count = 40001;
    const auto x = weft::random_integers<Scalar>({count}, 1, -9, 9);
    const auto start = weft::random_integers<Scalar>({count}, 2, -9, 9);
    Reference reference;
    const auto exact_x = weft::as_reference<Scalar>(x);
    auto exact_gradient = weft::as_reference<Scalar>(start), exact_clipped = exact_x,
         exact_lifted = exact_x;
    add_penalty_gradient<Scalar>(reference, exact_x, 0.5, 0.25, exact_gradient);
    clip_values<Scalar>(reference, exact_clipped, 5);
    make_non_negative<Scalar>(reference, exact_lifted);
    auto gradient = start, clipped = x, lifted = x;
    for (const int threads : {1, 2, 7}) {
        Cpu cpu(threads);
        CAPTURE(threads);
        gradient = start, clipped = lifted = x;
        CHECK(weft::kernels::penalty<Scalar>(cpu, x, 0.5, 0.25) ==
              weft::kernels::penalty<Scalar>(reference, exact_x, 0.5, 0.25));
        add_penalty_gradient<Scalar>(cpu, x, 0.5, 0.25, gradient);
        CHECK(identical(gradient, exact_gradient));
        clip_values<Scalar>(cpu, clipped, 5);
        CHECK(identical(clipped, exact_clipped));
        make_non_negative<Scalar>(cpu, lifted);
        CHECK(identical(lifted, exact_lifted));
    }
}

TEST_CASE_TEMPLATE("clip_norm shortens what is too long and leaves the rest alone", Scalar, float,
                   double) {
    Reference reference;
    for (const Index size : {2, 37, 40001}) {
        const auto x = weft::random_normal<Scalar>({size}, 1);
        const double norm = std::sqrt(
            weft::kernels::penalty<Scalar>(reference, weft::as_reference<Scalar>(x), 0, 1));
        Cpu cpu(2);
        CAPTURE(size);
        auto shorter = x, same = x;
        auto expected = weft::as_reference(x);
        clip_norm<Scalar>(cpu, shorter, norm / 4);
        clip_norm<double>(reference, expected, norm / 4);
        // A factor and a product are rounded.
        CHECK(largest_gap(shorter, expected, 1e-30) < 2 * eps<Scalar>);
        clip_norm<Scalar>(cpu, same, norm * 1.001);
        CHECK(identical(same, x));
    }
    Cpu cpu(1);
    Tensor<Scalar> zero({3});
    clip_norm<Scalar>(cpu, zero, 1);
    CHECK(identical(zero, Tensor<Scalar>({3})));
}

TEST_CASE_TEMPLATE("make_non_negative lifts negative numbers to 0", Scalar, float, double) {
    Cpu cpu(1);
    Tensor<Scalar> w({2, 2}, {-1, 2, 0, -3});
    make_non_negative<Scalar>(cpu, w);
    CHECK(identical(w, Tensor<Scalar>({2, 2}, {0, 2, 0, 0})));
}

TEST_CASE_TEMPLATE("limit_column_norms works on the columns of the last axis", Scalar, float,
                   double) {
    Cpu cpu(1);
    // A few columns; groups of 16 alone; and some more.
    for (const weft::Shape& shape :
         {weft::Shape{5, 3}, weft::Shape{3, 2, 4, 7}, weft::Shape{6, 32}, weft::Shape{2, 5, 35}}) {
        const auto w = weft::random_normal<Scalar>(shape, 2);
        for (const double limit : {0., 0.5, 2.5, 100.}) {
            auto limited = w;
            auto expected = weft::as_reference(w);
            Reference reference;
            limit_column_norms<Scalar>(cpu, limited, limit);
            limit_column_norms<double>(reference, expected, limit);
            CAPTURE(limit);
            // A factor and a product are rounded; before, in double, squares and their sum, of
            // which the root takes half, the root itself, and the guard.
            const auto rows = static_cast<double>(w.size() / shape.last());
            const double of_norm = (rows / 2 + 3) * eps<double> / 2;
            CHECK(largest_gap(limited, expected, 1e-30) < 2 * eps<Scalar> + of_norm);
        }
    }
    Tensor<Scalar> zero({3, 2});
    limit_column_norms<Scalar>(cpu, zero, 0);
    CHECK(identical(zero, Tensor<Scalar>({3, 2})));
    Tensor<Scalar> none({3, 0});
    limit_column_norms<Scalar>(cpu, none, 1);
    CHECK(none.size() == 0);
}

TEST_CASE_TEMPLATE("weight_rows weighs losses and the rows of the gradient", Scalar, float,
                   double) {
    Cpu cpu(1);
    Tensor<Scalar> losses({3}, {1, 2, 3}), gradient({3, 2}, {1, 2, 3, 4, 5, 6});
    weight_rows<Scalar>(cpu, Tensor<Scalar>({3}, {2, 0, -1}), losses, gradient);
    CHECK(identical(losses, Tensor<Scalar>({3}, {2, 0, -3})));
    CHECK(identical(gradient, Tensor<Scalar>({3, 2}, {2, 4, 0, 0, -5, -6})));

    // A weight for each sample of two rows.
    losses = Tensor<Scalar>({4}, {1, 2, 3, 4});
    gradient = Tensor<Scalar>({4, 1}, {5, 6, 7, 8});
    weight_rows<Scalar>(cpu, Tensor<Scalar>({2}, {10, 100}), losses, gradient);
    CHECK(identical(losses, Tensor<Scalar>({4}, {10, 20, 300, 400})));
    CHECK(identical(gradient, Tensor<Scalar>({4, 1}, {50, 60, 700, 800})));
}

TEST_CASE_TEMPLATE("long penalties and norms are within the bound of their roundings", Scalar,
                   float, double) {
    Cpu cpu(1);
    for (const Index n : weft::long_lengths<Scalar>()) {
        CAPTURE(n);
        const weft::LongNumbers<Scalar> numbers({n, 1}, true);
        const auto squares = numbers.sum * static_cast<long double>(Scalar(0.1));
        // A square and the product with a weight round too.
        const double bound = weft::pairwise_roundings(n) + 3;
        const auto penalty = [&](double l1, double l2) {
            return weft::kernels::penalty<Scalar>(cpu, numbers.x, l1, l2);
        };
        CHECK(weft::roundings(penalty(1, 0), numbers.sum) <= bound);
        CHECK(weft::roundings(penalty(0, 1), squares) <= bound);
        // Norms, whose square roots halve the error, are rounded to Scalar with each element.
        const double of_norm = 3 * eps<Scalar> + bound * eps<double>;
        const auto expected =
            static_cast<double>(static_cast<long double>(Scalar(0.1)) / std::sqrt(squares));
        auto x = numbers.x;
        clip_norm<Scalar>(cpu, x, 1);
        CHECK(relative_gap(static_cast<double>(x[n / 2]), expected, 0) < of_norm);
        x = numbers.x;
        limit_column_norms<Scalar>(cpu, x, 0);
        // The guard of 1e-7 beside a norm above 3.
        CHECK(relative_gap(static_cast<double>(x[n / 2]), expected, 0) < of_norm + 4e-8);
    }
}
