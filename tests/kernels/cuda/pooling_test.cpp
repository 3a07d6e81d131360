#include "weft/kernels/cuda/pooling.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/product_checks.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/batch_norm.hpp"
#include "tests/support/reference/dropout.hpp"
#include "tests/support/reference/layout.hpp"
#include "tests/support/reference/normalizing_pool.hpp"
#include "tests/support/reference/pooling.hpp"
#include "tests/support/special_values.hpp"
#include "tests/support/window_cases.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

using namespace weft;
using kernels::Window2D;

namespace {

const PoolCase pool_cases[] = {
    {2, 4, 6, 3, 2, 2, 2, 2, valid},  // as in the tutorials
    {3, 7, 5, 2, 2, 3, 2, 1, valid},  // overlaps, leftovers
    {3, 7, 5, 2, 3, 2, 2, 3, same},   // zeros around
    {1, 1, 1, 1, 1, 1, 1, 1, valid},
    {2, 5, 6, 1, 5, 6, 1, 1, valid},  // one window
    {2, 3, 4, 5, 4, 5, 3, 4, same},   // windows larger than the image
    {5, 6, 3, 9, 1, 2, 3, 1, valid},  // gaps between windows
    {9, 6, 7, 2, 3, 3, 1, 1, same},
    // Windows that are apart and leave rows, columns or both out: behind the last, or in between.
    {2, 5, 7, 3, 2, 2, 2, 2, valid},
    {2, 7, 9, 5, 2, 3, 3, 4, valid},
    {2, 6, 8, 2, 2, 3, 2, 4, same},
    // A warp's channels, some more, and several blocks of a row.
    {2, 5, 4, 32, 2, 2, 2, 2, same},
    {2, 6, 5, 37, 2, 3, 2, 2, same},
    {1, 3, 9, 131, 2, 3, 1, 1, same},
    // Taps apart from each other.
    {2, 9, 8, 3, 2, 3, 1, 2, valid, 3, 2},
    {2, 9, 7, 3, 2, 2, 2, 2, valid, 2, 2},
    {2, 7, 8, 17, 3, 2, 2, 1, same, 2, 3},
    {2, 3, 4, 2, 3, 3, 1, 1, same, 4, 5},
    // No images.
    {0, 4, 6, 3, 2, 2, 2, 2, valid},
};

/// y, dx, dx in front of a relu whose output was pooled, y without taps: arguments 2 to 5, and the
/// taps as numbers in argument 6.
template <class Tap, class Scalar>
OnBoth<Scalar> max_pool(const PoolCase& c, const Tensor<Scalar>& x, const Tensor<Scalar>& dy) {
    Tensor<Scalar> dx(c.input()), y(c.output());
    std::ranges::fill(dx, Scalar(99));  // to be overwritten
    return on_both<Scalar>(
        {x, dy, y, dx, dx, y, y}, [&]<class Device>(Device& device, const auto& v) {
            Tensor<Tap, Device> taps(c.output(), device);
            kernels::max_pool_forward<Scalar>(device, c.window(), v[0], v[2], taps.data());
            kernels::max_pool_backward<Scalar>(device, c.window(), {}, v[1], taps.data(), v[3]);
            kernels::max_pool_backward<Scalar>(device, c.window(), v[2], v[1], taps.data(), v[4]);
            kernels::max_pool_forward<Scalar, Tap>(device, c.window(), v[0], v[5], nullptr);
            Tensor<Tap> on_host(c.output());
            kernels::copy_to_host<Tap>(device, taps, on_host);
            Tensor<Scalar> numbers(c.output());
            std::ranges::copy(on_host, numbers.begin());
            kernels::copy_to_device<Scalar>(device, numbers, v[6]);
        });
}

/// y, dx and dx in front of a relu, with dropout behind: arguments 2 to 4.
template <class Tap, class Scalar>
OnBoth<Scalar> max_pool_dropping(const PoolCase& c, double rate, Index first,
                                 const Tensor<Scalar>& x, const Tensor<Scalar>& dy) {
    Tensor<Scalar> dx(c.input());
    std::ranges::fill(dx, Scalar(99));
    return on_both<Scalar>({x, dy, Tensor<Scalar>(c.output()), dx, dx, dy},
                           [&]<class Device>(Device& device, const auto& v) {
                               Tensor<Tap, Device> taps(c.output(), device);
                               Tensor<std::uint8_t, Device> kept(c.output(), device);
                               Tensor<std::uint32_t> step({1}, {5});
                               Tensor<std::uint32_t, Device> at_step({1}, device);
                               kernels::copy_to_device<std::uint32_t>(device, step, at_step);
                               const kernels::Dropping dropping{
                                   .rate = rate,
                                   .random{7, RandomPurpose::layer, 3, 2},
                                   .at_step = first == 0 ? nullptr : at_step.data(),
                                   .first = first,
                                   .kept = kept.data()};
                               kernels::max_pool_forward_dropping<Scalar>(
                                   device, c.window(), dropping, v[0], v[2], taps.data());
                               // The gradient of y may be written over.
                               kernels::copy_elements<Scalar>(device, v[1], v[5]);
                               kernels::max_pool_backward_dropping<Scalar>(
                                   device, c.window(), dropping, {}, v[5], taps.data(), v[3]);
                               kernels::copy_elements<Scalar>(device, v[1], v[5]);
                               kernels::max_pool_backward_dropping<Scalar>(
                                   device, c.window(), dropping, v[2], v[5], taps.data(), v[4]);
                           });
}

/// y and dx, in arguments 2 and 3.
template <class Scalar>
OnBoth<Scalar> average_pool(const PoolCase& c, const Tensor<Scalar>& x, const Tensor<Scalar>& dy) {
    Tensor<Scalar> dx(c.input()), y(c.output());
    std::ranges::fill(dx, Scalar(99));
    return on_both<Scalar>({x, dy, y, dx}, [&](auto& device, const auto& v) {
        kernels::average_pool_forward<Scalar>(device, c.window(), v[0], v[2]);
        kernels::average_pool_backward<Scalar>(device, c.window(), v[1], v[3]);
    });
}

}  // namespace

