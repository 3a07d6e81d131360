#include "weft/kernels/cuda/convolution.hpp"

#include "tests/support/activations.hpp"
#include "tests/support/product_checks.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/batch_norm.hpp"
#include "tests/support/reference/convolution.hpp"
#include "tests/support/window_cases.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace weft;
using kernels::Convolution;

namespace {

using Case = ConvolutionCase;

/// Channels and filters in fours and not; tiles whole and cut off; sums in one piece and in splits.
const std::vector<Case> cases{
    {2, 6, 5, 3, 3, 2, 4},
    {2, 6, 5, 3, 3, 2, 4, same},
    {3, 11, 9, 1, 3, 3, 32},                    // few channels
    {20, 9, 10, 2, 3, 3, 5, same},              // many positions: a filter gradient in splits
    {2, 7, 8, 3, 3, 2, 17, valid, 2, 3},        // strides that leave elements over
    {2, 7, 8, 3, 3, 4, 5, same, 2, 3},          //
    {2, 5, 4, 2, 1, 1, 6, valid, 3, 2},         // gaps between windows
    {3, 9, 10, 33, 1, 1, 7},                    // pointwise
    {2, 9, 10, 2, 3, 2, 5, valid, 1, 1, 2, 3},  // dilation
    {2, 9, 10, 4, 3, 2, 8, same, 1, 1, 3, 2},   //
    {2, 9, 10, 4, 3, 2, 8, same, 2, 3, 3, 2},   // and strides
    {2, 6, 7, 4, 2, 3, 6, same, 1, 1, 1, 1, 2},
    {2, 6, 7, 8, 2, 3, 8, same, 2, 1, 1, 1, 2},   // groups in fours
    {2, 6, 7, 8, 2, 3, 6, same, 1, 2, 1, 1, 2},   // of channels alone
    {2, 6, 7, 6, 2, 3, 6, valid, 2, 1, 1, 1, 6},  // depthwise
    {2, 6, 7, 4, 1, 1, 6, valid, 1, 1, 1, 1, 2},  // pointwise in groups
    {1, 3, 4, 2, 3, 4, 3},                        // one position
    {2, 2, 3, 2, 4, 5, 3, same},                  // windows larger than the image
    {1, 1, 1, 1, 1, 1, 1},
    {2, 7, 6, 30, 3, 3, 5, same},  // deep patches: splits
    {5, 8, 7, 36, 3, 3, 36, same},
    {5, 8, 7, 40, 5, 5, 68, same, 2, 2},  // medium tiles in each product, in splits
    {2, 9, 5, 33, 3, 3, 65, valid, 2, 1},
    {9, 4, 5, 64, 2, 2, 64, same, 1, 1, 1, 2},
};

/// Fill tiles of 128 x 128 and of 128 x 64, for a GPU has no other work then.
const std::vector<Case> large_cases{
    {17, 32, 33, 4, 3, 3, 68, same},                              // forward
    {17, 32, 33, 36, 3, 3, 4, same},                              // gradient of the input
    {8, 3, 3, 132 * 68, 1, 1, 132 * 68, valid, 1, 1, 1, 1, 132},  // all three
};

/// x, w, b, g, y, dx, dw, db: small whole numbers, whose sums are exact; results are to be overwritten.
template <class Scalar>
std::vector<Tensor<Scalar>> numbers(const Case& c) {
    std::vector<Tensor<Scalar>> tensors{random_integers<Scalar>(c.input(), 1, -4, 4),
                                        random_integers<Scalar>(c.kernel(), 2, -4, 4),
                                        random_integers<Scalar>({c.filters}, 3, -9, 9),
                                        random_integers<Scalar>(c.output(), 4, -4, 4)};
    for (const Shape& shape : {c.output(), c.input(), c.kernel(), Shape{c.filters}}) {
        std::ranges::fill(tensors.emplace_back(shape), not_a_number<Scalar>);
    }
    return tensors;
}

/// All three kernels.
template <class Scalar>
OnBoth<Scalar> run(const Case& c, const std::vector<Tensor<Scalar>>& tensors,
                   const CudaOptions& options = {}, Activation activation = linear,
                   const kernels::Before& before = {}) {
    return on_both<Scalar>(
        tensors,
        [&](auto& device, const auto& t) {
            const Convolution convolution = c.convolution();
            kernels::convolution_forward<Scalar>(device, convolution, t[0], t[1], t[2], activation,
                                                 t[4]);
            kernels::convolution_backward_through<Scalar>(device, before, convolution, t[0], t[1],
                                                          t[3], t[6], t[7], t[5]);
        },
        options);
}

}  // namespace

