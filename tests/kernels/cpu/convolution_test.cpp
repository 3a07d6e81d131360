#include "weft/kernels/cpu/convolution.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/convolution_runs.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/convolution.hpp"
#include "tests/support/window_cases.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using weft::Activation;
using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::Padding;
using weft::random_integers;
using weft::Reference;
using weft::Shape;
using weft::Tensor;
using weft::TensorView;
using weft::kernels::Convolution;
using weft::kernels::for_each_product;

namespace {

using Case = weft::ConvolutionCase;
using namespace weft::convolution_runs;

const std::vector<Case> cases{
    {2, 6, 5, 3, 3, 2, 4},
    {2, 6, 5, 3, 3, 2, 4, weft::same},
    {3, 11, 9, 1, 3, 3, 32},                          // several tiles an image, the last one short
    {20, 9, 10, 2, 3, 3, 5, weft::same},              // more tiles than parts of the gradient
    {2, 7, 8, 3, 3, 2, 17, weft::valid, 2, 3},        // strides that leave elements over
    {2, 7, 8, 3, 3, 4, 5, weft::same, 2, 3},          //
    {2, 5, 4, 2, 1, 1, 6, weft::valid, 3, 2},         // gaps between windows
    {3, 9, 10, 33, 1, 1, 7},                          // pointwise: the image is the patch matrix
    {2, 9, 10, 2, 3, 2, 5, weft::valid, 1, 1, 2, 3},  // dilation
    {2, 9, 10, 2, 3, 2, 5, weft::same, 1, 1, 3, 2},   //
    {2, 6, 7, 4, 2, 3, 6, weft::same, 1, 1, 1, 1, 2},
    {2, 6, 7, 6, 2, 3, 6, weft::valid, 2, 1, 1, 1, 6},  // depthwise
    {2, 6, 7, 4, 1, 1, 6, weft::valid, 1, 1, 1, 1, 2},  // pointwise in groups
    {1, 3, 4, 2, 3, 4, 3},                              // one position
    {2, 2, 3, 2, 4, 5, 3, weft::same},                  // windows larger than the image
    {1, 1, 1, 1, 1, 1, 1},
    {2, 7, 6, 30, 3, 3, 5, weft::same},  // deep patches
    // Blocks of images and some over; filters in whole packets, so gradients read G where it lies.
    {19, 6, 7, 9, 3, 2, 32, weft::same},
    {9, 9, 10, 16, 3, 3, 32, weft::same, 2, 2},
    {9, 8, 9, 10, 3, 3, 16, weft::same, 1, 1, 2, 3},
    {17, 6, 7, 16, 2, 3, 64, weft::valid, 1, 1, 1, 1, 2},
    {16, 5, 6, 12, 1, 1, 16, weft::valid, 2, 1},
    {9, 2, 3, 8, 4, 5, 16, weft::same},
    {5, 3, 4, 130, 1, 2, 16},  // several blocks of channels
    // The same with few channels.
    {9, 9, 10, 2, 3, 2, 16, weft::same, 2, 1, 2, 1},
    {8, 7, 8, 3, 4, 4, 48, weft::same, 3, 2},
    {18, 8, 9, 1, 7, 7, 16},
    {19, 7, 6, 1, 3, 3, 32, weft::same},
    {3, 6, 23, 1, 2, 2, 80, weft::same},
    {2, 9, 5, 3, 3, 3, 32, weft::valid, 2, 1},
    {9, 6, 7, 4, 3, 2, 32, weft::same, 1, 1, 1, 1, 2},
    {9, 6, 7, 3, 2, 3, 16, weft::same, 1, 1, 1, 2},
    // One pixel, whose gradient is spread by strides: no matrix of pixels.
    {9, 1, 1, 5, 1, 1, 16, weft::valid, 2, 1},
    {9, 1, 1, 16, 1, 1, 5, weft::valid, 1, 3},
};

/// One of each way to sum the gradient of the filters, with images so large, and so many, that each
/// part of the sum is cut into chunks.
const std::vector<Case> large_cases{
    {33, 60, 61, 16, 1, 1, 16},  // read where they lie
    {33, 60, 61, 2, 1, 1, 16},   // images of few channels
    {33, 60, 61, 16, 1, 1, 5},   // gathered
};

}  // namespace

TEST_CASE("convolution_forward on numbers worked by hand: a cross-correlation, not turned round") {
    const Case c{1, 2, 3, 1, 2, 2, 1};
    const Tensor<float> x(c.input(), {1, 2, 3, 4, 5, 6}), w(c.kernel(), {1, 10, 100, 1000});
    CHECK(identical(forward<float>(c, x, w), Tensor<float>(c.output(), {5421, 6532})));
    const Tensor<float> g(c.output(), {1, 2});
    CHECK(identical(input_gradient<float>(c, g, w),
                    Tensor<float>(c.input(), {1, 12, 20, 100, 1200, 2000})));
    CHECK(identical(filter_gradient(c, x, g), Tensor<float>(c.kernel(), {5, 8, 14, 17})));
}

