#include "weft/kernels/cpu/winograd.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/convolution_runs.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/convolution.hpp"
#include "weft/kernels/cpu/winograd_filter_gradient.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace weft;
using namespace weft::convolution_runs;

using kernels::Convolution;
using kernels::for_each_product;
using kernels::detail::forward_patches;
using kernels::detail::pays_to_transform;
using kernels::detail::pays_to_transform_gradient;
using kernels::detail::transposed_patches;
using WinogradCase = ConvolutionCase;

bool transforms_images(const WinogradCase& c) {
    return pays_to_transform(forward_patches(c.convolution(), 0), c.convolution().group_filters());
}

bool transforms_gradients(const WinogradCase& c) {
    return pays_to_transform(transposed_patches(c.convolution(), 0),
                             c.convolution().group_channels());
}

bool transforms_filter_gradients(const WinogradCase& c) {
    return pays_to_transform_gradient(forward_patches(c.convolution(), 0), c.images,
                                      c.convolution().group_filters());
}

/// Rows and columns even and odd, tiles of one block and of several, with a short last one; panels,
/// blocks of channels and of filters that are not full; a depth of more than one chain.
const std::vector<WinogradCase> winograd_cases{
    {3, 6, 8, 48, 3, 3, 64, same},  {9, 8, 10, 64, 3, 3, 48},       {3, 7, 9, 48, 3, 3, 48, same},
    {3, 9, 10, 80, 3, 3, 144},      {11, 9, 7, 64, 3, 3, 64, same}, {3, 6, 8, 528, 3, 3, 48, same},
    {3, 12, 11, 48, 3, 3, 80},      {3, 6, 8, 48, 3, 3, 528, same}, {3, 8, 10, 32, 3, 3, 32, same},
    {2, 2, 40, 48, 3, 3, 48, same},
};

/// Numbers of four rows and columns; those of fewer fill the first.
using Square = std::array<std::array<double, 4>, 4>;

/// m x m^T with the absolute values of m (Rows, Columns).
template <std::size_t Rows, std::size_t Columns>
Square absolute_transform(const double (&m)[Rows][Columns], const Square& x) {
    Square half{}, result{};
    for (std::size_t i = 0; i < Rows; ++i) {
        for (std::size_t j = 0; j < Columns; ++j) {
            for (std::size_t k = 0; k < Columns; ++k) half[i][j] += std::abs(m[i][k]) * x[k][j];
        }
    }
    for (std::size_t i = 0; i < Rows; ++i) {
        for (std::size_t j = 0; j < Rows; ++j) {
            for (std::size_t k = 0; k < Columns; ++k)
                result[i][j] += half[i][k] * std::abs(m[j][k]);
        }
    }
    return result;
}

// Lavin and Gray 2016, section 4.1.
const double image_transform[4][4]{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
const double filter_transform[4][3]{{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}};
const double sum_transform[2][4]{{1, 1, 1, 0}, {0, 1, -1, -1}};

/// The magnitude in the bound of convolve_tiles for output (o, p) and filter f of an image: w at
/// (i, j, channel, f).
template <class X, class W>
double magnitude(const kernels::Window2D& window, Index o, Index p, const X& x, const W& w) {
    Square sums{};
    for (Index channel = 0; channel < window.channels; ++channel) {
        Square d{}, g{};
        for (Index i = 0; i < 4; ++i) {
            for (Index j = 0; j < 4; ++j) {
                const Index row = o / 2 * 2 + i - window.rows.before;
                const Index column = p / 2 * 2 + j - window.columns.before;
                const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
                if (row >= 0 && row < window.rows.input && column >= 0 &&
                    column < window.columns.input) {
                    d[a][b] = std::abs(x(row, column, channel));
                }
                if (i < 3 && j < 3) g[a][b] = std::abs(w(i, j, channel));
            }
        }
        const Square of_d = absolute_transform(image_transform, d);
        const Square of_g = absolute_transform(filter_transform, g);
        for (std::size_t a = 0; a < 4; ++a) {
            for (std::size_t b = 0; b < 4; ++b) sums[a][b] += of_d[a][b] * of_g[a][b];
        }
    }
    return absolute_transform(
        sum_transform, sums)[static_cast<std::size_t>(o % 2)][static_cast<std::size_t>(p % 2)];
}

}  // namespace

