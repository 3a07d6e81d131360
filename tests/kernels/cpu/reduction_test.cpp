#include "weft/kernels/cpu/reduction.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/reduction.hpp"

#include <doctest/doctest.h>

#include <limits>

using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::Reference;
using weft::Tensor;

namespace {

template <class Scalar, class Device = Cpu>
Tensor<Scalar> column_sums(const Tensor<Scalar>& x, Device device = Device()) {
    Tensor<Scalar> sums({x.shape()[1]});
    std::ranges::fill(sums, std::numeric_limits<Scalar>::quiet_NaN());  // to be overwritten
    weft::kernels::column_sums<Scalar>(device, {x.data(), x.shape()}, {sums.data(), sums.shape()});
    return sums;
}

}  // namespace

TEST_CASE_TEMPLATE("column_sums adds each row once, for any number of rows and columns", Scalar,
                   float, double) {
    for (const Index rows : {0, 1, 2, 63, 64, 65, 128, 1300}) {
        for (const Index columns : {1, 2, 3, 7, 8, 15, 16, 17, 33, 70}) {
            // Integers whose sums stay below 2^24: exact, in any order, in float too.
            const auto x = weft::random_integers<Scalar>({rows, columns}, 1, -9, 99);
            CAPTURE(rows);
            CAPTURE(columns);
            CHECK(identical(column_sums(x), column_sums<Scalar, Reference>(x)));
        }
    }
}

TEST_CASE_TEMPLATE("column_sums has the same bits for 1, 2 and 7 threads", Scalar, float, double) {
    const auto x = weft::random_normal<Scalar>({5000, 13}, 2);
    const auto one = column_sums(x);
    CHECK(identical(column_sums(x, Cpu(2)), one));
    CHECK(identical(column_sums(x, Cpu(7)), one));
}

TEST_CASE_TEMPLATE("column_sums keeps NaN in its column", Scalar, float, double) {
    for (const Index rows : {5, 1300}) {
        auto x = weft::random_normal<Scalar>({rows, 9}, 3);
        const auto clean = column_sums(x);
        x(rows - 1, 4) = std::numeric_limits<Scalar>::quiet_NaN();
        auto sums = column_sums(x);
        CHECK(sums[4] != sums[4]);
        sums[4] = clean[4];
        CHECK(identical(sums, clean));
    }
}

TEST_CASE("total sums in double precision") {
    Cpu cpu(1);
    // In float 2^25 + 1 is 2^25 again.
    const Tensor<float> x({2, 2}, {33554432, 1, 1, 1});
    CHECK(weft::kernels::total<float>(cpu, x) == 33554435);
    CHECK(weft::kernels::total<double>(cpu, Tensor<double>({3}, {0.5, -2, 0.25})) == -1.25);
    CHECK(weft::kernels::total<float>(cpu, Tensor<float>()) == 0);
}

TEST_CASE_TEMPLATE("all_finite finds a NaN or infinity anywhere and nothing else", Scalar, float,
                   double) {
    using Limits = std::numeric_limits<Scalar>;
    Cpu cpu(1);
    const auto finite = [&](const Tensor<Scalar>& x) {
        return weft::kernels::all_finite<Scalar>(cpu, x);
    };
    Tensor<Scalar> x({5, 7});
    CHECK(finite(x));
    CHECK(finite(Tensor<Scalar>()));
    for (Index i = 0; i < x.size(); ++i) {
        for (const Scalar good :
             {Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min(), -Scalar(0)}) {
            x[i] = good;
            CHECK(finite(x));
        }
        for (const Scalar bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                                 -Limits::quiet_NaN(), Limits::signaling_NaN()}) {
            x[i] = bad;
            CHECK_FALSE(finite(x));
        }
        x[i] = 1;
    }
}

TEST_CASE_TEMPLATE("long column_sums are within the bound of their roundings", Scalar, float,
                   double) {
    for (const Index elements : weft::long_lengths<Scalar>()) {
        const Index n = elements / 4;
        for (const bool equal : {true, false}) {
            const weft::LongNumbers<Scalar> numbers({n, 4}, equal);
            long double sum = 0;
            for (const Scalar of_column : column_sums(numbers.x)) {
                sum += static_cast<long double>(of_column);
            }
            CAPTURE(n);
            CAPTURE(equal);
            CHECK(weft::roundings(static_cast<Scalar>(sum), numbers.sum) <=
                  weft::pairwise_roundings(n, 64) + 1);
        }
    }
}

TEST_CASE("a long total is within the bound of its roundings in double") {
    Cpu cpu(1);
    for (const Index n : weft::long_lengths<float>()) {
        CAPTURE(n);
        const weft::LongNumbers<float> floats({n}, true);
        CHECK(weft::roundings(weft::kernels::total<float>(cpu, floats.x), floats.sum) <=
              weft::pairwise_roundings(n));
        if (n > 10'000'000) continue;
        const weft::LongNumbers<double> doubles({n}, true);
        CHECK(weft::roundings(weft::kernels::total<double>(cpu, doubles.x), doubles.sum) <=
              weft::pairwise_roundings(n));
    }
}
