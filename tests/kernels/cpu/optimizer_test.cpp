#include "weft/kernels/cpu/optimizer.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/optimizer.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using weft::Cpu;
using weft::eps;
using weft::identical;
using weft::Index;
using weft::largest_gap;
using weft::random_uniform;
using weft::Reference;
using weft::Tensor;
using weft::kernels::AdamStep;
using weft::kernels::RMSpropStep;

namespace {

/// What Adam reads and writes, here of type Scalar.
template <class Scalar>
struct State {
    Tensor<Scalar> gradient, first_moment, second_moment, parameter;

    /// A state in mid-training: gradients away from 0, moments not at their start.
    static State random(Index count) {
        return {
            random_uniform<Scalar>({count}, 1, -1, 1), random_uniform<Scalar>({count}, 2, -1, 1),
            random_uniform<Scalar>({count}, 3, 0.1, 1), random_uniform<Scalar>({count}, 4, -1, 1)};
    }

    void update(const AdamStep<Scalar>& step, Index first, Index count, int threads = 1) {
        Cpu cpu(threads);
        adam_update<Scalar>(cpu, step, gradient.slice(first, count),
                            first_moment.slice(first, count), second_moment.slice(first, count),
                            parameter.slice(first, count));
    }
    void update(const AdamStep<Scalar>& step) { update(step, 0, parameter.size()); }
};

template <class Scalar>
void check_identical(const State<Scalar>& a, const State<Scalar>& b) {
    CHECK(identical(a.gradient, b.gradient));
    CHECK(identical(a.first_moment, b.first_moment));
    CHECK(identical(a.second_moment, b.second_moment));
    CHECK(identical(a.parameter, b.parameter));
}

/// Unlike the usual ones, so that no term is too small to see and no two can be swapped.
template <class Scalar>
constexpr AdamStep<Scalar> step{.alpha = Scalar(0.5),
                                .rate_1 = Scalar(0.25),
                                .rate_2 = Scalar(0.375),
                                .epsilon = Scalar(0.125)};
template <class Scalar>
constexpr RMSpropStep<Scalar> rmsprop_step{.learning_rate = Scalar(0.375),
                                           .rate = Scalar(0.25),
                                           .momentum = Scalar(0.625),
                                           .epsilon = Scalar(0.125)};

}  // namespace

TEST_CASE_TEMPLATE("sgd_update subtracts learning rate times gradient, at every length", Scalar,
                   float, double) {
    const auto rate = static_cast<Scalar>(0.3);
    for (Index count = 0; count <= 70; ++count) {
        const auto gradient = random_uniform<Scalar>({count}, 5, -1, 1);
        auto parameter = random_uniform<Scalar>({count + 1}, 6, -1, 1);
        auto expected = weft::as_reference(parameter);
        Reference reference;
        sgd_update<double>(reference, static_cast<double>(rate), weft::as_reference(gradient),
                           expected.slice(0, count));
        Cpu cpu(1);
        sgd_update<Scalar>(cpu, rate, gradient, parameter.slice(0, count));
        CAPTURE(count);
        // A product and a sum of numbers below 1; the element behind the last is untouched.
        CHECK(largest_gap(parameter, expected, 1) < 2 * eps<Scalar>);
        CHECK(parameter[count] == static_cast<Scalar>(expected[count]));
    }
}

TEST_CASE_TEMPLATE("adam_update is its formula, at every length, over three steps", Scalar, float,
                   double) {
    for (Index count = 0; count <= 70; ++count) {
        auto state = State<Scalar>::random(count + 1);
        auto m = weft::as_reference(state.first_moment),
             v = weft::as_reference(state.second_moment), p = weft::as_reference(state.parameter);
        const auto untouched = state;
        for (const std::uint32_t t : {1u, 2u, 3u}) {
            state.gradient = random_uniform<Scalar>({count + 1}, 6 + t, -1, 1);
            state.update(step<Scalar>, 0, count);
            Reference reference;
            adam_update<double>(reference, step<double>,
                                weft::as_reference(state.gradient).slice(0, count),
                                m.slice(0, count), v.slice(0, count), p.slice(0, count));
        }
        CAPTURE(count);
        // Some four roundings a step and moment, of numbers below 1. Then v >= 0.1 * 0.625^3 =
        // 0.02, so the quotient, at most 1 / (0.15 + 0.125), has an error of 4 times m's.
        CHECK(largest_gap(state.first_moment, m, 1) < 12 * eps<Scalar>);
        CHECK(largest_gap(state.second_moment, v, 1) < 12 * eps<Scalar>);
        CHECK(largest_gap(state.parameter, p, 1) < 48 * eps<Scalar>);
        CHECK(state.first_moment[count] == untouched.first_moment[count]);
        CHECK(state.second_moment[count] == untouched.second_moment[count]);
        CHECK(state.parameter[count] == untouched.parameter[count]);
    }
}