TEST_CASE("Winograd's algorithm is chosen by the convolution alone") {
    for (const WinogradCase& c : winograd_cases) {
        const std::string where = c.text();
        CAPTURE(where);
        CHECK(transforms_images(c));
        CHECK(transforms_gradients(c));
        CHECK(transforms_filter_gradients(c));
    }
    // 4 x 4 images are too few tiles, alone and in a batch; filter gradients need some at once.
    CHECK_FALSE(transforms_images({32, 4, 4, 64, 3, 3, 64, same}));
    CHECK_FALSE(transforms_filter_gradients({2, 7, 7, 64, 3, 3, 64, same}));
    CHECK(transforms_filter_gradients({3, 7, 7, 64, 3, 3, 64, same}));
    // 7 x 7 images have 19 x 19 products and 4 x 4 tiles, of 8 x 8 there are 22 x 22.
    CHECK(transforms_images({1, 7, 7, 64, 3, 3, 64, same}));
    CHECK(transforms_images({1, 8, 8, 32, 3, 3, 64, same}));
    CHECK(transforms_images({1, 8, 8, 64, 3, 3, 32, same}));
    for (const WinogradCase& c :
         {WinogradCase{1, 5, 5, 64, 3, 3, 64, same}, WinogradCase{1, 3, 3, 64, 3, 3, 64, same},
          WinogradCase{1, 7, 7, 32, 3, 3, 64, same}, WinogradCase{1, 7, 7, 64, 3, 3, 32, same},
          WinogradCase{1, 8, 8, 16, 3, 3, 64, same}, WinogradCase{1, 8, 8, 64, 3, 3, 16, same},
          WinogradCase{1, 8, 8, 50, 3, 3, 64, same}, WinogradCase{1, 8, 8, 64, 3, 3, 50, same},
          WinogradCase{1, 8, 8, 64, 3, 2, 64, same}, WinogradCase{1, 8, 8, 64, 5, 3, 64, same},
          WinogradCase{1, 8, 8, 64, 3, 3, 64, same, 1, 2},
          WinogradCase{1, 8, 8, 64, 3, 3, 64, same, 2, 1},
          WinogradCase{1, 8, 8, 64, 3, 3, 64, same, 1, 1, 2, 1},
          WinogradCase{1, 8, 8, 128, 3, 3, 128, same, 1, 1, 1, 1, 2}}) {
        const std::string where = c.text();
        CAPTURE(where);
        CHECK_FALSE(transforms_images(c));
        CHECK_FALSE(transforms_gradients(c));
    }
}

TEST_CASE_TEMPLATE(
    "Winograd's convolutions of whole numbers are the sums of their products, exactly", Scalar,
    float, double) {
    // Transformed filters are quarters; all sums of them here are below 2^22.
    for (const WinogradCase& c : winograd_cases) {
        const auto x = random_integers<Scalar>(c.input(), 1, -4, 4),
                   w = random_integers<Scalar>(c.kernel(), 2, -4, 4);
        const auto g = random_integers<Scalar>(c.output(), 3, -4, 4);
        const auto exact_x = as_reference<Scalar>(x), exact_w = as_reference<Scalar>(w);
        const auto exact_g = as_reference<Scalar>(g);
        Tensor<Scalar, Reference> y(c.output()), dx(c.input()), dw(c.kernel()), db({c.filters});
        Reference reference;
        convolution_forward<Scalar>(reference, c.convolution(), exact_x, exact_w, {}, linear, y);
        convolution_input_gradient<Scalar>(reference, c.convolution(), exact_g, exact_w, dx);
        convolution_filter_gradient<Scalar>(reference, c.convolution(), exact_x, exact_g, dw, db);
        const std::string where = c.text();
        CAPTURE(where);
        for (const int threads : {1, 7}) {
            CHECK(identical(forward<Scalar>(c, x, w, {}, linear, threads), y));
            CHECK(identical(input_gradient<Scalar>(c, g, w, threads), dx));
            Tensor<Scalar> sums({c.filters});
            CHECK(identical(filter_gradient(c, x, g, threads, sums.view()), dw));
            CHECK(identical(sums, db));
        }
    }
}

TEST_CASE_TEMPLATE("Winograd's convolutions have the same bits for 1, 2 and 7 threads, and alone",
                   Scalar, float, double) {
    for (const WinogradCase& c : winograd_cases) {
        const auto x = random_normal<Scalar>(c.input(), 7),
                   w = random_normal<Scalar>(c.kernel(), 8);
        const auto g = random_normal<Scalar>(c.output(), 9);
        const auto y = forward<Scalar>(c, x, w), dx = input_gradient<Scalar>(c, g, w);
        const auto dw = filter_gradient(c, x, g);
        const std::string where = c.text();
        CAPTURE(where);
        for (const int threads : {2, 7}) {
            CHECK(identical(forward<Scalar>(c, x, w, {}, linear, threads), y));
            CHECK(identical(input_gradient<Scalar>(c, g, w, threads), dx));
            CHECK(identical(filter_gradient(c, x, g, threads), dw));
        }
        for (const Index image : {Index{0}, c.images / 2, c.images - 1}) {
            CHECK(identical(forward<Scalar>(c, x.slice(image, 1), w), y.slice(image, 1)));
            CHECK(identical(input_gradient<Scalar>(c, g.slice(image, 1), w), dx.slice(image, 1)));
        }
    }
}

