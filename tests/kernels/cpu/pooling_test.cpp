#include "weft/kernels/cpu/pooling.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/pooling.hpp"
#include "tests/support/special_values.hpp"
#include "tests/support/window_cases.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::PoolCase;
using weft::random_integers;
using weft::Reference;
using weft::Shape;
using weft::Tensor;
using weft::kernels::Window2D;
using weft::kernels::window_axis;

namespace {

const std::vector<PoolCase> pool_cases{
    {2, 4, 6, 3, 2, 2, 2, 2, weft::valid},  // as in the tutorials
    {3, 7, 5, 2, 2, 3, 2, 1, weft::valid},  // overlaps, leftovers
    {3, 7, 5, 2, 3, 2, 2, 3, weft::same},   // zeros around
    {1, 1, 1, 1, 1, 1, 1, 1, weft::valid},
    {2, 5, 6, 1, 5, 6, 1, 1, weft::valid},  // one window
    {2, 3, 4, 5, 4, 5, 3, 4, weft::same},   // windows larger than the image
    {5, 6, 3, 9, 1, 2, 3, 1, weft::valid},  // gaps between windows
    {9, 6, 7, 2, 3, 3, 1, 1, weft::same},
    // Windows that are apart and leave rows, columns or both out: behind the last, or in between.
    {2, 5, 6, 3, 2, 2, 2, 2, weft::valid},
    {2, 4, 7, 3, 2, 2, 2, 2, weft::valid},
    {2, 7, 9, 5, 2, 3, 3, 4, weft::valid},
    {2, 6, 8, 2, 2, 3, 2, 4, weft::same},
    {2, 6, 9, 2, 1, 3, 2, 3, weft::valid},
    // Whole packets of channels, several of them, and some channels over.
    {2, 5, 4, 16, 2, 2, 2, 2, weft::same},
    {2, 4, 5, 32, 3, 2, 1, 2, weft::valid},
    {2, 6, 5, 37, 2, 3, 2, 2, weft::same},
    // Blocks of four packets too, of any instruction set: of few taps, of the most whose numbers are
    // digits, of one more, of one that is cut at the border.
    {2, 4, 5, 133, 2, 2, 2, 2, weft::same},
    {1, 5, 7, 200, 3, 3, 2, 2, weft::valid},
    {1, 8, 13, 133, 7, 9, 1, 2, weft::valid},
    {1, 9, 10, 133, 8, 8, 1, 2, weft::valid},
    // Taps apart from each other.
    {2, 9, 8, 3, 2, 3, 1, 2, weft::valid, 3, 2},
    {2, 9, 7, 3, 2, 2, 2, 2, weft::valid, 2, 2},
    {2, 7, 8, 17, 3, 2, 2, 1, weft::same, 2, 3},
    {2, 3, 4, 2, 3, 3, 1, 1, weft::same, 4, 5},
    {2, 5, 8, 16, 2, 2, 1, 2, weft::valid, 1, 3},
    {2, 6, 5, 3, 2, 2, 2, 1, weft::valid, 3, 1},
};

template <class Scalar, class Device = Cpu>
struct MaxPool {
    Tensor<Scalar, Device> y, dx;
};

/// through_relu: dx is the gradient in front of a relu whose output was pooled.
template <class Scalar, class Tap = std::int32_t>
MaxPool<Scalar> max_pool(const PoolCase& c, const Tensor<Scalar>& x, const Tensor<Scalar>& dy,
                         int threads = 1, bool through_relu = false) {
    Cpu cpu(threads);
    MaxPool<Scalar> result{Tensor<Scalar>(c.output()), Tensor<Scalar>(c.input())};
    std::ranges::fill(result.dx, Scalar(99));  // to be overwritten
    std::vector<Tap> taps(static_cast<std::size_t>(result.y.size()), 77);
    max_pool_forward<Scalar>(cpu, c.window(), x, result.y, taps.data());
    const auto y = through_relu ? result.y.view() : weft::TensorView<Scalar>();
    max_pool_backward<Scalar>(cpu, c.window(), y, dy, taps.data(), result.dx);
    return result;
}

template <class Scalar>
MaxPool<Scalar> average_pool(const PoolCase& c, const Tensor<Scalar>& x, const Tensor<Scalar>& dy,
                             int threads = 1) {
    Cpu cpu(threads);
    MaxPool<Scalar> result{Tensor<Scalar>(c.output()), Tensor<Scalar>(c.input())};
    std::ranges::fill(result.dx, Scalar(99));
    average_pool_forward<Scalar>(cpu, c.window(), x, result.y);
    average_pool_backward<Scalar>(cpu, c.window(), dy, result.dx);
    return result;
}

/// By the definitions; whole numbers, whose sums are exact.
template <class Scalar>
MaxPool<Scalar, Reference> exact_max_pool(const PoolCase& c, const Tensor<Scalar>& x,
                                          const Tensor<Scalar>& dy, bool through_relu = false) {
    Reference reference;
    MaxPool<Scalar, Reference> result{Tensor<Scalar, Reference>(c.output()),
                                      Tensor<Scalar, Reference>(c.input())};
    std::vector<std::int32_t> taps(static_cast<std::size_t>(result.y.size()));
    max_pool_forward<Scalar>(reference, c.window(), weft::as_reference<Scalar>(x), result.y,
                             taps.data());
    const auto y = through_relu ? result.y.view() : weft::TensorView<Scalar, Reference>();
    max_pool_backward<Scalar>(reference, c.window(), y, weft::as_reference<Scalar>(dy), taps.data(),
                              result.dx);
    return result;
}

template <class Scalar>
MaxPool<double, Reference> exact_average_pool(const PoolCase& c, const Tensor<Scalar>& x,
                                              const Tensor<Scalar>& dy) {
    Reference reference;
    MaxPool<double, Reference> result{Tensor<double, Reference>(c.output()),
                                      Tensor<double, Reference>(c.input())};
    average_pool_forward<double>(reference, c.window(), weft::as_reference(x), result.y);
    average_pool_backward<double>(reference, c.window(), weft::as_reference(dy), result.dx);
    return result;
}

}  // namespace

