#include "weft/kernels/cpu/batch_norm.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/dirty_scratch.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/batch_norm.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using weft::Cpu;
using weft::eps;
using weft::identical;
using weft::Index;
using weft::largest_gap;
using weft::random_normal;
using weft::random_uniform;
using weft::Reference;
using weft::Shape;
using weft::Tensor;
using weft::TensorView;
using weft::kernels::Normalizing;

namespace {

constexpr double epsilon = 1e-3;

template <class Scalar>
struct Moments {
    Tensor<Scalar> mean, variance;

    Tensor<Scalar> inverse_deviation() const {
        auto result = variance;
        for (Scalar& value : result) value = 1 / std::sqrt(value + Scalar(epsilon));
        return result;
    }
};

template <class Scalar>
Moments<Scalar> moments(const Tensor<Scalar>& x, int threads = 1) {
    const Index columns = x.shape()[1];
    Moments<Scalar> result{Tensor<Scalar>({columns}), Tensor<Scalar>({columns})};
    Cpu cpu(threads);
    column_moments<Scalar>(cpu, x, result.mean, result.variance);
    return result;
}

/// The moments by their definition.
template <class Scalar>
Moments<double> exact_moments(const Tensor<Scalar>& x) {
    const Shape columns{x.shape()[1]};
    Moments<double> result{Tensor<double>(columns), Tensor<double>(columns)};
    Reference reference;
    column_moments<double>(reference, weft::as_reference(x), {result.mean.data(), columns},
                           {result.variance.data(), columns});
    return result;
}

template <class Scalar>
struct Gradients {
    Tensor<Scalar> dgamma, dbeta, dx;
};

/// The gradients by their definition, through moments by theirs.
template <class Scalar>
Gradients<double> exact_gradients(const Tensor<Scalar>& x, const Tensor<Scalar>& gamma,
                                  const Tensor<Scalar>& dy) {
    const Index columns = x.shape()[1];
    auto of_batch = exact_moments(x);
    auto inverse = of_batch.inverse_deviation();
    const auto scale = weft::as_reference(gamma);
    Gradients<double> result{Tensor<double>({columns}), Tensor<double>({columns}),
                             Tensor<double>(x.shape())};
    const Normalizing<double> norm{.gamma = scale.data(),
                                   .mean = of_batch.mean.data(),
                                   .inverse_deviation = inverse.data(),
                                   .dgamma = result.dgamma.data(),
                                   .dbeta = result.dbeta.data()};
    Reference reference;
    batch_norm_backward<double>(reference, norm, weft::as_reference(x), weft::as_reference(dy),
                                false, {result.dx.data(), x.shape()});
    return result;
}

struct BackwardOptions {
    int threads = 1;
    bool with_dx = true, x_is_relu = false, in_place = false;
};

template <class Scalar>
Gradients<Scalar> backward(const Tensor<Scalar>& x, const Scalar* gamma, const Tensor<Scalar>& dy,
                           const BackwardOptions& options = {}) {
    const Index columns = x.shape()[1];
    auto of_batch = moments(x);
    auto inverse = of_batch.inverse_deviation();
    Gradients<Scalar> result{Tensor<Scalar>({columns}), Tensor<Scalar>({columns}), dy};
    if (!options.in_place) std::ranges::fill(result.dx, weft::not_a_number<Scalar>);
    Cpu cpu(options.threads);
    weft::dirty_scratch(cpu);
    const Normalizing<Scalar> norm{.gamma = gamma,
                                   .mean = of_batch.mean.data(),
                                   .inverse_deviation = inverse.data(),
                                   .dgamma = result.dgamma.data(),
                                   .dbeta = result.dbeta.data()};
    const TensorView<Scalar> dx = result.dx;
    const TensorView<const Scalar> from = options.in_place ? dx : dy.view();
    batch_norm_backward<Scalar>(cpu, norm, x, from, options.x_is_relu,
                                options.with_dx ? dx : TensorView<Scalar>());
    return result;
}

/// Rows and columns about every edge: blocks of 64 rows; one packet, four at once, and columns
/// over.
std::vector<Shape> all_shapes() {
    std::vector<Shape> shapes;
    for (const Index rows : {9, 63, 64, 65, 130, 1300}) {
        for (const Index columns : {1, 3, 8, 16, 17, 64, 70, 131})
            shapes.push_back({rows, columns});
    }
    return shapes;
}

/// sum dy y with y = gamma (x - mean) / sqrt(variance + epsilon) + beta, the moments those of x.
double weighted_output(const Tensor<double>& x, const Tensor<double>& gamma,
                       const Tensor<double>& beta, const Tensor<double>& dy) {
    auto of_batch = exact_moments(x);
    auto inverse = of_batch.inverse_deviation();
    Tensor<double> y(x.shape());
    const Normalizing<double> norm{.gamma = gamma.data(),
                                   .beta = beta.data(),
                                   .mean = of_batch.mean.data(),
                                   .inverse_deviation = inverse.data()};
    Reference reference;
    batch_norm_apply<double>(reference, norm, {x.data(), x.shape()}, {y.data(), y.shape()});
    double total = 0;
    for (Index i = 0; i < x.size(); ++i) total += dy[i] * y[i];
    return total;
}

}  // namespace