TEST_CASE_TEMPLATE("a bias is added to Winograd's sums, then the activation applied", Scalar, float,
                   double) {
    for (const WinogradCase& c : winograd_cases) {
        const auto x = random_normal<Scalar>(c.input(), 4, 0.3);
        const auto w = random_normal<Scalar>(c.kernel(), 5, 0.3);
        const auto b = random_normal<Scalar>({c.filters}, 6);
        auto sums = forward<Scalar>(c, x, w);
        for (const bool is_biased : {false, true}) {
            if (is_biased) {
                for (Index i = 0; i < sums.size(); ++i) sums[i] += b[i % c.filters];
            }
            for (const Activation activation : {linear, relu, weft::tanh}) {
                const std::string where = concat(c.text(), " ", to_string(activation));
                CAPTURE(where);
                Cpu cpu(1);
                Tensor<Scalar> y(c.output());
                activation_forward<Scalar>(cpu, activation, sums, y);
                const auto bias = is_biased ? b.view() : TensorView<const Scalar>{};
                CHECK(identical(forward<Scalar>(c, x, w, bias, activation), y));
            }
        }
    }
}

TEST_CASE_TEMPLATE("Winograd's outputs and input gradients are within the bound of their roundings",
                   Scalar, float, double) {
    const WinogradCase c{1, 6, 8, 48, 3, 3, 64, same};
    REQUIRE(transforms_images(c));
    REQUIRE(transforms_gradients(c));
    const auto x = random_normal<Scalar>(c.input(), 1), w = random_normal<Scalar>(c.kernel(), 2),
               g = random_normal<Scalar>(c.output(), 3), b = random_normal<Scalar>({c.filters}, 4);
    const auto y = forward<Scalar>(c, x, w, b), dx = input_gradient<Scalar>(c, g, w);
    std::vector<long double> exact_y(static_cast<std::size_t>(y.size())),
        exact_dx(static_cast<std::size_t>(dx.size()));
    for (Index i = 0; i < y.size(); ++i) {
        exact_y[static_cast<std::size_t>(i)] = static_cast<long double>(b[i % c.filters]);
    }
    // Running sums as a plain loop would have them.
    Tensor<Scalar> plain(c.output());
    for (Index i = 0; i < y.size(); ++i) plain[i] = b[i % c.filters];
    for_each_product(c.convolution(), c.images, [&](Index i, Index j, Index k) {
        const auto value = static_cast<long double>(w.data()[k]);
        exact_y[static_cast<std::size_t>(i)] += static_cast<long double>(x.data()[j]) * value;
        exact_dx[static_cast<std::size_t>(j)] += static_cast<long double>(g.data()[i]) * value;
        plain[i] += x.data()[j] * w.data()[k];
    });

    const auto as_double = [](Scalar value) { return static_cast<double>(value); };
    double worst_y = 0, worst_dx = 0;
    long double squares = 0, plain_squares = 0;
    const kernels::Window2D window = c.convolution().window;
    const auto source = transposed_patches(c.convolution(), 0);
    const kernels::Window2D transposed{source.rows, source.columns, c.filters};
    for (Index o = 0; o < window.rows.output; ++o) {
        for (Index p = 0; p < window.columns.output; ++p) {
            for (Index f = 0; f < c.filters; ++f) {
                const Index i = (o * window.columns.output + p) * c.filters + f;
                const auto exact = exact_y[static_cast<std::size_t>(i)];
                const double size = magnitude(
                    window, o, p,
                    [&](Index row, Index column, Index k) {
                        return as_double(x(0, row, column, k));
                    },
                    [&](Index row, Index column, Index k) {
                        return as_double(w(row, column, k, f));
                    });
                const double with_bias = size + std::abs(as_double(b[f]));
                worst_y =
                    std::max(worst_y, roundings(y[i], exact, static_cast<long double>(with_bias)));
                squares += std::pow(static_cast<long double>(y[i]) - exact, 2);
                plain_squares += std::pow(static_cast<long double>(plain[i]) - exact, 2);
            }
        }
    }
    for (Index o = 0; o < c.rows; ++o) {
        for (Index p = 0; p < c.columns; ++p) {
            for (Index k = 0; k < c.channels; ++k) {
                const Index i = (o * c.columns + p) * c.channels + k;
                const double size = magnitude(
                    transposed, o, p,
                    [&](Index row, Index column, Index f) {
                        return as_double(g(0, row, column, f));
                    },
                    [&](Index row, Index column, Index f) {
                        return as_double(w(2 - row, 2 - column, k, f));
                    });
                worst_dx =
                    std::max(worst_dx, roundings(dx[i], exact_dx[static_cast<std::size_t>(i)],
                                                 static_cast<long double>(size)));
            }
        }
    }
    CHECK(worst_y <= 48 + 11);
    CHECK(worst_dx <= 64 + 10);
    CHECK(squares < plain_squares);
}