TEST_CASE_TEMPLATE("with its output, the gradient of max pooling passes the relu in front too",
                   Scalar, float, double) {
    for (const PoolCase& c : pool_cases) {
        auto x = weft::random_normal<Scalar>(c.input(), 3);
        for (Scalar& value : x) value = std::max(value, Scalar(0));  // many windows are all 0
        const auto dy = random_integers<Scalar>(c.output(), 4, -9, 9);
        const auto expected = exact_max_pool(c, x, dy, true).dx;
        const std::string where = c.text();
        CAPTURE(where);
        for (const int threads : {1, 2, 7}) {
            CHECK(identical(max_pool(c, x, dy, threads, true).dx, expected));
            CHECK(identical(max_pool<Scalar, std::uint8_t>(c, x, dy, threads, true).dx, expected));
        }
    }
}

TEST_CASE_TEMPLATE("max pooling takes the largest, and its gradient goes to the first of equals",
                   Scalar, float, double) {
    for (const PoolCase& c : pool_cases) {
        const auto x =
            random_integers<Scalar>(c.input(), 1, -9, -2);  // negative: zeros around are not taken
        const auto dy = random_integers<Scalar>(c.output(), 2, -9, -2);
        const auto [y, dx] = exact_max_pool(c, x, dy);
        const std::string where = c.text();
        CAPTURE(where);
        for (const int threads : {1, 2, 7}) {
            CHECK(identical(max_pool(c, x, dy, threads).y, y));
            CHECK(identical(max_pool(c, x, dy, threads).dx, dx));
            CHECK(identical(max_pool<Scalar, std::uint8_t>(c, x, dy, threads).dx, dx));
        }

        Cpu cpu(2);
        Tensor<Scalar> without_taps(c.output());
        max_pool_forward<Scalar, std::int32_t>(cpu, c.window(), x, without_taps, nullptr);
        CHECK(identical(without_taps, y));
    }
}