TEST_CASE_TEMPLATE("column_moments are mean and biased variance of each column", Scalar, float,
                   double) {
    auto shapes = all_shapes();
    shapes.push_back({1, 3});
    for (const Shape& shape : shapes) {
        const auto x = random_normal<Scalar>(shape, 1, 2);
        const auto result = moments(x);
        const auto expected = exact_moments(x);
        const std::string where = shape.to_string();
        CAPTURE(where);
        // Means of up to 1300 terms of magnitude 2, or 4 for the variance, summed in blocks of 64,
        // and these 21 in order: that many roundings of eps / 2 of the mean magnitude at the worst.
        CHECK(largest_gap(result.mean, expected.mean, 1) < 85 * eps<Scalar>);
        CHECK(largest_gap(result.variance, expected.variance, 1) < 170 * eps<Scalar>);
        for (const int threads : {2, 7}) {
            CHECK(identical(moments(x, threads).mean, result.mean));
            CHECK(identical(moments(x, threads).variance, result.variance));
        }
        if (shape[0] == 1) CHECK(identical(result.variance, Tensor<Scalar>({3})));
    }
}

TEST_CASE("the variance of a column far from 0 is not lost in its mean square") {
    // 4096 and 4097: the mean square is 16781312.5, of which float keeps no more than units.
    Tensor<float> x({1000, 2});
    for (Index i = 0; i < x.size(); ++i) x[i] = 4096 + static_cast<float>(i / 2 % 2);
    const auto result = moments(x);
    CHECK(result.mean[0] == 4096.5f);
    CHECK(result.variance[1] == 0.25f);
}

TEST_CASE_TEMPLATE("batch_norm_apply is its formula, gamma and beta being 1 and 0 unless given",
                   Scalar, float, double) {
    for (const Shape& shape : {Shape{1, 3}, Shape{4, 1}, Shape{999, 7}, Shape{70, 131}}) {
        const Index columns = shape[1];
        const auto x = random_normal<Scalar>(shape, 3);
        auto mean = random_normal<Scalar>({columns}, 4);
        auto inverse = random_uniform<Scalar>({columns}, 5, 0.5, 1);
        const auto gamma = random_uniform<Scalar>({columns}, 6, 0.5, 1);
        const auto beta = random_normal<Scalar>({columns}, 7);
        auto exact_mean = weft::as_reference(mean), exact_inverse = weft::as_reference(inverse);
        const auto exact_gamma = weft::as_reference(gamma), exact_beta = weft::as_reference(beta);
        for (const bool with_gamma : {false, true}) {
            for (const bool with_beta : {false, true}) {
                Tensor<double, Reference> expected(shape);
                Reference reference;
                const Normalizing<double> exact{.gamma = with_gamma ? exact_gamma.data() : nullptr,
                                                .beta = with_beta ? exact_beta.data() : nullptr,
                                                .mean = exact_mean.data(),
                                                .inverse_deviation = exact_inverse.data()};
                batch_norm_apply<double>(reference, exact, weft::as_reference(x), expected);
                const Normalizing<Scalar> norm{.gamma = with_gamma ? gamma.data() : nullptr,
                                               .beta = with_beta ? beta.data() : nullptr,
                                               .mean = mean.data(),
                                               .inverse_deviation = inverse.data()};
                CAPTURE(with_gamma);
                CAPTURE(with_beta);
                Tensor<Scalar> y(shape), many(shape);
                for (const int threads : {1, 7}) {
                    Cpu cpu(threads);
                    batch_norm_apply<Scalar>(cpu, norm, x, threads == 1 ? y : many);
                }
                // Four roundings of numbers below 10.
                CHECK(largest_gap(y, expected, 1) < 8 * eps<Scalar>);
                CHECK(identical(many, y));
            }
        }
    }
}