TEST_CASE_TEMPLATE("convolution on a GPU and its gradients are the sums of their products", Scalar,
                   float, double) {
    for (const CudaOptions& options : convolution_options<Scalar>()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cudnn);
        for (const Case& c : cases) {
            const std::string where = c.text();
            CAPTURE(where);
            CHECK(run<Scalar>(c, numbers<Scalar>(c), options).same());
        }
    }
}

TEST_CASE("large convolutions on a GPU and their gradients are the sums of their products") {
    for (const CudaOptions& options : convolution_options<float>()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cudnn);
        for (const Case& c : large_cases) {
            const std::string where = c.text();
            CAPTURE(where);
            CHECK(run<float>(c, numbers<float>(c), options, linear, {relu, 0.5}).same());
        }
    }
}

TEST_CASE("a convolution on a GPU has no more groups than a grid has blocks in z") {
    const Case c{1, 1, 1, 65536, 1, 1, 65536, valid, 1, 1, 1, 1, 65536};
    Cuda device;
    const Tensor<float, Cuda> x(c.input(), device), w(c.kernel(), device);
    Tensor<float, Cuda> y(c.output(), device);
    CHECK_THROWS_WITH_AS(
        kernels::convolution_forward<float>(device, c.convolution(), x, w, {}, linear, y),
        "cuda: a product has 1 columns and 65536 groups, expected at most 2097120 and 65535",
        CudaError);
}

TEST_CASE("gradients of convolutions on a GPU have the same bits in one stream and in two") {
    for (const Case& c : cases) {
        const std::string where = c.text();
        CAPTURE(where);
        auto tensors = numbers<float>(c);
        tensors[0] = random_normal<float>(c.input(), 1);
        tensors[3] = random_normal<float>(c.output(), 4);
        const auto one = run<float>(c, tensors, {.second_stream = false}, linear, relu);
        const auto two = run<float>(c, tensors, {.second_stream = true}, linear, relu);
        CHECK(two.repeats);
        for (std::size_t i = 4; i < tensors.size(); ++i) {
            CAPTURE(i);
            CHECK(identical(two.result[i], one.result[i]));
        }
    }
}

namespace {

/// Where what is left for a batch norm is among the arguments.
enum Places { output = 3, moving_mean, moving_variance, mean, inverse_deviation };

/// y and its moments.
template <class Scalar>
OnBoth<Scalar> with_moments(const Case& c, const Tensor<Scalar>& x, const Tensor<Scalar>& w,
                            Activation activation, const CudaOptions& options = {}) {
    const Tensor<Scalar> of_filters({c.filters});
    return on_both<Scalar>(
        {x, w, random_integers<Scalar>({c.filters}, 3, -9, 9), Tensor<Scalar>(c.output()),
         of_filters, of_filters, of_filters, of_filters},
        [&](auto& device, const auto& t) {
            const kernels::Normalizing<Scalar> norm{
                .momentum = Scalar(0.75),
                .epsilon = Scalar(1e-3),
                .moving_mean = t[moving_mean].data(),
                .moving_variance = t[moving_variance].data(),
                .mean = t[mean].data(),
                .inverse_deviation = t[inverse_deviation].data()};
            kernels::convolution_forward_moments<Scalar>(device, c.convolution(), t[0], t[1], t[2],
                                                         activation, norm, t[output]);
        },
        options);
}

}  // namespace

namespace {

/// Whether the moments of a convolution of whole numbers below 5 are right. Sums are exact but for
/// their quotients. That of the mean is of distances to a number of the column, some deviations of up
/// to 16 sqrt(products).
template <class Scalar>
Verdict has_moments(const Case& c, const OnBoth<Scalar>& both) {
    const double deviation = 16 * std::sqrt(static_cast<double>(c.kernel().size() / c.filters));
    Verdict verdict;
    const auto add = [&](const char* name, Places place, double floor) {
        const auto i = static_cast<std::size_t>(place);
        verdict.add(name, largest_gap(both.result[i], both.expected[i], floor), 8 * eps<Scalar>);
    };
    add("moving mean", moving_mean, deviation);
    add("moving variance", moving_variance, 1);
    add("mean", mean, deviation);
    add("inverse deviation", inverse_deviation, 1);
    return verdict;
}

}  // namespace

TEST_CASE_TEMPLATE("convolution on a GPU leaves the moments of what it stores", Scalar, float,
                   double) {
    std::vector<Case> all = cases;
    // Tiles of rows in nodes, of one level and of two; more columns than there are tickets for; more
    // splits than one launch adds up.
    all.push_back({3, 40, 41, 2, 2, 2, 5, same});
    all.push_back({21, 64, 67, 1, 1, 1, 3});
    all.push_back({5, 2, 13, 2049, 1, 1, 2049, valid, 1, 1, 1, 1, 2049});
    all.push_back({3, 1, 1, 513 * 128, 1, 1, 2});
    for (const CudaOptions& options : convolution_options<Scalar>()) {
        for (const Case& c : all) {
            for (const Activation activation : {linear, relu}) {
                const std::string where = c.text();
                CAPTURE(where);
                const auto both = with_moments<Scalar>(
                    c, random_integers<Scalar>(c.input(), 1, -4, 4),
                    random_integers<Scalar>(c.kernel(), 2, -4, 4), activation, options);
                CHECK(both.repeats);
                CHECK(identical(both.result[output], both.expected[output]));
                CHECK(has_moments(c, both));
            }
        }
    }
}