TEST_CASE_TEMPLATE("max pooling on a GPU with dropout behind has the bits of both", Scalar, float,
                   double) {
    for (const PoolCase& c : pool_cases) {
        const std::string where = c.text();
        CAPTURE(where);
        auto x = random_integers<Scalar>(c.input(), 1, -9, 9);
        if (x.size() > 7) x[7] = not_a_number<Scalar>;
        const auto dy = random_integers<Scalar>(c.output(), 2, -9, 9);
        for (const double rate : {0.5, 0.75}) {  // sums are exact
            // From the first sample of a step, and from a later one.
            for (const Index first : {Index{0}, Index{91}}) {
                CAPTURE(rate);
                CAPTURE(first);
                const auto small = max_pool_dropping<std::uint8_t>(c, rate, first, x, dy);
                const auto wide = max_pool_dropping<std::int32_t>(c, rate, first, x, dy);
                for (const std::size_t i : {2U, 3U, 4U}) {
                    CHECK(same_numbers(small.result[i], small.expected[i]));
                    CHECK(same_numbers(wide.result[i], small.expected[i]));
                }
                CHECK(small.repeats);
            }
        }
    }
}

namespace {

/// Where the arguments of a batch norm with pooling behind are.
enum Places {
    input,
    gradient,
    output,
    of_input,
    gamma,
    beta,
    mean,
    inverse_deviation,
    moving_mean,
    moving_variance,
    dgamma,
    dbeta
};

/// A batch norm and max pooling, forward and backward. Rate 0 is no dropout.
template <class Scalar>
OnBoth<Scalar> max_pool_normalizing(const PoolCase& c, const Tensor<Scalar>& x,
                                    const Tensor<Scalar>& dy, const Tensor<Scalar>& scale,
                                    const Tensor<Scalar>& shift, double rate, bool x_is_relu) {
    const auto of_channels = random_uniform<Scalar>({c.channels}, 5, 0.5, 1);
    return on_both<Scalar>(
        {x, dy, dy, x, scale, shift, of_channels, of_channels, of_channels, of_channels,
         of_channels, of_channels},
        [&]<class Device>(Device& device, const auto& v) {
            const kernels::Normalizing<Scalar> norm{
                .momentum = Scalar(0.75),
                .epsilon = Scalar(1e-3),
                .gamma = v[gamma].data(),
                .beta = v[beta].data(),
                .moving_mean = v[moving_mean].data(),
                .moving_variance = v[moving_variance].data(),
                .mean = v[mean].data(),
                .inverse_deviation = v[inverse_deviation].data(),
                .dgamma = v[dgamma].data(),
                .dbeta = v[dbeta].data()};
            Tensor<std::uint8_t, Device> taps(c.output(), device), kept(c.output(), device);
            Tensor<Scalar, Device> chosen(c.output(), device);
            const kernels::Dropping dropping{
                .rate = rate, .random{7, RandomPurpose::layer, 3, 2}, .kept = kept.data()};
            kernels::max_pool_forward_normalizing<Scalar>(device, c.window(), norm, dropping,
                                                          v[input], v[output], taps.data(),
                                                          chosen.data());
            kernels::max_pool_backward_normalizing<Scalar>(device, c.window(), norm, dropping,
                                                           x_is_relu, v[input], v[gradient],
                                                           taps.data(), chosen.data(), v[of_input]);
        });
}

}  // namespace