TEST_CASE_TEMPLATE(
    "Winograd's filter gradient over many tiles is within the bound of its roundings", Scalar,
    float, double) {
    // 10^8 positions of so many channels would take 38 GB.
    for (const WinogradCase& c :
         {WinogradCase{1, 4, 20'002, 48, 3, 3, 48}, WinogradCase{200, 10, 12, 48, 3, 3, 48}}) {
        Tensor<Scalar> x(c.input()), g(c.output());
        std::ranges::fill(x, Scalar(0.1));
        std::ranges::fill(g, Scalar(0.3));
        const auto dw = filter_gradient(c, x, g);
        const Index positions = c.output().size() / c.filters;
        const auto product =
            static_cast<long double>(Scalar(0.1)) * static_cast<long double>(Scalar(0.3));
        const double tiles = static_cast<double>(positions) / 4;
        const std::string where = c.text();
        CAPTURE(where);
        double worst = 0;
        for (Index i = 0; i < dw.size(); ++i) {
            // Along an axis |G|^T ((|B|^T |d|) (|A| |g|)) is 6, 4, 6 for ones; the sums are 2.
            const Index tap = i / (c.channels * c.filters);
            const double size = (tap / 3 == 1 ? 4 : 6) * (tap % 3 == 1 ? 4 : 6) * tiles *
                                static_cast<double>(product);
            worst = std::max(worst, roundings(dw[i], static_cast<long double>(positions) * product,
                                              static_cast<long double>(size)));
        }
        CHECK(worst <= 96 + 256 + tiles / (96 * 256) + 16 + 8);
        CHECK(worst * eps<float> / 2 < 2e-6);
    }
}

TEST_CASE("Winograd's filter gradient loses no small number behind a large one") {
    // The large number is in the tile that is summed first, the ones in all other images.
    const WinogradCase c{400, 10, 12, 48, 3, 3, 48};
    Tensor<float> x(c.input()), g(c.output());
    std::ranges::fill(x, 1.f);
    std::ranges::fill(g, 1.f);
    std::fill_n(x.data(), x.size() / c.images, 0.f);
    std::fill_n(x.data() + (2 * 12 + 2) * 48, 48, 0x1p24f);
    const auto dw = filter_gradient(c, x, g);
    for (const float value : dw) {
        CHECK(std::abs(static_cast<double>(value) - (0x1p24 + 399 * 80)) <= 300);
    }
}

TEST_CASE("Winograd's gradients agree with central differences") {
    // L = sum g y is linear in each number, so a difference is its derivative whatever the step.
    const WinogradCase c{3, 6, 8, 32, 3, 3, 48, same};
    REQUIRE(transforms_filter_gradients(c));
    const Convolution convolution = c.convolution();
    auto x = random_normal<double>(c.input(), 1), w = random_normal<double>(c.kernel(), 2);
    const auto g = random_normal<double>(c.output(), 3);
    const auto dx = input_gradient<double>(c, g, w), dw = filter_gradient(c, x, g);
    Tensor<double> y(c.output());
    Cpu cpu(1);
    const auto loss = [&] {
        convolution_forward<double>(cpu, convolution, x, w, {}, linear, y);
        double sum = 0;
        for (Index i = 0; i < y.size(); ++i) sum += g[i] * y[i];
        return sum;
    };
    const auto largest = [&](Tensor<double>& numbers, const Tensor<double>& gradient) {
        double gap = 0;
        for (Index i = 0; i < numbers.size(); i += 7) {
            const double middle = numbers[i];
            numbers[i] = middle + 0.5;
            const double above = loss();
            numbers[i] = middle - 0.5;
            const double below = loss();
            numbers[i] = middle;
            const double size = std::max(1e-3, std::abs(gradient[i]));
            gap = std::max(gap, std::abs(above - below - gradient[i]) / size);
            REQUIRE(std::isfinite(gap));
        }
        return gap;
    };
    CHECK(largest(x, dx) < 1e-6);
    CHECK(largest(w, dw) < 1e-6);
}

TEST_CASE_TEMPLATE("a NaN is in the outputs that see it, and in no others of its tile", Scalar,
                   float, double) {
    const WinogradCase c{2, 6, 8, 48, 3, 3, 48, same};
    const auto clean = random_normal<Scalar>(c.input(), 10),
               w = random_normal<Scalar>(c.kernel(), 11);
    for (Index row = 0; row < c.rows; ++row) {
        for (Index column = 0; column < c.columns; ++column) {
            Tensor<Scalar> x = clean;
            x(1, row, column, 5) = std::numeric_limits<Scalar>::quiet_NaN();
            const auto y = forward<Scalar>(c, x, w, {}, relu);
            const auto dx = input_gradient<Scalar>(c, x, w);
            const std::string where = concat(row, ", ", column);
            CAPTURE(where);
            bool are_right = true;
            for (Index n = 0; n < 2; ++n) {
                for (Index i = 0; i < c.rows; ++i) {
                    for (Index j = 0; j < c.columns; ++j) {
                        const bool sees =
                            n == 1 && std::abs(i - row) <= 1 && std::abs(j - column) <= 1;
                        are_right = are_right && std::isnan(y(n, i, j, 3)) == sees &&
                                    std::isnan(dx(n, i, j, 40)) == sees;
                    }
                }
            }
            CHECK(are_right);
        }
    }
}

TEST_CASE("the filter gradient by Winograd's algorithm is split by its sizes alone") {
    const auto parts = [](const WinogradCase& c, Index images) {
        const auto convolution = c.convolution();
        return kernels::detail::WinogradFilterGradient<float>(forward_patches(convolution, 0),
                                                              images, nullptr, nullptr, c.filters)
            .parts();
    };
    CHECK(parts({1, 8, 8, 48, 3, 3, 48}, 1) == 1);
    CHECK(parts({1, 8, 8, 48, 3, 3, 48}, 5) == 5);
    CHECK(parts({1, 8, 8, 48, 3, 3, 48}, 1000) == 7);
    CHECK(parts({1, 8, 8, 64, 3, 3, 64}, 1000) == 4);
    CHECK(parts({1, 8, 8, 256, 3, 3, 256}, 1000) == 1);
}

TEST_CASE("Winograd's convolution of no images has no outputs, and a filter gradient of 0") {
    const WinogradCase c{0, 8, 8, 48, 3, 3, 48};
    const Tensor<float> x(c.input()), g(c.output()), w(c.kernel());
    CHECK(forward<float>(c, x, w).size() == 0);
    CHECK(input_gradient<float>(c, g, w).size() == 0);
    CHECK(identical(filter_gradient(c, x, g), Tensor<float>(c.kernel())));
}

TEST_CASE_TEMPLATE("an infinity leaves no output that sees it finite, and no other changed", Scalar,
                   float, double) {
    const WinogradCase c{1, 6, 8, 48, 3, 3, 48, same};
    const auto clean = random_normal<Scalar>(c.input(), 10),
               w = random_normal<Scalar>(c.kernel(), 11);
    const auto y = forward<Scalar>(c, clean, w), dx = input_gradient<Scalar>(c, clean, w);
    for (Index row = 0; row < c.rows; ++row) {
        for (Index column = 0; column < c.columns; ++column) {
            Tensor<Scalar> x = clean;
            x(0, row, column, 5) = std::numeric_limits<Scalar>::infinity();
            const auto of_x = forward<Scalar>(c, x, w), of_g = input_gradient<Scalar>(c, x, w);
            bool are_right = true;
            for (Index i = 0; i < c.rows; ++i) {
                for (Index j = 0; j < c.columns; ++j) {
                    const bool sees = std::abs(i - row) <= 1 && std::abs(j - column) <= 1;
                    const auto is_right = [&](Scalar now, Scalar before) {
                        return sees ? !std::isfinite(now) : now == before;
                    };
                    are_right = are_right && is_right(of_x(0, i, j, 3), y(0, i, j, 3)) &&
                                is_right(of_g(0, i, j, 40), dx(0, i, j, 40));
                }
            }
            CHECK(are_right);
        }
    }
}