TEST_CASE_TEMPLATE("decay shrinks the parameter before Adam's step, as in AdamW", Scalar, float,
                   double) {
    auto decaying = step<Scalar>;
    decaying.decay = Scalar(0.125);
    auto state = State<Scalar>::random(37), shrunk = state;
    for (Scalar& p : shrunk.parameter) p -= Scalar(0.125) * p;
    state.update(decaying);
    shrunk.update(step<Scalar>);
    CHECK(identical(state.first_moment, shrunk.first_moment));
    CHECK(identical(state.second_moment, shrunk.second_moment));
    CHECK(largest_gap(state.parameter, shrunk.parameter, 1) < 2 * eps<Scalar>);
}

TEST_CASE_TEMPLATE("momentum_update is its formula, at every length, over three steps", Scalar,
                   float, double) {
    const double rate = 0.375, momentum = 0.75;  // exact in float
    for (const bool nesterov : {false, true}) {
        for (Index count = 0; count <= 40; ++count) {
            auto velocity = random_uniform<Scalar>({count + 1}, 1, -1, 1);
            auto parameter = random_uniform<Scalar>({count + 1}, 2, -1, 1);
            auto v = weft::as_reference(velocity), p = weft::as_reference(parameter);
            Reference reference;
            Cpu cpu(1);
            for (const std::uint32_t t : {3u, 4u, 5u}) {
                const auto gradient = random_uniform<Scalar>({count}, t, -1, 1);
                momentum_update<Scalar>(cpu, Scalar(rate), Scalar(momentum), nesterov, gradient,
                                        velocity.slice(0, count), parameter.slice(0, count));
                momentum_update<double>(reference, rate, momentum, nesterov,
                                        weft::as_reference(gradient), v.slice(0, count),
                                        p.slice(0, count));
            }
            CAPTURE(nesterov);
            CAPTURE(count);
            // Some five roundings a step of numbers that stay below 4.
            CHECK(largest_gap(velocity, v, 1) < 30 * eps<Scalar>);
            CHECK(largest_gap(parameter, p, 1) < 30 * eps<Scalar>);
            CHECK(velocity[count] == static_cast<Scalar>(v[count]));
            CHECK(parameter[count] == static_cast<Scalar>(p[count]));
        }
    }
}

TEST_CASE_TEMPLATE("rmsprop_update is its formula, with and without average and velocity", Scalar,
                   float, double) {
    constexpr auto numbers = rmsprop_step<Scalar>;
    constexpr auto exact_numbers = rmsprop_step<double>;
    for (const bool centered : {false, true}) {
        for (const bool with_velocity : {false, true}) {
            for (Index count = 0; count <= 40; ++count) {
                // s = a^2 + something, as in training: s - a^2 is a variance.
                auto square = random_uniform<Scalar>({count + 1}, 1, 1, 2);
                auto average = random_uniform<Scalar>({count + 1}, 2, -0.5, 0.5);
                auto velocity = random_uniform<Scalar>({count + 1}, 3, -1, 1);
                auto parameter = random_uniform<Scalar>({count + 1}, 4, -1, 1);
                auto s = weft::as_reference(square), a = weft::as_reference(average);
                auto v = weft::as_reference(velocity), p = weft::as_reference(parameter);
                Reference reference;
                Cpu cpu(1);
                for (const std::uint32_t t : {5u, 6u, 7u}) {
                    const auto gradient = random_uniform<Scalar>({count}, t, -1, 1);
                    const auto part = [&](auto& x, bool is_given = true) {
                        return is_given ? x.slice(0, count) : decltype(x.view())();
                    };
                    rmsprop_update<Scalar>(cpu, numbers, gradient, part(square),
                                           part(average, centered), part(velocity, with_velocity),
                                           part(parameter));
                    rmsprop_update<double>(reference, exact_numbers, weft::as_reference(gradient),
                                           part(s), part(a, centered), part(v, with_velocity),
                                           part(p));
                }
                CAPTURE(centered);
                CAPTURE(with_velocity);
                CAPTURE(count);
                // Some eight roundings a step of numbers that stay below 4.
                CHECK(largest_gap(square, s, 1) < 50 * eps<Scalar>);
                CHECK(largest_gap(average, a, 1) < 50 * eps<Scalar>);
                CHECK(largest_gap(velocity, v, 1) < 50 * eps<Scalar>);
                CHECK(largest_gap(parameter, p, 1) < 50 * eps<Scalar>);
                CHECK(parameter[count] == static_cast<Scalar>(p[count]));
            }
        }
    }
}