TEST_CASE_TEMPLATE("max pooling on a GPU of a batch norm is both, one after the other", Scalar,
                   float, double) {
    for (const PoolCase& c : pool_cases) {
        if (c.images == 0) continue;
        const std::string where = c.text();
        CAPTURE(where);
        auto x = random_normal<Scalar>(c.input(), 1);
        for (Scalar& value : x) value = std::max(value, Scalar(0));  // ties
        const auto dy = random_normal<Scalar>(c.output(), 2);
        // Of both signs.
        const auto scale = random_normal<Scalar>({c.channels}, 3), none = Tensor<Scalar>(Shape{0});
        const auto shift = random_normal<Scalar>({c.channels}, 4);
        for (const double rate : {0.0, 0.5}) {
            for (const bool x_is_relu : {false, true}) {
                for (const bool has_both : {false, true}) {
                    CAPTURE(rate);
                    CAPTURE(x_is_relu);
                    CAPTURE(has_both);
                    const auto both =
                        max_pool_normalizing<Scalar>(c, x, dy, has_both ? scale : none,
                                                     has_both ? shift : none, rate, x_is_relu);
                    CHECK(both.repeats);
                    // A few deviations from the mean, and a few roundings; where all are equal, of up
                    // to 1 / sqrt(epsilon) = 32 times that.
                    const double n = static_cast<double>(x.size() / c.channels);
                    CHECK(largest_gap(both.result[output], both.expected[output], 1) <
                          500 * eps<Scalar>);
                    // Sums of n terms of up to about 4 deviations.
                    const double bound = 200 * (10 + std::sqrt(n)) * eps<Scalar>;
                    CHECK(largest_gap(both.result[dgamma], both.expected[dgamma], 1) < bound);
                    CHECK(largest_gap(both.result[dbeta], both.expected[dbeta], 1) < bound);
                    CHECK(largest_gap(both.result[of_input], both.expected[of_input], 1) <
                          32 * bound);
                    CHECK(largest_gap(both.result[mean], both.expected[mean], 1) < 8 * eps<Scalar>);
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("max pooling on a GPU of a batch norm takes moments that it is given", Scalar,
                   float, double) {
    const PoolCase c{3, 4, 6, 4, 2, 2, 2, 2, valid};
    const Tensor<Scalar> of_channels({c.channels}), y(c.output());
    const auto both = on_both<Scalar>(
        {random_normal<Scalar>(c.input(), 1), y, random_normal<Scalar>({c.channels}, 3),
         random_normal<Scalar>({c.channels}, 4), random_normal<Scalar>({c.channels}, 5),
         random_uniform<Scalar>({c.channels}, 6, 0.5, 1), of_channels, y},
        [&]<class Device>(Device& device, const auto& v) {
            const kernels::Normalizing<Scalar> norm{.epsilon = Scalar(1e-3),
                                                    .gamma = v[2].data(),
                                                    .beta = v[3].data(),
                                                    .given_mean = v[4].data(),
                                                    .given_variance = v[5].data(),
                                                    .inverse_deviation = v[6].data()};
            Tensor<std::uint8_t, Device> taps(c.output(), device);
            kernels::max_pool_forward_normalizing<Scalar>(device, c.window(), norm, {}, v[0], v[1],
                                                          taps.data(), v[7].data());
        });
    CHECK(both.repeats);
    // A few roundings of numbers below 10.
    CHECK(largest_gap(both.result[1], both.expected[1], 1) < 20 * eps<Scalar>);
}

TEST_CASE_TEMPLATE("max pooling on a GPU of a batch norm keeps NaN, and equals of x", Scalar, float,
                   double) {
    const PoolCase c{3, 4, 6, 4, 2, 2, 2, 2, valid};
    auto x = random_normal<Scalar>(c.input(), 1);
    const auto dy = random_normal<Scalar>(c.output(), 2);
    x[1] = not_a_number<Scalar>;
    // The largest, the smallest, whatever, and the second where numbers are equal.
    const Tensor<Scalar> scale({4}, {2, 1, -1, 0}), shift({4}, {0, 1, 2, Scalar(-0.0)});
    const auto both = max_pool_normalizing<Scalar>(c, x, dy, scale, shift, 0, false);
    for (Index i = 0; i < dy.size(); ++i) {
        CHECK(std::isnan(both.result[output][i]) == (i % 4 == 1));
    }
    for (Index i = 0; i < x.size(); ++i) {
        CHECK(std::isnan(both.result[of_input][i]) == (i % 4 == 1));
        if (i % 4 == 3) CHECK(both.result[of_input][i] == 0);
    }
    for (const Index channel : {0, 2, 3}) {
        CHECK(std::abs(both.result[dbeta][channel] - both.expected[dbeta][channel]) <
              40 * eps<Scalar>);
    }
    // A gamma of 0 chooses as one above it.
    const Tensor<Scalar> positive({4}, {2, 1, -1, 1});
    const auto largest = max_pool_normalizing<Scalar>(c, x, dy, positive, shift, 0, false);
    CHECK(both.result[dgamma][3] == largest.result[dgamma][3]);
    // A number beside another that rounding makes equal in y: the gradient goes to the larger x.
    const PoolCase pair{1, 1, 2, 1, 1, 2, 1, 1, valid};
    const Scalar above = 1 + std::numeric_limits<Scalar>::epsilon();
    const auto of_pair = max_pool_normalizing<Scalar>(
        pair, Tensor<Scalar>({1, 1, 2, 1}, {1, above}), Tensor<Scalar>({1, 1, 1, 1}, {3}),
        Tensor<Scalar>({1}, {1}), Tensor<Scalar>({1}, {1000}), 0, false);
    CHECK(of_pair.result[output][0] == 1000);
    CHECK(of_pair.result[of_input][1] > 0);
    CHECK(of_pair.expected[of_input][0] > 0);
}

TEST_CASE_TEMPLATE("max pooling on a GPU has the bits of its definition", Scalar, float, double) {
    const Scalar special[] = {not_a_number<Scalar>, -infinity<Scalar>, 3, -Scalar(0), Scalar(0), 3};
    for (const PoolCase& c : pool_cases) {
        const std::string where = c.text();
        CAPTURE(where);
        // Whole numbers, whose sums are exact: negative, so that zeros around are not taken; with
        // ties, and many windows that a relu left all 0; of special numbers.
        const auto dy = random_integers<Scalar>(c.output(), 2, -9, 9);
        const auto negative = random_integers<Scalar>(c.input(), 1, -9, -2);
        auto relu_output = random_integers<Scalar>(c.input(), 3, -9, 3);
        for (Scalar& value : relu_output) value = std::max(value, Scalar(0));
        auto strange = random_integers<Scalar>(c.input(), 8, 0, 23);
        for (Scalar& value : strange)
            value = special[std::min(static_cast<Index>(value), Index{5})];
        for (const auto& x : {negative, relu_output, strange}) {
            CHECK(max_pool<std::int32_t>(c, x, dy).same());
            CHECK(max_pool<std::uint8_t>(c, x, dy).same());
        }
    }
}

TEST_CASE_TEMPLATE("max pooling on a GPU counts taps beyond 255", Scalar, float, double) {
    const PoolCase c{2, 19, 23, 2, 17, 20, 1, 2, same};
    auto x = random_normal<Scalar>(c.input(), 1);
    const auto dy = random_integers<Scalar>(c.output(), 2, -9, 9);
    const auto both = max_pool<std::int32_t>(c, x, dy);
    CHECK(both.same());
    CHECK(*std::max_element(both.result[6].begin(), both.result[6].end()) > 255);
}

TEST_CASE_TEMPLATE("average pooling on a GPU divides by the elements inside the image", Scalar,
                   float, double) {
    for (const PoolCase& c : pool_cases) {
        const std::string where = c.text();
        CAPTURE(where);
        const auto integers = average_pool(c, random_integers<Scalar>(c.input(), 3, 2, 9),
                                           random_integers<Scalar>(c.output(), 4, 2, 9));
        CHECK(integers.repeats);
        // The sum is exact, its quotient rounded once. Of gradients each quotient is, and the sum:
        // of double as often as it has terms, up to 9.
        CHECK(identical(integers.result[2], integers.expected[2]));
        CHECK(largest_gap(integers.result[3], integers.expected[3], 1e-30) <
              (sizeof(Scalar) == 4 ? 2 : 6) * eps<Scalar>);
        // Terms that cancel: roundings of sums of up to 30 numbers below 5.
        const auto numbers = average_pool(c, random_normal<Scalar>(c.input(), 5),
                                          random_normal<Scalar>(c.output(), 6));
        CHECK(numbers.repeats);
        CHECK(largest_gap(numbers.result[2], numbers.expected[2], 5) < 15 * eps<Scalar>);
        CHECK(largest_gap(numbers.result[3], numbers.expected[3], 5) < 15 * eps<Scalar>);
    }
}

TEST_CASE_TEMPLATE("average pooling on a GPU of whole images", Scalar, float, double) {
    const PoolCase c{2, 61, 67, 3, 61, 67, 1, 1, valid};
    const auto both = average_pool(c, random_integers<Scalar>(c.input(), 3, -9, 9),
                                   random_integers<Scalar>(c.output(), 4, -9, 9));
    CHECK(both.same());  // sums are exact, and one window holds each element
}

TEST_CASE_TEMPLATE("average pooling on a GPU keeps NaN in its windows and its channel", Scalar,
                   float, double) {
    const PoolCase c{1, 4, 4, 2, 2, 2, 2, 2, valid};
    auto x = random_integers<Scalar>(c.input(), 3, -9, 9);
    x(0, 1, 2, 1) = not_a_number<Scalar>;
    const auto both = average_pool(c, x, random_integers<Scalar>(c.output(), 4, -9, 9));
    for (Index i = 0; i < 8; ++i) {
        const bool is_bad = i == 3;
        CHECK(std::isnan(both.result[2][i]) == is_bad);
        if (!is_bad) CHECK(both.result[2][i] == both.expected[2][i]);
    }
}

TEST_CASE("pooling on a GPU refuses images of more elements than it can count") {
    // 2^31 elements, a quarter of them in the output; nothing is read.
    Cuda device;
    const PoolCase c{512, 256, 256, 64, 2, 2, 2, 2, valid};
    const TensorView<const float, Cuda> x(nullptr, c.input());
    const TensorView<float, Cuda> y(nullptr, c.output());
    CHECK_THROWS_AS(kernels::max_pool_forward<float>(device, c.window(), x, y,
                                                     static_cast<std::uint8_t*>(nullptr)),
                    CudaError);
    CHECK_THROWS_AS(kernels::average_pool_forward<float>(device, c.window(), x, y), CudaError);
}
