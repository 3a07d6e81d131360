#include "weft/kernels/cpu/normalizing_pool.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/dirty_scratch.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/special_values.hpp"
#include "tests/support/window_cases.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::infinity;
using weft::not_a_number;
using weft::PoolCase;
using weft::random_normal;
using weft::Shape;
using weft::Tensor;
using weft::Verdict;

namespace {

const std::vector<PoolCase> fused_cases{
    {2, 4, 6, 3, 2, 2, 2, 2, weft::valid},  // as in the tutorials
    {1, 1, 1, 1, 1, 1, 1, 1, weft::valid},
    {2, 5, 6, 2, 5, 6, 1, 1, weft::valid},  // one window
    // Blocks of 64 rows that begin and end within rows, windows and images.
    {5, 9, 7, 5, 2, 2, 2, 2, weft::valid},  // a row and a column left over
    {5, 9, 7, 5, 2, 2, 2, 2, weft::same},   // and cut windows instead
    {7, 11, 13, 2, 3, 2, 3, 2, weft::same},
    {4, 9, 12, 16, 2, 3, 2, 4, weft::valid},  // gaps between windows
    {4, 12, 9, 3, 2, 2, 3, 4, weft::valid},
    {3, 70, 3, 1, 2, 1, 2, 1, weft::valid},
    {1, 3, 150, 2, 1, 4, 1, 4, weft::same},
    {3, 3, 4, 5, 4, 5, 4, 5, weft::same},  // windows larger than the image
    // Whole packets of channels, several of them, and some channels over.
    {3, 6, 8, 32, 2, 2, 2, 2, weft::valid},
    {2, 7, 5, 133, 2, 2, 2, 2, weft::same},
    {1, 14, 9, 133, 7, 9, 7, 9, weft::valid},     // the most taps whose numbers are digits
    {1, 8, 17, 133, 8, 8, 8, 9, weft::valid},     // one more
    {1, 15, 17, 3, 15, 17, 15, 17, weft::valid},  // 255
    // Overlaps, and taps apart from each other.
    {3, 7, 5, 4, 3, 3, 2, 2, weft::same},
    {2, 6, 7, 133, 2, 3, 1, 2, weft::valid},
    {2, 9, 8, 3, 2, 3, 1, 2, weft::valid, 3, 2},
    {2, 9, 7, 3, 2, 2, 4, 4, weft::valid, 2, 2},
};

/// What a batch norm, pooling and dropout are given.
template <class Scalar>
struct Given {
    PoolCase c;
    Tensor<Scalar> x, dy;
    Tensor<Scalar> gamma, beta;  ///< may be empty
    double rate = 0;
    bool x_is_relu = false, has_moments = false, is_inference = false;

    Given(const PoolCase& of)
        : c(of),
          x(random_normal<Scalar>(c.input(), 1)),
          dy(random_normal<Scalar>(c.output(), 2)),
          gamma(random_normal<Scalar>({c.channels}, 3)),
          beta(random_normal<Scalar>({c.channels}, 4)) {}
};

/// What they leave.
template <class Scalar>
struct Results {
    Tensor<Scalar> y, dx, moments;  ///< the latter (8, C)
};

/// Both passes. apart: by kernels for each part.
template <class Scalar>
Results<Scalar> run(const Given<Scalar>& given, Cpu cpu, bool apart) {
    const PoolCase& c = given.c;
    const auto window = c.window();
    Results<Scalar> result{Tensor<Scalar>(c.output()), Tensor<Scalar>(c.input()),
                           weft::random_uniform<Scalar>({8, c.channels}, 5, 0.5, 1)};
    const auto line = [&](Index i) { return result.moments.data() + i * c.channels; };
    weft::kernels::Normalizing<Scalar> norm{.momentum = Scalar(0.75),
                                            .epsilon = Scalar(1e-3),
                                            .gamma = given.gamma.data(),
                                            .beta = given.beta.data(),
                                            .moving_mean = line(0),
                                            .moving_variance = line(1),
                                            .mean = line(2),
                                            .inverse_deviation = line(3),
                                            .dgamma = line(4),
                                            .dbeta = line(5),
                                            .has_moments = given.has_moments};
    if (given.is_inference) {
        norm.given_mean = line(6);
        norm.given_variance = line(7);
    }
    std::vector<std::uint8_t> taps(static_cast<std::size_t>(result.y.size()), 77), kept = taps;
    const std::uint32_t step = 9;
    const weft::kernels::Dropping dropping{.rate = given.rate,
                                           .random{7, weft::RandomPurpose::layer, 3, 2},
                                           .at_step = &step,
                                           .first = 91 * window.positions() * c.channels,
                                           .kept = kept.data()};
    std::ranges::fill(result.y, Scalar(99));
    std::ranges::fill(result.dx, Scalar(99));
    Tensor<Scalar> dy = given.dy;
    if (cpu.threads() != 2) weft::dirty_scratch(cpu);  // else it has none yet
    if (!apart) {
        max_pool_forward_normalizing<Scalar>(cpu, window, norm, dropping, given.x, result.y,
                                             taps.data(), nullptr);
        if (given.is_inference) return result;
        weft::dirty_scratch(cpu);
        max_pool_backward_normalizing<Scalar>(cpu, window, norm, dropping, given.x_is_relu, given.x,
                                              dy, taps.data(), nullptr, result.dx);
        return result;
    }
    Tensor<Scalar> normal(c.input());
    weft::kernels::normalize<Scalar>(cpu, norm, given.x, normal);
    max_pool_forward<Scalar>(cpu, window, normal, result.y, taps.data());
    if (dropping) weft::kernels::drop<Scalar>(cpu, dropping, result.y);
    if (given.is_inference) return result;
    if (dropping) dropout_backward<Scalar>(cpu, dropping, dy, dy);
    max_pool_backward<Scalar>(cpu, window, {}, dy, taps.data(), result.dx);
    batch_norm_backward<Scalar>(cpu, norm, given.x, result.dx, given.x_is_relu, result.dx);
    return result;
}

/// Whether all numbers are those of the parts, for any number of threads.
template <class Scalar>
Verdict has_bits_of_parts(const Given<Scalar>& given) {
    const auto parts = run(given, Cpu(1), true);
    Verdict verdict;
    for (const int threads : {1, 2, 7}) {
        const auto whole = run(given, Cpu::exactly(threads), false);
        verdict.add("y", identical(whole.y, parts.y));
        verdict.add("dx", identical(whole.dx, parts.dx));
        if (!given.is_inference) verdict.add("moments", identical(whole.moments, parts.moments));
    }
    return verdict;
}

}  // namespace