TEST_CASE_TEMPLATE("epsilon stands outside the root, and a gradient of 0 moves nothing", Scalar,
                   float, double) {
    // m = 1/4 g and v = 3/8 g^2: for a tiny g the update is alpha m / epsilon.
    const auto tiny = static_cast<Scalar>(1e-10);
    State<Scalar> state{Tensor<Scalar>({2}, {tiny, 0}), Tensor<Scalar>({2}), Tensor<Scalar>({2}),
                        Tensor<Scalar>({2})};
    state.update(step<Scalar>);
    CHECK(weft::relative_gap(static_cast<double>(state.parameter[0]), -1e-10, 1e-30) < 1e-6);
    CHECK(state.parameter[1] == 0);
    CHECK(state.second_moment[1] == 0);
}

TEST_CASE_TEMPLATE("an update has the same bits at any place in memory", Scalar, float, double) {
    Cpu cpu(1);
    const auto start = State<Scalar>::random(70);
    auto whole = start;
    whole.update(step<Scalar>);
    auto descended = start.parameter;
    sgd_update<Scalar>(cpu, Scalar(0.3), start.gradient, descended);
    for (Index split = 1; split < 70; ++split) {
        CAPTURE(split);
        auto parts = start;
        parts.update(step<Scalar>, 0, split);
        parts.update(step<Scalar>, split, 70 - split);
        check_identical(parts, whole);

        auto parameter = start.parameter;
        sgd_update<Scalar>(cpu, Scalar(0.3), start.gradient.slice(0, split),
                           parameter.slice(0, split));
        sgd_update<Scalar>(cpu, Scalar(0.3), start.gradient.slice(split, 70 - split),
                           parameter.slice(split, 70 - split));
        CHECK(identical(parameter, descended));
    }
}

TEST_CASE_TEMPLATE("updates of many parameters have the same bits for 1, 2 and 7 threads", Scalar,
                   float, double) {
    constexpr Index count = 50001;  // several tasks, the last one with a tail
    const auto start = State<Scalar>::random(count);
    auto whole = start;
    for (Index i = 0; i < count; ++i) whole.update(step<Scalar>, i, 1);  // one by one
    auto descended = start.parameter;
    Cpu one(1);
    sgd_update<Scalar>(one, Scalar(0.3), start.gradient, descended);
    for (const int threads : {1, 2, 7}) {
        CAPTURE(threads);
        auto state = start;
        state.update(step<Scalar>, 0, count, threads);
        check_identical(state, whole);

        Cpu cpu(threads);
        auto parameter = start.parameter;
        sgd_update<Scalar>(cpu, Scalar(0.3), start.gradient, parameter);
        CHECK(identical(parameter, descended));
    }
}

TEST_CASE_TEMPLATE(
    "momentum and rmsprop of many parameters have the bits of one by one, for 1, 2 "
    "and 7 threads",
    Scalar, float, double) {
    constexpr Index count = 9001;  // several tasks, the last one with a tail
    constexpr auto numbers = rmsprop_step<Scalar>;
    const auto gradient = random_uniform<Scalar>({count}, 1, -1, 1);
    struct Arrays {
        Tensor<Scalar> square = random_uniform<Scalar>({count}, 2, 1, 2);
        Tensor<Scalar> average = random_uniform<Scalar>({count}, 3, -0.5, 0.5);
        Tensor<Scalar> velocity = random_uniform<Scalar>({count}, 4, -1, 1);
        Tensor<Scalar> parameter = random_uniform<Scalar>({count}, 5, -1, 1);
    };
    const auto update = [&](Arrays& of, bool rms, Index first, Index size, int threads) {
        Cpu cpu(threads);
        const auto g = gradient.slice(first, size);
        const auto velocity = of.velocity.slice(first, size),
                   parameter = of.parameter.slice(first, size);
        if (rms) {
            rmsprop_update<Scalar>(cpu, numbers, g, of.square.slice(first, size),
                                   of.average.slice(first, size), velocity, parameter);
        } else {
            momentum_update<Scalar>(cpu, Scalar(0.3), Scalar(0.9), true, g, velocity, parameter);
        }
    };
    for (const bool rms : {false, true}) {
        Arrays expected;
        for (Index i = 0; i < count; ++i) update(expected, rms, i, 1, 1);
        for (const int threads : {1, 2, 7}) {
            CAPTURE(rms);
            CAPTURE(threads);
            Arrays result;
            update(result, rms, 0, count, threads);
            CHECK(identical(result.square, expected.square));
            CHECK(identical(result.average, expected.average));
            CHECK(identical(result.velocity, expected.velocity));
            CHECK(identical(result.parameter, expected.parameter));
        }
    }
}

TEST_CASE_TEMPLATE("a NaN gradient makes its own parameter NaN and no other", Scalar, float,
                   double) {
    auto state = State<Scalar>::random(37);
    auto clean = state;
    state.gradient[35] = std::numeric_limits<Scalar>::quiet_NaN();
    clean.update(step<Scalar>);
    state.update(step<Scalar>);
    CHECK(std::isnan(state.parameter[35]));
    state.parameter[35] = clean.parameter[35];
    CHECK(identical(state.parameter, clean.parameter));
}