TEST_CASE_TEMPLATE("average pooling divides by the elements inside the image", Scalar, float,
                   double) {
    for (const PoolCase& c : pool_cases) {
        const auto x = random_integers<Scalar>(c.input(), 3, -9, -2);
        const auto dy = random_integers<Scalar>(c.output(), 4, -9, -2);
        const auto [y, dx] = exact_average_pool(c, x, dy);
        const std::string where = c.text();
        CAPTURE(where);
        const auto result = average_pool(c, x, dy);
        // Up to 30 terms below 10, rounded each time, in float by 6e-8 of the sum.
        constexpr auto eps = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
        CHECK(largest_gap(result.y, y, 10) < 30 * eps);
        CHECK(largest_gap(result.dx, dx, 10) < 30 * eps);
        for (const int threads : {2, 7}) {
            const auto many = average_pool(c, x, dy, threads);
            CHECK(identical(many.y, result.y));
            CHECK(identical(many.dx, result.dx));
        }
    }
}

TEST_CASE_TEMPLATE("an image has the same bits of its pools alone and in a batch", Scalar, float,
                   double) {
    for (const PoolCase& c : pool_cases) {
        const auto x = weft::random_normal<Scalar>(c.input(), 5);
        const auto dy = weft::random_normal<Scalar>(c.output(), 6);
        PoolCase alone = c;
        alone.images = 1;
        const std::string where = c.text();
        CAPTURE(where);
        for (Index n = 0; n < c.images; ++n) {
            const Tensor<Scalar> image(x.slice(n, 1)), gradient(dy.slice(n, 1));
            const auto of_max = max_pool(alone, image, gradient), max = max_pool(c, x, dy);
            CHECK(identical(of_max.y, max.y.slice(n, 1)));
            CHECK(identical(of_max.dx, max.dx.slice(n, 1)));
            const auto of_mean = average_pool(alone, image, gradient);
            const auto mean = average_pool(c, x, dy);
            CHECK(identical(of_mean.y, mean.y.slice(n, 1)));
            CHECK(identical(of_mean.dx, mean.dx.slice(n, 1)));
        }
    }
}

TEST_CASE_TEMPLATE("max pooling keeps NaN and infinities, in their channel alone", Scalar, float,
                   double) {
    constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    constexpr Scalar not_a_number = std::numeric_limits<Scalar>::quiet_NaN();
    const PoolCase c{1, 2, 4, 2, 2, 2, 2, 2, weft::valid};
    // Channel 0 has a NaN in the first window, wherever; channel 1 is -infinity throughout it.
    for (const Index bad : {0, 1, 4, 5}) {
        Tensor<Scalar> x(c.input());
        for (Index i = 0; i < 8; ++i) x[2 * i] = static_cast<Scalar>(i);
        for (const Index pixel : {0, 1, 4, 5}) x[2 * pixel + 1] = -infinity;
        x[2 * bad] = not_a_number;
        const Tensor<Scalar> dy(c.output(), {1, 2, 3, 4});
        const auto result = max_pool(c, x, dy);
        CAPTURE(bad);
        CHECK(std::isnan(result.y[0]));
        CHECK(result.y[1] == -infinity);
        CHECK(result.y[2] == 7);
        CHECK(result.y[3] == 0);
        CHECK(result.dx[2 * bad] == 1);  // the gradient follows the NaN
        CHECK(result.dx[1] == 2);        // the first of equals
        Cpu cpu(1);
        Tensor<Scalar> y(c.output());
        max_pool_forward<Scalar, std::int32_t>(cpu, c.window(), x, y, nullptr);
        CHECK(identical(y, result.y));
    }
}