TEST_CASE("batch_norm_backward is the derivative through the moments of the batch") {
    for (const Shape& shape : {Shape{5, 3}, Shape{2, 4}, Shape{9, 1}}) {
        const Index columns = shape[1];
        auto x = random_normal(shape, 8);
        const auto dy = random_normal(shape, 9);
        auto gamma = random_uniform({columns}, 10, 0.5, 2), beta = random_normal({columns}, 11);
        const auto result = backward(x, gamma.data(), dy);
        const auto slope = [&](double& number) {
            const double value = number, h = 6e-6;
            number = value + h;
            const double above = weighted_output(x, gamma, beta, dy);
            number = value - h;
            const double below = weighted_output(x, gamma, beta, dy);
            number = value;
            return (above - below) / (2 * h);
        };
        Tensor<double> dx(shape), dgamma({columns}), dbeta({columns});
        for (Index i = 0; i < x.size(); ++i) dx[i] = slope(x[i]);
        for (Index c = 0; c < columns; ++c) {
            dgamma[c] = slope(gamma[c]);
            dbeta[c] = slope(beta[c]);
        }
        const std::string where = shape.to_string();
        CAPTURE(where);
        CHECK(largest_gap(result.dx, dx) < 1e-6);
        CHECK(largest_gap(result.dgamma, dgamma) < 1e-6);
        CHECK(largest_gap(result.dbeta, dbeta) < 1e-6);

        Tensor<double> ones({columns});
        std::ranges::fill(ones, 1.);
        const auto plain = backward<double>(x, nullptr, dy);
        CHECK(identical(plain.dx, backward(x, ones.data(), dy).dx));
        CHECK(identical(plain.dgamma, result.dgamma));
        const auto without_dx = backward(x, gamma.data(), dy, {.with_dx = false});
        CHECK(identical(without_dx.dgamma, result.dgamma));
        CHECK(identical(without_dx.dbeta, result.dbeta));
    }
}

TEST_CASE("batch_norm_forward without y leaves the same moments") {
    Cpu cpu;
    const auto x = random_normal<float>({130, 5}, 3);
    const auto moments_of = [&](TensorView<float> y) {
        Tensor<float> moments({4, 5});
        float* const first = moments.data();
        const Normalizing<float> norm{.momentum = 0.9f,
                                      .epsilon = 1e-3f,
                                      .moving_mean = first,
                                      .moving_variance = first + 5,
                                      .mean = first + 10,
                                      .inverse_deviation = first + 15};
        batch_norm_forward<float>(cpu, norm, x, y);
        return moments;
    };
    Tensor<float> y({130, 5});
    CHECK(identical(moments_of({}), moments_of(y)));
    CHECK(y[0] != 0);
}

TEST_CASE("moments of no rows are 0") {
    Cpu cpu;
    Tensor<double> mean({3}), variance({3});
    std::ranges::fill(mean, 7.);
    std::ranges::fill(variance, 7.);
    column_moments<double>(cpu, {nullptr, {0, 3}}, mean, variance);
    CHECK(identical(mean, Tensor<double>({3})));
    CHECK(identical(variance, Tensor<double>({3})));
}

