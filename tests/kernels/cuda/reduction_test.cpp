#include "weft/kernels/cuda/reduction.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/reduction.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// x (R, C) in argument 0, the sums in argument 1.
template <class Scalar>
OnBoth<Scalar> sums_of(const Tensor<Scalar>& x) {
    Tensor<Scalar> sums({x.shape()[1]});
    std::ranges::fill(sums, not_a_number<Scalar>);  // to be overwritten
    return on_both<Scalar>({x, sums}, [&]<class Device>(Device& device, const auto& v) {
        const TensorView<const Scalar, Device> rows(v[0].data(), x.shape());
        kernels::column_sums<Scalar>(device, rows, v[1]);
    });
}

}  // namespace

TEST_CASE_TEMPLATE("column_sums on a GPU adds each row once", Scalar, float, double) {
    // One block of rows and several; columns of a part of a block, one, and several.
    for (const Index rows : {0, 1, 31, 127, 128, 129, 1000, 5000}) {
        for (const Index columns : {1, 2, 3, 10, 31, 32, 33, 70}) {
            // Integers whose sums stay below 2^24: exact, in any order, in float too.
            CAPTURE(rows);
            CAPTURE(columns);
            CHECK(sums_of(random_integers<Scalar>({rows, columns}, 1, -9, 99)).same());
        }
    }
    // More rows than the most blocks have at once, in columns that leave few blocks of rows.
    CHECK(sums_of(random_integers<Scalar>({70'000, 1}, 2, -9, 99)).same());
    CHECK(sums_of(random_integers<Scalar>({2100, 1030}, 3, -9, 99)).same());
    CHECK(sums_of(random_integers<Scalar>({3, 20'000}, 3, -9, 99)).same());
}

TEST_CASE("column_sums on a GPU of more columns than blocks can share") {
    Cuda device;
    const Index rows = 129, columns = 4096 * 32 + 1;  // of fewer, some blocks share the rows
    Tensor<float> ones({rows, columns});
    std::ranges::fill(ones, 1.0F);
    const auto x = to_cuda(device, ones);
    Tensor<float, Cuda> sums({columns}, device);
    kernels::column_sums<float>(device, x, sums);
    const auto result = from_cuda(device, sums);
    CHECK(std::ranges::count(result, 129.0F) == columns);
}

TEST_CASE_TEMPLATE("column_sums on a GPU are rounded once", Scalar, float, double) {
    for (const Shape& shape : {Shape{1000, 33}, {30'001, 2}}) {
        const auto x = random_normal<Scalar>(shape, 4);
        const auto both = sums_of(x);
        CHECK(both.repeats);
        for (Index c = 0; c < shape[1]; ++c) {
            long double magnitude = 0;
            for (Index r = 0; r < shape[0]; ++r) {
                magnitude += std::abs(static_cast<long double>(x(r, c)));
            }
            // Of float, the sum in double is off by less than the rounding of the result, and of the
            // expected one.
            const auto of_sum = static_cast<double>(shape[0]) / 128 + 49;
            CHECK(roundings(both.result[1][c], static_cast<long double>(both.expected[1][c]),
                            magnitude) <= (sizeof(Scalar) == 4 ? 2 : of_sum));
        }
    }
}

TEST_CASE_TEMPLATE("column_sums on a GPU keeps NaN and infinities in their columns", Scalar, float,
                   double) {
    for (const Index rows : {5, 1300}) {
        auto x = random_integers<Scalar>({rows, 9}, 3, -9, 9);
        x(rows - 1, 4) = not_a_number<Scalar>;
        x(rows / 2, 5) = infinity<Scalar>;
        x(0, 6) = -infinity<Scalar>;
        const auto both = sums_of(x);
        for (Index c = 0; c < 9; ++c) {
            const Scalar sum = both.result[1][c], expected = both.expected[1][c];
            CHECK((sum == expected || (std::isnan(sum) && std::isnan(expected))));
        }
        CHECK(both.repeats);
    }
}

TEST_CASE_TEMPLATE("all_finite on a GPU finds a NaN or infinity anywhere and nothing else", Scalar,
                   float, double) {
    using Limits = std::numeric_limits<Scalar>;
    const auto finite = [&](const Tensor<Scalar>& x) {
        Cuda device;
        return kernels::all_finite<Scalar>(device, to_cuda(device, x));
    };
    CHECK(finite(Tensor<Scalar>()));
    const Tensor<Scalar> good(
        {5}, {Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min(), -Scalar(0)});
    CHECK(finite(good));
    for (const Index count : {1, 33, 2048, 2049, 10'000}) {
        CAPTURE(count);
        Tensor<Scalar> x({count});
        CHECK(finite(x));
        for (const Scalar bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
            for (const Index place : {Index{0}, count / 2, count - 1}) {
                x[place] = bad;
                CHECK_FALSE(finite(x));
                x[place] = 1;
            }
        }
    }
}