TEST_CASE_TEMPLATE(
    "max pooling of NaN, infinities, equals and zeros of both signs takes the tap of "
    "the definition",
    Scalar, float, double) {
    const Scalar special[] = {
        weft::not_a_number<Scalar>, -weft::infinity<Scalar>, 3, -Scalar(0), Scalar(0), 3};
    for (const PoolCase& c : pool_cases) {
        auto x = random_integers<Scalar>(c.input(), 8, 0, 23);
        for (Scalar& value : x) value = special[std::min(static_cast<Index>(value), Index{5})];
        const auto dy = random_integers<Scalar>(c.output(), 9, 1, 9);
        const std::string where = c.text();
        CAPTURE(where);
        for (const int threads : {1, 7}) {
            CHECK(identical(max_pool(c, x, dy, threads).dx, exact_max_pool(c, x, dy).dx));
        }
    }
}

TEST_CASE_TEMPLATE(
    "where all of a window at the border is -infinity, the first inside the image "
    "gets the gradient",
    Scalar, float, double) {
    const PoolCase c{1, 3, 4, 2, 3, 3, 3, 3, weft::same};
    Tensor<Scalar> x(c.input());
    std::ranges::fill(x, -std::numeric_limits<Scalar>::infinity());
    const auto dy = random_integers<Scalar>(c.output(), 7, 1, 9);
    CHECK(c.window().columns.before == 1);  // so that it is not the first of the window
    CHECK(identical(max_pool(c, x, dy).dx, exact_max_pool(c, x, dy).dx));
}

TEST_CASE("pooling no images does nothing") {
    const PoolCase c{0, 4, 6, 3, 2, 2, 2, 2, weft::valid};
    const Tensor<float> x(c.input()), dy(c.output());
    CHECK(max_pool(c, x, dy).dx.size() == 0);
    CHECK(average_pool(c, x, dy).dx.size() == 0);
}

TEST_CASE_TEMPLATE("the mean of a large window is within the bound of its roundings", Scalar, float,
                   double) {
    // Squares and stripes; 25 million elements are 100 MB of float.
    std::vector<Shape> images{{1, 31, 33, 1},       {1, 224, 224, 1},   {1, 1, 1'000'000, 1},
                              {1, 1'000'000, 1, 1}, {1, 1000, 1500, 1}, {1, 5000, 5000, 1}};
    if (weft::tests_longest<Scalar>()) images.push_back({1, 10'000, 10'000, 1});
    for (const Shape& shape : images) {
        const Window2D whole{window_axis(shape[1], shape[1], 1, 1, weft::valid),
                             window_axis(shape[2], shape[2], 1, 1, weft::valid), 1};
        for (const bool equal : {true, false}) {
            const weft::LongNumbers<Scalar> numbers(shape, equal);
            Tensor<Scalar> y({1, 1, 1, 1});
            Cpu cpu(1);
            average_pool_forward<Scalar>(cpu, whole, numbers.x, y);
            CAPTURE(shape);
            CAPTURE(equal);
            const Index n = shape.size();
            // The count and the quotient are rounded too.
            CHECK(weft::roundings(y[0], numbers.sum / static_cast<long double>(n)) <=
                  weft::pairwise_roundings(n) + 2);
        }
    }
}