TEST_CASE("large convolutions on a GPU leave the moments of what they store") {
    for (const CudaOptions& options : convolution_options<float>()) {
        for (const Case& c : large_cases) {
            const std::string where = c.text();
            CAPTURE(where);
            const auto both =
                with_moments<float>(c, random_integers<float>(c.input(), 1, -4, 4),
                                    random_integers<float>(c.kernel(), 2, -4, 4), relu, options);
            CHECK(both.repeats);
            CHECK(has_moments(c, both));
        }
    }
}

TEST_CASE_TEMPLATE(
    "moments that a convolution on a GPU leaves, far from 0, behind a number far off", Scalar,
    float, double) {
    // y = x + b, b of one digit. Deviation 1 round 1e4; and round 0 with firsts of tiles far off.
    const Case c{7, 33, 34, 1, 1, 1, 1};
    const Tensor<Scalar> one(c.kernel(), {1});
    auto x = random_normal<Scalar>(c.input(), 1);
    const bool narrow = sizeof(Scalar) == sizeof(double);
    for (const bool is_far : {true, false}) {
        for (Scalar& value : x) value += is_far ? Scalar(1e4) : Scalar(0);
        if (!is_far) {
            x = random_normal<Scalar>(c.input(), 1);
            for (const Index i : {0, 128, 4096}) x[i] = 1000;
        }
        const auto both = with_moments<Scalar>(c, x, one, linear);
        CHECK(both.repeats);
        const auto gap = [&](std::size_t place) {
            return relative_gap(static_cast<double>(both.result[place][0]),
                                static_cast<double>(both.expected[place][0]));
        };
        CHECK(gap(mean) < (is_far ? 2 : 1000) * eps<Scalar>);
        // Of float x - s is exact in the first, and off by 1000 u in the second, where the deviation is
        // 20: the variance by twice 1000 u / 20. Of double sums are off by 200 u times 1 + 1000^2 / 400.
        CHECK(gap(moving_variance) < (!narrow ? (is_far ? 4 : 100) : 500'000) * eps<Scalar>);
    }
    x = random_normal<Scalar>(c.input(), 1);
    x[5000] = not_a_number<Scalar>;
    const auto both = with_moments<Scalar>(c, x, one, linear);
    for (const int place : {moving_mean, moving_variance, mean, inverse_deviation}) {
        CHECK(std::isnan(both.result[static_cast<std::size_t>(place)][0]));
    }
}

TEST_CASE_TEMPLATE("each way to lay windows on a GPU: padding, strides, dilation, groups", Scalar,
                   float, double) {
    for (const Padding padding : {valid, same}) {
        for (const Index stride : {1, 2, 3}) {
            for (const Index dilation : {1, 2}) {
                for (const Index groups : {1, 2, 4}) {
                    for (const Index channels : {4, 16}) {
                        const Case c{2,     7,       6,      channels,   3,        2,
                                     8,     padding, stride, 4 - stride, dilation, 3 - dilation,
                                     groups};
                        const std::string where = c.text();
                        CAPTURE(where);
                        for (const CudaOptions& options : convolution_options<Scalar>()) {
                            if (options.tf32) continue;
                            CAPTURE(options.cudnn);
                            CHECK(run<Scalar>(c, numbers<Scalar>(c), options, linear, {relu, 0.5})
                                      .same());
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("convolution on a GPU applies each activation, with bias and without", Scalar,
                   float, double) {
    // In groups; and in splits.
    for (const Case& c :
         {Case{2, 6, 7, 4, 2, 3, 6, same, 1, 1, 1, 1, 2}, Case{2, 7, 6, 30, 3, 3, 5, same}}) {
        auto tensors = numbers<Scalar>(c);
        for (const std::size_t i : {0U, 1U, 2U}) {
            tensors[i] =
                random_integers<Scalar>(tensors[i].shape(), 1 + static_cast<unsigned>(i), -1, 1);
        }
        for (Scalar& value : tensors[1]) value /= 4;  // sums are exact still
        for (const Activation activation : all_activations) {
            const std::string where = concat(c.text(), " ", to_string(activation));
            CAPTURE(where);
            for (const bool bias : {true, false}) {
                if (!bias) tensors[2] = tensors[7] = Tensor<Scalar>(Shape{0});
                for (const CudaOptions& options : convolution_options<Scalar>()) {
                    if (options.tf32) continue;
                    CAPTURE(options.cudnn);
                    const auto both = run<Scalar>(c, tensors, options, activation);
                    CHECK(both.repeats);
                    // See the test of dense layers.
                    CHECK(both.gap(1e-30) < (activation == gelu ? 200 : 8) * eps<Scalar>);
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("convolution on a GPU is within the bound of its roundings", Scalar, float,
                   double) {
    for (const CudaOptions& options : convolution_options<Scalar>()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cudnn);
        for (const Case& c :
             {Case{20, 9, 10, 2, 3, 3, 5, same}, Case{3, 8, 7, 40, 5, 5, 68, same}}) {
            auto tensors = numbers<Scalar>(c);
            for (unsigned i = 0; i < 4; ++i) {
                tensors[i] = random_normal<Scalar>(tensors[i].shape(), i);
            }
            const auto both = run<Scalar>(c, tensors, options);
            for (std::size_t i = 0; i < 4; ++i) tensors[i] = magnitudes(tensors[i]);
            const auto magnitude = run<Scalar>(c, tensors, options).expected;
            const std::string where = c.text();
            CAPTURE(where);
            CHECK(both.repeats);
            // One rounding more, of the expected number.
            const auto check = [&](std::size_t i, Index n) {
                const Gap gap = excess(both.result[i], both.expected[i], magnitude[i],
                                       product_bound<Scalar>(n + 1, options));
                CAPTURE(gap);
                CHECK(gap.value <= 1);
            };
            const Convolution convolution = c.convolution();
            check(4, convolution.depth());
            check(5, convolution.window.taps() * c.filters);
            check(6, c.images * convolution.window.positions());
            check(7, c.images * convolution.window.positions());
        }
    }
}

TEST_CASE_TEMPLATE("NaN and infinities come through convolutions on a GPU, of their image", Scalar,
                   float, double) {
    for (const CudaOptions& options : convolution_options<Scalar>()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cudnn);
        for (const Case& c : {Case{3, 6, 5, 3, 3, 2, 4, same}, Case{3, 6, 5, 32, 3, 2, 8, same}}) {
            auto tensors = numbers<Scalar>(c);
            tensors[0](1, 3, 2, 1) = not_a_number<Scalar>;
            tensors[0](1, 2, 0, 0) = infinity<Scalar>;  // behind the last tap of windows above
            tensors[0](1, 0, 4, 2) = infinity<Scalar>;
            tensors[3](2, 2, 2, 3) = -infinity<Scalar>;
            tensors[3](2, 4, 3, 0) = not_a_number<Scalar>;
            for (const Activation activation : {linear, relu}) {
                const auto both = run<Scalar>(c, tensors, options, activation, activation);
                for (const std::size_t i : {4U, 5U, 6U, 7U}) {
                    CAPTURE(i);
                    CHECK(same_numbers(both.result[i], both.expected[i]));
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("a convolution on a GPU of no images has a filter gradient of 0", Scalar, float,
                   double) {
    const Case c{0, 6, 5, 3, 3, 2, 4};
    Tensor<Scalar> dw(c.kernel()), db({c.filters});
    std::ranges::fill(dw, not_a_number<Scalar>);
    std::ranges::fill(db, not_a_number<Scalar>);
    for (const CudaOptions& options : convolution_options<Scalar>()) {
        CAPTURE(options.cudnn);
        Cuda device(options);
        const Tensor<Scalar, Cuda> x(c.input(), device), y(c.output(), device);
        Tensor<Scalar, Cuda> w = to_cuda(device, dw), b = to_cuda(device, db),
                             no_y(c.output(), device), no_x(c.input(), device);
        kernels::convolution_forward<Scalar>(device, c.convolution(), x, w, {}, softmax, no_y);
        kernels::convolution_input_gradient<Scalar>(device, c.convolution(), y, w, no_x);
        kernels::convolution_filter_gradient<Scalar>(device, c.convolution(), x, y, w, b);
        CHECK(identical(from_cuda(device, w), Tensor<Scalar>(c.kernel())));
        CHECK(identical(from_cuda(device, b), Tensor<Scalar>({c.filters})));
    }
}

TEST_CASE("a convolution with more elements than 32 bits count is refused on a GPU") {
    Cuda device;
    const Case c{Index{1} << 20, 64, 64, 1, 1, 1, 1};
    const TensorView<const float, Cuda> x(nullptr, c.input()), y(nullptr, c.output());
    const Tensor<float, Cuda> w(c.kernel(), device);
    Tensor<float, Cuda> dw(c.kernel(), device);
    CHECK_THROWS_AS(
        kernels::convolution_filter_gradient<float>(device, c.convolution(), x, y, dw, {}),
        CudaError);
}