TEST_CASE_TEMPLATE("convolution and its gradients are the sums of their products", Scalar, float,
                   double) {
    for (const Case& c : cases) {
        const auto x = random_integers<Scalar>(c.input(), 1, -4, 4),
                   w = random_integers<Scalar>(c.kernel(), 2, -4, 4);
        const auto g = random_integers<Scalar>(c.output(), 3, -4, 4);
        const auto exact_x = weft::as_reference<Scalar>(x), exact_w = weft::as_reference<Scalar>(w);
        const auto exact_g = weft::as_reference<Scalar>(g);
        Tensor<Scalar, Reference> y(c.output()), dx(c.input()), dw(c.kernel()), db({c.filters});
        Reference reference;
        convolution_forward<Scalar>(reference, c.convolution(), exact_x, exact_w, {}, weft::linear,
                                    y);
        convolution_input_gradient<Scalar>(reference, c.convolution(), exact_g, exact_w, dx);
        convolution_filter_gradient<Scalar>(reference, c.convolution(), exact_x, exact_g, dw, db);
        const std::string where = c.text();
        CAPTURE(where);
        for (const int threads : {1, 7}) {
            CHECK(identical(forward<Scalar>(c, x, w, {}, weft::linear, threads), y));
            CHECK(identical(input_gradient<Scalar>(c, g, w, threads), dx));
            Tensor<Scalar> sums({c.filters});
            CHECK(identical(filter_gradient(c, x, g, threads, sums.view()), dw));
            CHECK(identical(sums, db));
        }
    }
}

TEST_CASE_TEMPLATE("bias is added to each position, then the activation applied", Scalar, float,
                   double) {
    for (const Case& c : cases) {
        const auto x = weft::random_normal<Scalar>(c.input(), 4, 0.3);
        const auto w = weft::random_normal<Scalar>(c.kernel(), 5, 0.3);
        const auto b = weft::random_normal<Scalar>({c.filters}, 6);
        auto biased = forward<Scalar>(c, x, w);
        auto plain = biased;
        for (Index i = 0; i < biased.size(); ++i) biased[i] += b[i % c.filters];
        const std::string where = c.text();
        CAPTURE(where);
        for (const Activation activation :
             {weft::linear, weft::relu, weft::tanh, weft::softmax, weft::elu}) {
            const std::string which(to_string(activation));
            CAPTURE(which);
            Cpu cpu(1);
            Tensor<Scalar> y(c.output());
            activation_forward<Scalar>(cpu, activation, biased, y);
            CHECK(identical(forward<Scalar>(c, x, w, b, activation), y));
            activation_forward<Scalar>(cpu, activation, plain, y);
            CHECK(identical(forward<Scalar>(c, x, w, {}, activation), y));
        }
    }
}

TEST_CASE_TEMPLATE("convolution has the same bits for 1, 2 and 7 threads, and an image alone",
                   Scalar, float, double) {
    for (const Case& c : cases) {
        const auto x = weft::random_normal<Scalar>(c.input(), 7);
        const auto w = weft::random_normal<Scalar>(c.kernel(), 8);
        const auto g = weft::random_normal<Scalar>(c.output(), 9);
        const auto y = forward<Scalar>(c, x, w), dx = input_gradient<Scalar>(c, g, w);
        const auto dw = filter_gradient(c, x, g);
        const std::string where = c.text();
        CAPTURE(where);
        for (const int threads : {2, 7}) {
            CHECK(identical(forward<Scalar>(c, x, w, {}, weft::linear, threads), y));
            CHECK(identical(input_gradient<Scalar>(c, g, w, threads), dx));
            CHECK(identical(filter_gradient(c, x, g, threads), dw));
        }
        // Of the images of a block, and of those that fill none.
        for (const Index image : {Index{0}, c.images / 2, c.images - 1}) {
            CHECK(identical(forward<Scalar>(c, x.slice(image, 1), w), y.slice(image, 1)));
            CHECK(identical(input_gradient<Scalar>(c, g.slice(image, 1), w), dx.slice(image, 1)));
        }
    }
}

