#include "weft/initializers/initializer.hpp"

#include "weft/core/tensor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using weft::Index;
using weft::Initializer;
using weft::RandomPurpose;
using weft::RandomStream;
using weft::Shape;
using weft::Tensor;

namespace {

/// A named initialiser and what it stands for in the terms of Keras's VarianceScaling.
struct Named {
    std::string name;
    Initializer initializer;
    double scale;
    bool average_fans;  ///< mode "fan_avg", otherwise "fan_in"
    bool uniform;       ///< distribution "uniform", otherwise "truncated_normal"
};

const std::vector<Named> scaled{
    {"glorot_uniform", weft::glorot_uniform, 1, true, true},
    {"glorot_normal", weft::glorot_normal, 1, true, false},
    {"he_uniform", weft::he_uniform, 2, false, true},
    {"he_normal", weft::he_normal, 2, false, false},
    {"lecun_uniform", weft::lecun_uniform, 1, false, true},
    {"lecun_normal", weft::lecun_normal, 1, false, false},
};

RandomStream stream(std::uint64_t seed, std::uint32_t id = 0) {
    return {seed, RandomPurpose::initializer, id};
}

template <class Scalar>
Tensor<Scalar> filled(const Initializer& initializer, const Shape& shape,
                      const RandomStream& random) {
    Tensor<Scalar> x(shape);
    initializer.fill(x.view(), random);
    return x;
}

template <class Scalar>
bool same(const Tensor<Scalar>& a, const Tensor<Scalar>& b) {
    return a.shape() == b.shape() && std::ranges::equal(a, b);
}

}  // namespace

TEST_CASE("fans are those of Keras for every rank") {
    const auto check = [](const Shape& shape, double in, double out) {
        CAPTURE(shape.to_string());
        CHECK(weft::fans_of(shape).in == in);
        CHECK(weft::fans_of(shape).out == out);
    };
    check(Shape{}, 1, 1);
    check({7}, 7, 7);
    check({784, 128}, 784, 128);
    check({5, 3, 4}, 15, 20);
    check({3, 5, 32, 64}, 3 * 5 * 32, 3 * 5 * 64);
}

TEST_CASE("the named initialisers are Keras's VarianceScaling, element i from random number i") {
    for (const Named& named : scaled) {
        for (const Shape& shape : {Shape{6}, Shape{13, 4}, Shape{3, 2, 5, 7}}) {
            CAPTURE(named.name);
            CAPTURE(shape.to_string());
            const weft::Fans fans = weft::fans_of(shape);
            const double n = named.average_fans ? (fans.in + fans.out) / 2 : fans.in;
            const double limit = std::sqrt(3 * named.scale / n);
            const double deviation = std::sqrt(named.scale / n) / 0.87962566103423978;
            const RandomStream random = stream(3);
            const auto x = filled<double>(named.initializer, shape, random);
            double worst = 0;
            for (Index i = 0; i < x.size(); ++i) {
                const auto index = static_cast<std::uint64_t>(i);
                const double expected = named.uniform ? random.uniform(index, -limit, limit)
                                                      : deviation * random.truncated_normal(index);
                worst = std::max(worst, std::abs(x[i] - expected) / limit);
            }
            CHECK(worst < 8 * 0x1p-53);  // a product, a quotient and a root, in another order
        }
    }
}

TEST_CASE("a Dense kernel of the first tutorial starts within sqrt(6 / (784 + 128))") {
    const auto x = filled<float>(weft::glorot_uniform, {784, 128}, stream(1));
    const auto [least, largest] = std::ranges::minmax(x);
    CHECK(least >= -0.08111072f);  // sqrt(6 / 912) = 0.0811107...
    CHECK(largest <= 0.08111072f);
    CHECK(least < -0.0811f);
    CHECK(largest > 0.0811f);
}

TEST_CASE("the named initialisers have mean 0, the variance scale / n and fill their range") {
    const Shape shape{200, 300};  // fans 200 and 300, average 250
    for (const Named& named : scaled) {
        CAPTURE(named.name);
        const auto x = filled<float>(named.initializer, shape, stream(2));
        const auto n = static_cast<double>(x.size());
        double sum = 0, squares = 0, largest = 0;
        for (const float value : x) {
            sum += static_cast<double>(value);
            squares += static_cast<double>(value) * static_cast<double>(value);
            largest = std::max(largest, std::abs(static_cast<double>(value)));
        }
        const double variance = named.scale / (named.average_fans ? 250 : 200);
        // Five standard errors. That of the mean square is variance * sqrt((kurtosis - 1) / n),
        // with the kurtosis 9/5 of the uniform and 2.37 of the cut normal distribution.
        CHECK(std::abs(sum / n) < 5 * std::sqrt(variance / n));
        const double kurtosis = named.uniform ? 1.8 : 2.37;
        CHECK(std::abs(squares / n - variance) < 5 * variance * std::sqrt((kurtosis - 1) / n));

        const double limit =
            named.uniform ? std::sqrt(3 * variance) : 2 * std::sqrt(variance) / 0.87962566103423978;
        CHECK(largest <= limit * (1 + 0x1p-24));  // the rounding to float
        CHECK(largest > 0.99 * limit);
    }
}

TEST_CASE("constants are the same throughout, whatever shape and seed") {
    const auto all = [](const Initializer& initializer, double value) {
        for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 5}}) {
            for (const double x : filled<double>(initializer, shape, stream(9))) CHECK(x == value);
        }
    };
    all(weft::zeros, 0);
    all(weft::ones, 1);
    all(weft::constant(-2.5), -2.5);
    all(Initializer{}, 0);
}

TEST_CASE("seed and stream decide the values, float rounds those of double") {
    for (const Named& named : scaled) {
        CAPTURE(named.name);
        const auto fill = [&](const RandomStream& random) {
            return filled<float>(named.initializer, {20, 30}, random);
        };
        const auto x = fill(stream(1));
        CHECK(same(x, fill(stream(1))));
        CHECK_FALSE(same(x, fill(stream(2))));
        CHECK_FALSE(same(x, fill(stream(1, 1))));
        const auto precise = filled<double>(named.initializer, {20, 30}, stream(1));
        CHECK(
            std::ranges::equal(x, precise, {}, {}, [](double p) { return static_cast<float>(p); }));
    }
}

TEST_CASE("a parameter without elements is left alone") {
    for (const Named& named : scaled) {
        CHECK(filled<float>(named.initializer, {0, 3}, stream(1)).size() == 0);
    }
}

TEST_CASE("initialisers are compared by what they do") {
    CHECK(weft::zeros == weft::constant(0));
    CHECK(weft::zeros == Initializer{});
    CHECK(weft::ones == weft::constant(1));
    CHECK(weft::zeros != weft::ones);
    for (std::size_t i = 0; i < scaled.size(); ++i) {
        CHECK(scaled[i].initializer != weft::ones);
        for (std::size_t j = 0; j < scaled.size(); ++j) {
            CHECK((scaled[i].initializer == scaled[j].initializer) == (i == j));
        }
    }
}
