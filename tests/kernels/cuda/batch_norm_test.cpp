#include "weft/kernels/cuda/batch_norm.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/batch_norm.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace weft;

namespace {

/// A part of a block, several blocks of rows, and of columns.
const Shape all_shapes[] = {{1, 3},    {9, 1},     {31, 33},   {130, 10},
                            {1300, 3}, {1000, 70}, {20'000, 1}};

/// Where what batch_norm_forward writes is among the arguments.
enum Places { moving_mean = 3, moving_variance, mean, inverse_deviation, y };

template <class Scalar>
OnBoth<Scalar> forward(const Tensor<Scalar>& x, const Tensor<Scalar>& gamma,
                       const Tensor<Scalar>& beta, double momentum = 0.9) {
    const auto of_columns = random_uniform<Scalar>({x.shape()[1]}, 5, 0.5, 1);
    return on_both<Scalar>({x, gamma, beta, of_columns, of_columns, of_columns, of_columns, x},
                           [&]<class Device>(Device& device, const auto& v) {
                               const kernels::Normalizing<Scalar> norm{
                                   .momentum = static_cast<Scalar>(momentum),
                                   .epsilon = Scalar(1e-3),
                                   .gamma = v[1].data(),
                                   .beta = v[2].data(),
                                   .moving_mean = v[moving_mean].data(),
                                   .moving_variance = v[moving_variance].data(),
                                   .mean = v[mean].data(),
                                   .inverse_deviation = v[inverse_deviation].data()};
                               const TensorView<const Scalar, Device> from(v[0].data(), x.shape());
                               kernels::batch_norm_forward<Scalar>(device, norm, from, v[y]);
                           });
}

}  // namespace

TEST_CASE_TEMPLATE("batch_norm_forward on a GPU is its definition", Scalar, float, double) {
    for (const Shape& shape : all_shapes) {
        const auto x = random_normal<Scalar>(shape, 1, 2);
        const auto gamma = random_uniform<Scalar>({shape[1]}, 2, 0.5, 1);
        const auto beta = random_normal<Scalar>({shape[1]}, 3);
        for (const bool with_gamma : {false, true}) {
            for (const bool with_beta : {false, true}) {
                CAPTURE(shape);
                CAPTURE(with_gamma);
                CAPTURE(with_beta);
                const auto both = forward(x, with_gamma ? gamma : Tensor<Scalar>(),
                                          with_beta ? beta : Tensor<Scalar>());
                CHECK(both.repeats);
                // x - x_0, up to 16, moves mean and deviation by 16 u. The deviation is about 2, and
                // x up to 4 of them from the mean, so y moves by 8 u and 4 * 8 u; then come some
                // roundings of numbers below 8. A column of one row has no deviation: it is 0.
                CHECK(both.gap(1) < 30 * eps<Scalar>);
            }
        }
    }
}

TEST_CASE_TEMPLATE("the variance of a column far from 0 is not lost on a GPU", Scalar, float,
                   double) {
    // Whole numbers, of which the mean square is beyond float.
    Tensor<Scalar> steps({1000, 2});
    for (Index i = 0; i < steps.size(); ++i) steps[i] = static_cast<Scalar>(4096 + i / 2 % 2);
    const auto exact = forward<Scalar>(steps, {}, {}, 0);
    CHECK(exact.result[mean][0] == Scalar(4096.5));
    CHECK(exact.result[moving_mean][1] == Scalar(4096.5));
    CHECK(exact.result[moving_variance][1] == Scalar(0.25));
    CHECK(exact.gap() < 4 * eps<Scalar>);  // y by a root and a quotient, each rounded

    // Deviation 1 round 1e4, and round 0 behind a first row that is far off.
    auto x = random_normal<Scalar>({5000, 2}, 1);
    for (Index r = 0; r < 5000; ++r) x(r, 0) += Scalar(1e4);
    x(0, 1) = 1000;
    const auto both = forward<Scalar>(x, {}, {}, 0);
    CHECK(both.repeats);
    CHECK(relative_gap(static_cast<double>(both.result[mean][0]),
                       static_cast<double>(both.expected[mean][0])) < eps<Scalar>);
    // Of the first column, x - x_0 is exact in float. Of double it is off by 8 u of a deviation of 1,
    // and sums by 48 + 5000 / 128 roundings of up to 1 + 4^2 times the variance.
    const auto gap = [&](Index c) {
        return relative_gap(static_cast<double>(both.result[moving_variance][c]),
                            static_cast<double>(both.expected[moving_variance][c]));
    };
    CHECK(gap(0) < (sizeof(Scalar) == 4 ? 2 : 800) * eps<Scalar>);
    // Of the second one, deviation 14: 1000 u / 14 of it, the variance twice that. Of double the sums
    // are off by 87 u, times 1 + 1000^2 / 200.
    CHECK(gap(1) < (sizeof(Scalar) == 4 ? 72 : 72 + 87 * 5001) * eps<Scalar>);
}

TEST_CASE_TEMPLATE("batch_norm_forward on a GPU of a constant, of no rows, of NaN", Scalar, float,
                   double) {
    Tensor<Scalar> x({300, 3});
    std::ranges::fill(x, Scalar(0.1));
    const auto constant = forward<Scalar>(x, {}, {}, 0);
    CHECK(identical(constant.result[y], Tensor<Scalar>({300, 3})));
    CHECK(identical(constant.result[mean], Tensor<Scalar>(x.slice(0, 1)).view().reshape({3})));
    CHECK(identical(constant.result[moving_variance], Tensor<Scalar>({3})));
    CHECK(constant.gap() < 2 * eps<Scalar>);

    const auto none = forward<Scalar>(Tensor<Scalar>({0, 3}), {}, {}, 0);
    CHECK(identical(none.result[mean], Tensor<Scalar>({3})));
    CHECK(identical(none.result[moving_variance], Tensor<Scalar>({3})));
    CHECK(none.gap() < 2 * eps<Scalar>);

    x = random_normal<Scalar>({300, 3}, 1);
    const auto clean = forward<Scalar>(x, {}, {});
    for (const Index bad : {0, 299}) {
        auto with_nan = x;
        with_nan(bad, 1) = not_a_number<Scalar>;
        const auto both = forward<Scalar>(with_nan, {}, {});
        for (Index r = 0; r < 300; ++r) {
            for (const Index c : {0, 2}) CHECK(both.result[y](r, c) == clean.result[y](r, c));
            CHECK(std::isnan(both.result[y](r, 1)));
        }
        for (const int place : {moving_mean, moving_variance, mean, inverse_deviation}) {
            CHECK(std::isnan(both.result[static_cast<std::size_t>(place)][1]));
        }
    }
}

TEST_CASE_TEMPLATE("batch_norm_inference on a GPU is its definition", Scalar, float, double) {
    for (const Shape& shape : all_shapes) {
        const Index columns = shape[1];
        for (const bool plain : {false, true}) {
            CAPTURE(shape);
            CAPTURE(plain);
            const auto gamma = random_uniform<Scalar>({columns}, 2, 0.5, 1);
            const auto beta = random_normal<Scalar>({columns}, 3);
            const auto both = on_both<Scalar>(
                {random_normal<Scalar>(shape, 1), random_normal<Scalar>({columns}, 4),
                 random_uniform<Scalar>({columns}, 5, 0.5, 2), plain ? Tensor<Scalar>() : gamma,
                 plain ? Tensor<Scalar>() : beta, Tensor<Scalar>(shape)},
                [&](auto& device, const auto& v) {
                    const kernels::Normalizing<Scalar> norm{.epsilon = Scalar(1e-3),
                                                            .gamma = v[3].data(),
                                                            .beta = v[4].data(),
                                                            .given_mean = v[1].data(),
                                                            .given_variance = v[2].data()};
                    kernels::batch_norm_inference<Scalar>(device, norm, v[0], v[5]);
                });
            CHECK(both.repeats);
            // Seven roundings of numbers below 16.
            CHECK(both.gap(1) < 16 * eps<Scalar>);
        }
    }
}

TEST_CASE_TEMPLATE("batch_norm_backward on a GPU is its definition, in place and without dx too",
                   Scalar, float, double) {
    for (const Shape& shape : all_shapes) {
        const Index rows = shape[0], columns = shape[1];
        auto x = random_normal<Scalar>(shape, 14);
        for (Scalar& value : x) value = std::max(value, Scalar(0));  // many are 0
        const auto of_mean = random_normal<Scalar>({columns}, 4);
        const auto inverse = random_uniform<Scalar>({columns}, 5, 0.5, 1);
        const auto dy = random_normal<Scalar>(shape, 15);
        const auto gamma = random_uniform<Scalar>({columns}, 16, 0.5, 2);
        enum class Into { its_own, that_of_dy, nowhere };
        for (const Into into : {Into::its_own, Into::that_of_dy, Into::nowhere}) {
            for (const bool x_is_relu : {false, true}) {
                for (const bool with_gamma : {false, true}) {
                    CAPTURE(shape);
                    CAPTURE(x_is_relu);
                    CAPTURE(with_gamma);
                    const auto both =
                        on_both<Scalar>({x, of_mean, inverse, with_gamma ? gamma : Tensor<Scalar>(),
                                         dy, gamma, gamma, x},
                                        [&]<class Device>(Device& device, const auto& v) {
                                            const kernels::Normalizing<Scalar> norm{
                                                .gamma = v[3].data(),
                                                .mean = v[1].data(),
                                                .inverse_deviation = v[2].data(),
                                                .dgamma = v[5].data(),
                                                .dbeta = v[6].data()};
                                            const auto dx = into == Into::its_own ? v[7]
                                                            : into == Into::that_of_dy
                                                                ? v[4]
                                                                : TensorView<Scalar, Device>();
                                            kernels::batch_norm_backward<Scalar>(
                                                device, norm, v[0], v[4], x_is_relu, dx);
                                        });
                    CHECK(both.repeats);
                    // Terms dy (x - mean), 2 in the mean, are rounded once before the sum and the
                    // sum of float once; that of double as often as its depth says.
                    const double n = static_cast<double>(rows);
                    const double of_sum = (sizeof(Scalar) == 4 ? 4 : n / 128 + 52) * eps<Scalar>;
                    CHECK(largest_gap(both.result[5], both.expected[5], 1) < 2 * n * of_sum);
                    CHECK(largest_gap(both.result[6], both.expected[6], 1) < 2 * n * of_sum);
                    // Divided by the rows: a few roundings of n (x - mean) gamma / deviation, 4 * 2,
                    // and those of the sum as often.
                    for (const std::size_t i : {std::size_t{4}, std::size_t{7}}) {
                        CHECK(largest_gap(both.result[i], both.expected[i], 1) <
                              8 * (of_sum + 8 * eps<Scalar>));
                    }
                }
            }
        }
    }
}

TEST_CASE("batch_norm_backward on a GPU of no rows leaves gradients of 0") {
    const Tensor<float> row({3}, {1, 1, 1});
    const auto both = on_both<float>({row, row, row}, [&](auto& device, const auto& v) {
        const kernels::Normalizing<float> norm{.mean = v[0].data(),
                                               .inverse_deviation = v[0].data(),
                                               .dgamma = v[1].data(),
                                               .dbeta = v[2].data()};
        kernels::batch_norm_backward<float>(device, norm, {nullptr, {0, 3}}, {nullptr, {0, 3}},
                                            false, {});
    });
    CHECK(both.same());
    CHECK(both.result[1][2] == 0);
}