TEST_CASE("the filter gradient of many large images loses no small number behind a large one") {
    for (const Case& c : large_cases) {
        // Each entry of the gradient is 2^24 and then 32 times 3660. In a running sum of float
        // nothing could be added to 2^24 that is below 2.
        Tensor<float> x(c.input()), g(c.output()), expected(c.kernel());
        std::ranges::fill(x, 1.f);
        std::ranges::fill(g, 1.f);
        std::fill_n(x.data(), x.size() / c.images, 0.f);
        std::fill_n(x.data(), c.channels, 0x1p24f);
        std::ranges::fill(expected, 0x1p24f + 32 * 60 * 61);
        const std::string where = c.text();
        CAPTURE(where);
        for (const int threads : {1, 2, 7}) {
            CHECK(identical(filter_gradient(c, x, g, threads), expected));
        }
    }
}

TEST_CASE_TEMPLATE(
    "the filter gradient is split by its sizes alone, into work for many threads and "
    "memory that the batch does not grow",
    Scalar, float, double) {
    for (const Case& c : large_cases) {
        const auto convolution = c.convolution();
        const auto gradient = [&](Index images) {
            return weft::kernels::detail::FilterGradient<Scalar>(convolution, images, nullptr,
                                                                 nullptr);
        };
        const std::string where = c.text();
        CAPTURE(where);
        CHECK(gradient(3).parts() >= 3);
        CHECK(gradient(1000).parts() == 16);
        CHECK(gradient(100'000).parts() == 16);
        CHECK(gradient(100'000).scratch_size() == gradient(1000).scratch_size());
        CHECK(gradient(1000).scratch_size() * static_cast<Index>(sizeof(Scalar)) < 1'000'000);
    }
    // So large a gradient is not added up from parts, and has tasks enough without.
    const Convolution large{{{9, 3, 1, 1, 0, 7}, {9, 3, 1, 1, 0, 7}, 256}, 256, 1};
    const weft::kernels::detail::FilterGradient<Scalar> gradient(large, 1000, nullptr, nullptr);
    CHECK(gradient.parts() == 1);
    CHECK(gradient.tasks() == 36);
}

TEST_CASE_TEMPLATE("NaN in an image stays in that image", Scalar, float, double) {
    const Case c{3, 6, 5, 3, 3, 2, 4, weft::same};
    auto x = weft::random_normal<Scalar>(c.input(), 10);
    const auto w = weft::random_normal<Scalar>(c.kernel(), 11);
    const auto clean = forward<Scalar>(c, x, w);
    x(1, 3, 2, 1) = std::numeric_limits<Scalar>::quiet_NaN();
    const auto y = forward<Scalar>(c, x, w, {}, weft::relu);
    for (Index f = 0; f < 4; ++f) CHECK(std::isnan(y(1, 3, 2, f)));
    Tensor<Scalar> rectified(c.output());
    Cpu cpu(1);
    activation_forward<Scalar>(cpu, weft::relu, clean, rectified);
    for (const Index n : {0, 2}) CHECK(identical(y.sample(n), rectified.sample(n)));
}

TEST_CASE("a convolution of no images has no outputs, and a filter gradient of 0") {
    const Case c{0, 6, 5, 3, 3, 2, 4};
    const Tensor<float> x(c.input()), g(c.output()), w(c.kernel());
    CHECK(forward<float>(c, x, w).size() == 0);
    CHECK(input_gradient<float>(c, g, w).size() == 0);
    CHECK(identical(filter_gradient(c, x, g), Tensor<float>(c.kernel())));
}

TEST_CASE_TEMPLATE(
    "large windows are within the bound of their roundings, with the same bits alone", Scalar,
    float, double) {
    // Depths of 961 to 360,000, with padding and without, in blocks of 8 images and tiles of one.
    for (const Case& c : {Case{9, 20, 20, 1, 31, 31, 1, weft::same},
                          Case{9, 4, 5, 128, 3, 3, 20, weft::same}, Case{1, 62, 62, 1, 62, 62, 1},
                          Case{9, 62, 63, 1, 62, 62, 2}, Case{1, 600, 600, 1, 600, 600, 1}}) {
        Tensor<Scalar> x(c.input()), w(c.kernel());
        std::ranges::fill(x, Scalar(0.1));
        std::ranges::fill(w, Scalar(0.3));
        const std::string where = c.text();
        CAPTURE(where);
        const auto y = forward<Scalar>(c, x, w);
        std::vector<long double> products(static_cast<std::size_t>(y.size()));
        for_each_product(c.convolution(), c.images,
                         [&](Index i, Index, Index) { ++products[static_cast<std::size_t>(i)]; });
        // Chains of up to 512 products, or 1024 of a depth above 2^18, and one addition of each.
        const auto depth = static_cast<double>(c.convolution().depth());
        const double chain = depth > 512 * 512 ? 1024 : 512;
        const double bound = chain + depth / chain + 2;
        double worst = 0;
        for (Index i = 0; i < y.size(); ++i) {
            const auto exact = products[static_cast<std::size_t>(i)] *
                               static_cast<long double>(Scalar(0.1)) *
                               static_cast<long double>(Scalar(0.3));
            worst = std::max(worst, weft::roundings(y[i], exact));
        }
        CHECK(worst <= bound);
        // In one chain it was 2.7e-5 of windows of 62 x 62 in float.
        if (depth < 20'000) CHECK(worst * weft::eps<float> / 2 < 5e-6);

        const auto noise = weft::random_normal<Scalar>(c.input(), 21);
        const auto kernel = weft::random_normal<Scalar>(c.kernel(), 22);
        const auto all = forward<Scalar>(c, noise, kernel);
        for (Index n = 0; n < c.images; n += 4) {
            CHECK(identical(forward<Scalar>(c, noise.slice(n, 1), kernel), all.slice(n, 1)));
        }
    }
}

TEST_CASE_TEMPLATE("gradients of large windows are within the bound, with the same bits alone",
                   Scalar, float, double) {
    for (const Case& c : {Case{9, 6, 5, 1, 3, 3, 600, weft::same}, Case{9, 40, 41, 1, 40, 39, 2}}) {
        Tensor<Scalar> g(c.output()), w(c.kernel());
        std::ranges::fill(g, Scalar(0.1));
        std::ranges::fill(w, Scalar(0.3));
        const auto dx = input_gradient<Scalar>(c, g, w);
        std::vector<long double> products(static_cast<std::size_t>(dx.size()));
        for_each_product(c.convolution(), c.images,
                         [&](Index, Index i, Index) { ++products[static_cast<std::size_t>(i)]; });
        double worst = 0;
        for (Index i = 0; i < dx.size(); ++i) {
            const auto exact = products[static_cast<std::size_t>(i)] *
                               static_cast<long double>(Scalar(0.1)) *
                               static_cast<long double>(Scalar(0.3));
            worst = std::max(worst, weft::roundings(dx[i], exact));
        }
        const std::string where = c.text();
        CAPTURE(where);
        CHECK(worst <= 512 + 5400.0 / 512 + 2);
        const auto noise = weft::random_normal<Scalar>(c.output(), 23);
        const auto kernel = weft::random_normal<Scalar>(c.kernel(), 24);
        const auto all = input_gradient<Scalar>(c, noise, kernel);
        CHECK(identical(input_gradient<Scalar>(c, noise.slice(8, 1), kernel), all.slice(8, 1)));
    }
}

TEST_CASE_TEMPLATE("filter gradients over many positions are within the bound of their roundings",
                   Scalar, float, double) {
    // Read where they lie, copied with padding, and gathered: one image, in one part; rows longer
    // than a chain; and many images.
    for (const Index filters : {16, 3}) {
        for (const Index channels : {8, 1}) {
            std::vector<Case> convolutions{Case{1, 1000, 1000, channels, 1, 1, filters},
                                           Case{1, 3, 300'000, channels, 2, 2, filters},
                                           Case{500, 20, 21, channels, 2, 3, filters, weft::same}};
            // 10^8 positions, whose inputs and gradients take up to 1.8 GB; more channels would
            // take more.
            if (weft::tests_longest<Scalar>() && filters == 3 && channels == 1) {
                convolutions.insert(
                    convolutions.end(),
                    {Case{1, 10'000, 10'000, 1, 1, 1, 3}, Case{1, 3, 50'000'001, 1, 2, 2, 3},
                     Case{238'096, 20, 21, 1, 2, 3, 3, weft::same}});
            }
            for (const Case& c : convolutions) {
                Tensor<Scalar> x(c.input()), g(c.output());
                std::ranges::fill(x, Scalar(0.1));
                std::ranges::fill(g, Scalar(0.3));
                const auto dw = filter_gradient(c, x, g);
                const auto axis = c.convolution().window;
                const std::string where = c.text();
                CAPTURE(where);
                double worst = 0;
                for (Index i = 0; i < dw.size(); ++i) {
                    const Index tap = i / (channels * filters);
                    const weft::kernels::detail::OutputRange down(axis.rows,
                                                                  tap / c.window_columns),
                        across(axis.columns, tap % c.window_columns);
                    const Index products =
                        c.images * (down.end - down.begin) * (across.end - across.begin);
                    const auto exact = static_cast<long double>(products) *
                                       static_cast<long double>(Scalar(0.1)) *
                                       static_cast<long double>(Scalar(0.3));
                    worst = std::max(worst, weft::roundings(dw[i], exact));
                }
                // Chains of 512, 256 of them, then sums of so many, then up to 16 parts.
                const auto positions = static_cast<double>(g.size() / filters);
                CHECK(worst <= 512 + 256 + positions / (512 * 256) + 16);
            }
        }
    }
}