TEST_CASE_TEMPLATE("max pooling of a batch norm, with dropout, has the bits of its parts", Scalar,
                   float, double) {
    for (const PoolCase& c : fused_cases) {
        const std::string where = c.text();
        CAPTURE(where);
        Given<Scalar> given(c);
        CHECK(has_bits_of_parts(given));
        for (const double rate : {0.0, 0.1, 0.9}) {
            CAPTURE(rate);
            given.rate = rate;
            // Behind a relu, with ties.
            given.x_is_relu = true;
            for (Scalar& value : given.x) value = std::max(value, Scalar(0));
            CHECK(has_bits_of_parts(given));
            given.has_moments = true;
            CHECK(has_bits_of_parts(given));
            given.has_moments = false;
            given.is_inference = true;
            CHECK(has_bits_of_parts(given));
            given.is_inference = false;
        }
        given.gamma = Tensor<Scalar>(Shape{0});
        CHECK(has_bits_of_parts(given));
        given.beta = Tensor<Scalar>(Shape{0});
        CHECK(has_bits_of_parts(given));
    }
}

TEST_CASE_TEMPLATE("special numbers are those of its parts", Scalar, float, double) {
    for (const PoolCase& c : {PoolCase{3, 6, 8, 37, 2, 2, 2, 2, weft::valid},
                              PoolCase{3, 7, 5, 37, 3, 3, 2, 2, weft::same}}) {
        for (const double rate : {0.0, 0.5}) {
            Given<Scalar> given(c);
            given.rate = rate;
            for (Index i = 0; i < given.x.size(); ++i) {
                const Index channel = i % c.channels;
                if (channel == 1 && i % 5 == 0) given.x[i] = not_a_number<Scalar>;
                if (channel == 2 && i % 3 == 0) given.x[i] = infinity<Scalar>;
                if (channel == 3 && i % 3 == 0) given.x[i] = -infinity<Scalar>;
                if (channel == 4) given.x[i] = i % 2 == 0 ? Scalar(0) : Scalar(-0.0);
                if (channel == 5) given.x[i] = std::numeric_limits<Scalar>::max() / 2;
                if (channel == 6) given.x[i] = 3;  // no variance
                // Different x, which rounding makes equal in y.
                if (channel == 7)
                    given.x[i] = 1 + Scalar(i % 3) * std::numeric_limits<Scalar>::epsilon();
            }
            given.beta[7] = 1000;
            given.gamma[8] = 0;
            given.gamma[9] = Scalar(-0.0);
            given.gamma[10] = infinity<Scalar>;
            given.gamma[11] = not_a_number<Scalar>;
            given.dy[12] = not_a_number<Scalar>;
            given.dy[13] = infinity<Scalar>;
            given.dy[14] = Scalar(-0.0);
            CHECK(has_bits_of_parts(given));
        }
    }
}

TEST_CASE("a batch norm of no images, in front of pooling, has gradients of 0") {
    Given<float> given({0, 4, 6, 3, 2, 2, 2, 2, weft::valid});
    const auto result = run(given, Cpu(1), false);
    for (Index i = 4 * 3; i < 6 * 3; ++i) CHECK(result.moments[i] == 0);
}

TEST_CASE("they allocate nothing but scratch, once") {
    const Given<float> given({3, 6, 8, 37, 2, 2, 2, 2, weft::valid});
    const auto window = given.c.window();
    Cpu cpu(1);
    Tensor<float> y(given.c.output()), dx(given.c.input()), dy = given.dy, lines({6, 37});
    std::vector<std::uint8_t> taps(static_cast<std::size_t>(y.size()));
    const weft::kernels::Normalizing<float> norm{.epsilon = 1e-3F,
                                                 .moving_mean = lines.data(),
                                                 .moving_variance = lines.data() + 37,
                                                 .mean = lines.data() + 74,
                                                 .inverse_deviation = lines.data() + 111,
                                                 .dgamma = lines.data() + 148,
                                                 .dbeta = lines.data() + 185};
    const weft::kernels::Dropping dropping{.rate = 0.5};
    const auto pass = [&] {
        max_pool_forward_normalizing<float>(cpu, window, norm, dropping, given.x, y, taps.data(),
                                            nullptr);
        max_pool_backward_normalizing<float>(cpu, window, norm, dropping, true, given.x, dy,
                                             taps.data(), nullptr, dx);
    };
    pass();
    const weft::AllocationCounter counter;
    pass();
    CHECK(counter.count() == 0);
}