TEST_CASE_TEMPLATE("batch_norm_backward is its formula for any number of rows and columns", Scalar,
                   float, double) {
    for (const Shape& shape : all_shapes()) {
        const Index columns = shape[1];
        auto x = random_normal<Scalar>(shape, 14);
        for (Scalar& value : x) value = std::max(value, Scalar(-0.2)) + Scalar(0.2);  // many are 0
        const auto dy = random_normal<Scalar>(shape, 15);
        const auto gamma = random_uniform<Scalar>({columns}, 16, 0.5, 2);
        const auto expected = exact_gradients(x, gamma, dy);
        const auto result = backward(x, gamma.data(), dy);
        const std::string where = shape.to_string();
        CAPTURE(where);
        // Sums of so many terms, 1 in the mean, in blocks of 64 and up to 21 of these: 85 roundings
        // of eps / 2 of the sum. In dx, gamma / deviation is up to 4, n up to 4, and the sums are
        // divided by the rows: 4 (43 + 4 * 43 + 5) eps.
        const double tolerance = 43 * static_cast<double>(shape[0]) * eps<Scalar>;
        CHECK(largest_gap(result.dbeta, expected.dbeta, 1) < tolerance);
        CHECK(largest_gap(result.dgamma, expected.dgamma, 1) < tolerance);
        CHECK(largest_gap(result.dx, expected.dx, 1) < 880 * eps<Scalar>);

        auto behind_relu = result;
        for (Index i = 0; i < x.size(); ++i) {
            if (!(x[i] > 0)) behind_relu.dx[i] = 0;
        }
        for (const int threads : {1, 2, 7}) {
            for (const bool in_place : {false, true}) {
                for (const bool x_is_relu : {false, true}) {
                    CAPTURE(threads);
                    CAPTURE(in_place);
                    CAPTURE(x_is_relu);
                    const auto again = backward(
                        x, gamma.data(), dy,
                        {.threads = threads, .x_is_relu = x_is_relu, .in_place = in_place});
                    CHECK(identical(again.dx, x_is_relu ? behind_relu.dx : result.dx));
                    CHECK(identical(again.dgamma, result.dgamma));
                    CHECK(identical(again.dbeta, result.dbeta));
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("moments of many rows are within the bound of their roundings", Scalar, float,
                   double) {
    for (const Index n : weft::long_lengths<Scalar>()) {
        CAPTURE(n);
        // 1 and 4 in turn: deviation 1.5, mean 2.5 of magnitudes up to 4.
        Tensor<Scalar> x({n, 1});
        for (Index i = 0; i < n; ++i) x[i] = static_cast<Scalar>(i % 2 == 0 ? 1 : 4);
        const auto size = static_cast<long double>(n), ones = static_cast<long double>((n + 1) / 2);
        const long double mean = (ones + 4 * (size - ones)) / size;
        const long double variance =
            (ones * (1 - mean) * (1 - mean) + (size - ones) * (4 - mean) * (4 - mean)) / size;
        const auto result = moments(x);
        const double pairs = std::ceil(std::log2(static_cast<double>(n) / 64));
        const double of_mean = (64 + 4 * pairs) * 4;  // in u
        CHECK(weft::roundings(result.mean[0], mean, 1) <= of_mean);
        CHECK(weft::roundings(result.variance[0], variance, 1) <=
              (70 + 8 * pairs) * 2.25 + 4 * of_mean * 1.5 + 1);
    }
}

TEST_CASE_TEMPLATE("the gradients of many rows are within the bound of their roundings", Scalar,
                   float, double) {
    for (const Index n : weft::long_lengths<Scalar>()) {
        CAPTURE(n);
        Tensor<Scalar> x({n, 1}), dgamma({1}), dbeta({1});
        std::ranges::fill(x, Scalar(0.3));
        const weft::LongNumbers<Scalar> dy({n, 1}, true);
        Scalar mean = 0, inverse_deviation = 1;
        const Normalizing<Scalar> norm{.mean = &mean,
                                       .inverse_deviation = &inverse_deviation,
                                       .dgamma = dgamma.data(),
                                       .dbeta = dbeta.data()};
        Cpu cpu(1);
        batch_norm_backward<Scalar>(cpu, norm, x, dy.x, false, {});
        const double bound = weft::pairwise_roundings(n, 64) + 2;
        CHECK(weft::roundings(dbeta[0], dy.sum) <= bound);
        CHECK(weft::roundings(dgamma[0], dy.sum * static_cast<long double>(Scalar(0.3))) <= bound);
    }
}
