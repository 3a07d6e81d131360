#include "weft/kernels/cpu/pooling.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::Padding;
using weft::random_integers;
using weft::Shape;
using weft::Tensor;
using weft::kernels::Window2D;
using weft::kernels::window_axis;

namespace {

/// Windows over images of some size, rows and columns never alike.
struct PoolCase {
    Index images, rows, columns, channels;
    Index window_rows, window_columns, stride_rows, stride_columns;
    Padding padding;

    Window2D window() const {
        return {window_axis(rows, window_rows, stride_rows, 1, padding),
                window_axis(columns, window_columns, stride_columns, 1, padding), channels};
    }
    Shape input() const { return {images, rows, columns, channels}; }
    Shape output() const {
        return {images, window().rows.output, window().columns.output, channels};
    }
    std::string text() const {
        return weft::concat(input(), " by ", window_rows, "x", window_columns, " / ", stride_rows,
                            "x", stride_columns, " ", to_string(padding));
    }
};

const std::vector<PoolCase> pool_cases{
    {2, 4, 6, 3, 2, 2, 2, 2, weft::valid},  // as in the tutorials
    {3, 7, 5, 2, 2, 3, 2, 1, weft::valid},  // overlaps, leftovers
    {3, 7, 5, 2, 3, 2, 2, 3, weft::same},   // zeros around
    {1, 1, 1, 1, 1, 1, 1, 1, weft::valid}, {2, 5, 6, 1, 5, 6, 1, 1, weft::valid},  // one window
    {2, 3, 4, 5, 4, 5, 3, 4, weft::same},   // windows larger than the image
    {5, 6, 3, 9, 1, 2, 3, 1, weft::valid},  // gaps between windows
    {9, 6, 7, 2, 3, 3, 1, 1, weft::same},
};

/// Calls visit(r, c) for the elements inside the image of the window at output (row, column).
template <class Visit>
void visit_window(const PoolCase& c, Index row, Index column, const Visit& visit) {
    const Window2D window = c.window();
    for (Index i = 0; i < c.window_rows; ++i) {
        for (Index j = 0; j < c.window_columns; ++j) {
            const Index r = row * c.stride_rows + i - window.rows.before;
            const Index s = column * c.stride_columns + j - window.columns.before;
            if (r >= 0 && r < c.rows && s >= 0 && s < c.columns) visit(r, s);
        }
    }
}

/// Calls visit(n, row, column, channel) for each output.
template <class Visit>
void visit_outputs(const PoolCase& c, const Visit& visit) {
    const Shape output = c.output();
    for (Index n = 0; n < output[0]; ++n) {
        for (Index row = 0; row < output[1]; ++row) {
            for (Index column = 0; column < output[2]; ++column) {
                for (Index k = 0; k < output[3]; ++k) visit(n, row, column, k);
            }
        }
    }
}

template <class Scalar>
struct MaxPool {
    Tensor<Scalar> y, dx;
};

template <class Scalar>
MaxPool<Scalar> max_pool(const PoolCase& c, const Tensor<Scalar>& x, const Tensor<Scalar>& dy,
                         int threads = 1) {
    Cpu cpu(threads);
    MaxPool<Scalar> result{Tensor<Scalar>(c.output()), Tensor<Scalar>(c.input())};
    std::ranges::fill(result.dx, Scalar(99));  // to be overwritten
    std::vector<std::int32_t> taps(static_cast<std::size_t>(result.y.size()), -7);
    max_pool_forward<Scalar>(cpu, c.window(), x, result.y, taps.data());
    max_pool_backward<Scalar>(cpu, c.window(), {}, dy, taps.data(), result.dx);
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

}  // namespace

TEST_CASE_TEMPLATE("with its output, the gradient of max pooling passes the relu in front too",
                   Scalar, float, double) {
    for (const PoolCase& c : pool_cases) {
        auto x = weft::random_normal<Scalar>(c.input(), 3);
        for (Scalar& value : x) value = std::max(value, Scalar(0));  // many windows are all 0
        const auto dy = weft::random_normal<Scalar>(c.output(), 4);
        Cpu cpu;
        Tensor<Scalar> y(c.output()), dx(c.input());
        std::vector<std::uint8_t> taps(static_cast<std::size_t>(y.size()));
        max_pool_forward<Scalar>(cpu, c.window(), x, y, taps.data());
        max_pool_backward<Scalar>(cpu, c.window(), y, dy, taps.data(), dx);
        auto expected = max_pool(c, x, dy).dx;
        for (Index i = 0; i < x.size(); ++i) expected[i] = x[i] > 0 ? expected[i] : Scalar(0);
        const std::string where = c.text();
        CAPTURE(where);
        CHECK(identical(dx, expected));
    }
}

TEST_CASE_TEMPLATE("max pooling takes the largest, and its gradient goes to the first of equals",
                   Scalar, float, double) {
    for (const PoolCase& c : pool_cases) {
        const auto x =
            random_integers<Scalar>(c.input(), 1, -9, -2);  // negative: zeros around are not taken
        const auto dy = random_integers<Scalar>(c.output(), 2, -9, -2);
        Tensor<Scalar> y(c.output()), dx(c.input());
        visit_outputs(c, [&](Index n, Index row, Index column, Index k) {
            Scalar* largest = nullptr;
            Index best_row = 0, best_column = 0;
            visit_window(c, row, column, [&](Index r, Index s) {
                if (largest == nullptr || x(n, r, s, k) > *largest) {
                    largest = &y(n, row, column, k);
                    *largest = x(n, r, s, k);
                    best_row = r;
                    best_column = s;
                }
            });
            dx(n, best_row, best_column, k) += dy(n, row, column, k);
        });
        const std::string where = c.text();
        CAPTURE(where);
        const auto result = max_pool(c, x, dy);
        CHECK(identical(result.y, y));
        CHECK(identical(result.dx, dx));
        CHECK(identical(max_pool(c, x, dy, 7).dx, dx));

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
        Tensor<double> y(c.output()), dx(c.input());
        visit_outputs(c, [&](Index n, Index row, Index column, Index k) {
            double count = 0;
            visit_window(c, row, column, [&](Index, Index) { ++count; });
            visit_window(c, row, column, [&](Index r, Index s) {
                y(n, row, column, k) += static_cast<double>(x(n, r, s, k)) / count;
                dx(n, r, s, k) += static_cast<double>(dy(n, row, column, k)) / count;
            });
        });
        const std::string where = c.text();
        CAPTURE(where);
        const auto result = average_pool(c, x, dy);
        // Up to 30 terms below 10, rounded each time, in float by 6e-8 of the sum.
        constexpr auto eps = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
        CHECK(largest_gap(result.y, y, 10) < 30 * eps);
        CHECK(largest_gap(result.dx, dx, 10) < 30 * eps);
        const auto many = average_pool(c, x, dy, 7);
        CHECK(identical(many.y, result.y));
        CHECK(identical(many.dx, result.dx));
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
    if (sizeof(Scalar) == 4 && std::getenv("WEFT_LONG_SUMS") != nullptr)
        images.push_back({1, 10'000, 10'000, 1});
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
                              PoolCase{3, 2, 700, 3, 2, 600, 1, 50, weft::valid}}) {
        const auto x = random_integers<Scalar>(c.input(), 1, -9, 9);
        const auto y = average_pool(c, x, Tensor<Scalar>(c.output())).y;
        int wrong = 0;
        Index place = 0;
        visit_outputs(c, [&](Index n, Index row, Index column, Index k) {
            Scalar sum = 0, count = 0;  // exact
            visit_window(c, row, column, [&](Index r, Index s) {
                sum += x[((n * c.rows + r) * c.columns + s) * c.channels + k];
                ++count;
            });
            wrong += y[place++] != sum / count;
        });
        CHECK(wrong == 0);
        const auto alone = average_pool(
            PoolCase{1, c.rows, c.columns, c.channels, c.window_rows, c.window_columns,
                     c.stride_rows, c.stride_columns, c.padding},
            Tensor<Scalar>(x.slice(1, 1)), Tensor<Scalar>(c.output().sample().batch(1)));
        CHECK(identical(alone.y, y.slice(1, 1)));
        CHECK(identical(average_pool(c, x, Tensor<Scalar>(c.output()), 7).y, y));
    }
}