TEST_CASE_TEMPLATE("large windows average each channel, at the image's edge too", Scalar, float,
                   double) {
    // More than 256 taps, in halves of rows and of columns; the outer ones have fewer.
    for (const PoolCase& c : {PoolCase{2, 30, 41, 19, 17, 23, 5, 7, weft::same},
                              PoolCase{3, 2, 700, 3, 2, 600, 1, 50, weft::valid},
                              PoolCase{2, 18, 40, 119, 17, 23, 1, 9, weft::valid}}) {
        const auto x = random_integers<Scalar>(c.input(), 1, -9, 9);
        const auto y = average_pool(c, x, Tensor<Scalar>(c.output())).y;
        // The sums are exact, the quotient is rounded.
        CHECK(largest_gap(y, exact_average_pool(c, x, Tensor<Scalar>(c.output())).y, 1e-30) <
              weft::eps<Scalar>);
        const auto alone = average_pool(
            PoolCase{1, c.rows, c.columns, c.channels, c.window_rows, c.window_columns,
                     c.stride_rows, c.stride_columns, c.padding},
            Tensor<Scalar>(x.slice(1, 1)), Tensor<Scalar>(c.output().sample().batch(1)));
        CHECK(identical(alone.y, y.slice(1, 1)));
        CHECK(identical(average_pool(c, x, Tensor<Scalar>(c.output()), 7).y, y));
    }
}

TEST_CASE_TEMPLATE("a gradient through many windows is within the bound of its roundings", Scalar,
                   float, double) {
    // The element in the middle is in all windows.
    for (const Shape& sides :
         {Shape{3, 3}, Shape{16, 16}, Shape{62, 62}, Shape{1, 2000}, Shape{2000, 1}}) {
        const Index rows = sides[0], columns = sides[1];
        const Index taps = rows * columns;
        const PoolCase c{1, 2 * rows - 1, 2 * columns - 1, 1, rows, columns, 1, 1, weft::valid};
        Tensor<Scalar> x(c.input());
        x(0, rows - 1, columns - 1, 0) = 1;  // the largest of each window
        const double bound = static_cast<double>(taps <= 256 ? taps - 1 : 256 + 2 + taps / 85);
        for (const bool equal : {true, false}) {
            CAPTURE(sides);
            CAPTURE(equal);
            const weft::LongNumbers<Scalar> dy(c.output(), equal);
            const Scalar largest = max_pool(c, x, dy.x).dx(0, rows - 1, columns - 1, 0);
            CHECK(weft::roundings(largest, dy.sum) <= bound);
            const Scalar mean = average_pool(c, x, dy.x).dx(0, rows - 1, columns - 1, 0);
            CHECK(weft::roundings(mean, dy.sum / static_cast<long double>(taps)) <= bound + 1);
        }
    }
}

TEST_CASE_TEMPLATE("gradients of elements that many windows hold are exact, by any threads", Scalar,
                   float, double) {
    // 512 taps: blocks of 8 rows. 300 taps in a row: blocks of 256 columns. Taps apart.
    for (const PoolCase& c : {PoolCase{3, 40, 70, 3, 16, 32, 1, 1, weft::valid},
                              PoolCase{2, 17, 20, 19, 16, 32, 1, 1, weft::same},
                              PoolCase{2, 2, 700, 2, 1, 300, 1, 1, weft::same},
                              PoolCase{2, 700, 2, 1, 512, 1, 1, 1, weft::valid},
                              PoolCase{2, 60, 45, 3, 17, 17, 1, 1, weft::valid, 2, 1}}) {
        const auto x = random_integers<Scalar>(c.input(), 1, -9, 9);
        const auto dy = random_integers<Scalar>(c.output(), 2, -9, 9);
        const auto largest = max_pool(c, x, dy);
        CHECK(identical(largest.dx, exact_max_pool(c, x, dy).dx));
        CHECK(identical(max_pool(c, x, dy, 7).dx, largest.dx));
        const auto mean = average_pool(c, x, dy);
        CHECK(identical(average_pool(c, x, dy, 7).dx, mean.dx));
        // Quotients by 512 are exact. Others are off by one rounding each, and so are additions.
        const bool is_exact = c.padding == weft::valid && c.window().taps() == 512;
        CHECK(largest_gap(mean.dx, exact_average_pool(c, x, dy).dx, 1.0) <
              (is_exact ? 1e-30 : 300 * weft::eps<Scalar>));
    }
}
