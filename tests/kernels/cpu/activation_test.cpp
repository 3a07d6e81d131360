#include "weft/kernels/cpu/activation.hpp"

#include "tests/support/activations.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/activation.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using weft::Activation;
using weft::all_activations;
using weft::Cpu;
using weft::eps;
using weft::identical;
using weft::Index;
using weft::infinity;
using weft::largest_gap;
using weft::not_a_number;
using weft::random_uniform;
using weft::Reference;
using weft::Shape;
using weft::Tensor;
using weft::TensorView;

namespace {

constexpr Activation elementwise[] = {weft::linear,     weft::relu, weft::sigmoid, weft::tanh,
                                      weft::leaky_relu, weft::elu,  weft::gelu,    weft::silu};

std::string name(Activation activation) { return std::string(to_string(activation)); }

template <class Scalar>
Tensor<Scalar> forward(Activation activation, TensorView<const Scalar> x, int threads = 1) {
    Tensor<Scalar> y(x.shape());
    Cpu cpu(threads);
    activation_forward<Scalar>(cpu, activation, x, y);
    return y;
}

/// dx, from the input or the output as the activation needs it.
template <class Scalar>
void backward_into(Cpu& cpu, Activation activation, TensorView<const Scalar> x,
                   TensorView<const Scalar> y, TensorView<const Scalar> dy, TensorView<Scalar> dx) {
    if (needs_input(activation)) {
        activation_backward_from_input<Scalar>(cpu, activation, x, dy, dx);
    } else {
        activation_backward<Scalar>(cpu, activation, y, dy, dx);
    }
}

template <class Scalar>
Tensor<Scalar> backward(Activation activation, TensorView<const Scalar> x,
                        TensorView<const Scalar> dy, int threads = 1) {
    Tensor<Scalar> dx(x.shape());
    Cpu cpu(threads);
    backward_into<Scalar>(cpu, activation, x, forward<Scalar>(activation, x), dy, dx);
    return dx;
}

/// y by the definitions.
template <class Scalar>
Tensor<double, Reference> exact_forward(Activation activation, const Tensor<Scalar>& x) {
    auto y = weft::as_reference(x);
    Reference reference;
    activation_forward<double>(reference, activation, y, y);
    return y;
}

/// dx by the definitions, from an output that is rounded as Scalar is.
template <class Scalar>
Tensor<double, Reference> exact_backward(Activation activation, const Tensor<Scalar>& x,
                                         const Tensor<Scalar>& y, const Tensor<Scalar>& dy) {
    auto dx = weft::as_reference(dy);
    Reference reference;
    if (needs_input(activation)) {
        activation_backward_from_input<double>(reference, activation, weft::as_reference(x), dx,
                                               dx);
    } else {
        activation_backward<double>(reference, activation, weft::as_reference(y), dx, dx);
    }
    return dx;
}

double formula(Activation activation, double x) {
    return exact_forward(activation, Tensor<double>({1}, {x}))[0];
}

/// Their derivatives, by central differences with an error of about h^2 and 1e-16 / h; relu and its
/// kin have theirs in pieces.
double slope(Activation activation, double x) {
    if (activation == weft::relu) return x > 0 ? 1 : 0;
    if (activation == weft::leaky_relu) return x > 0 ? 1 : 0.2;
    if (activation == weft::elu) return x > 0 ? 1 : std::exp(x);
    const double h = 6e-6;
    return (formula(activation, x + h) - formula(activation, x - h)) / (2 * h);
}

/// How well a Scalar approximates the formula, relative to the result.
template <class Scalar>
double forward_tolerance(Activation activation) {
    // Sigmoid: two roundings and an exponential good to two units in the last place; tanh is a
    // rational approximation good to four. The rounding of x / sqrt(2) changes its complementary
    // error function by x^2 roundings: 81 for x = -9.
    return (activation == weft::gelu ? 100 : 8) * eps<Scalar>;
}

}  // namespace

TEST_CASE_TEMPLATE("activations are their formulas, at every length, and touch nothing else",
                   Scalar, float, double) {
    for (const Activation activation : elementwise) {
        for (Index count = 1; count <= 70; ++count) {
            auto x = random_uniform<Scalar>({count}, static_cast<std::uint32_t>(count), -9, 9);
            const auto expected = exact_forward(activation, x);
            std::vector<Scalar> memory(static_cast<std::size_t>(count + 2), Scalar(77));
            const TensorView<Scalar> y(memory.data() + 1, Shape{count});
            Cpu cpu(1);
            activation_forward<Scalar>(cpu, activation, x, y);
            const std::string which = name(activation);
            CAPTURE(which);
            CAPTURE(count);
            CHECK(largest_gap(y, expected, 1e-30) < forward_tolerance<Scalar>(activation));
            CHECK(memory.front() == 77);
            CHECK(memory.back() == 77);
        }
    }
}

TEST_CASE_TEMPLATE("gradients are dy times the derivative, at every length", Scalar, float,
                   double) {
    for (const Activation activation : elementwise) {
        for (Index count = 1; count <= 70; ++count) {
            const auto id = static_cast<std::uint32_t>(count);
            const auto x = random_uniform<Scalar>({count}, id, -3, 3);
            const auto dy = random_uniform<Scalar>({count}, id + 100, -1, 1);
            Tensor<double> expected({count});
            for (Index i = 0; i < count; ++i) {
                expected[i] =
                    static_cast<double>(dy[i]) * slope(activation, static_cast<double>(x[i]));
            }
            std::vector<Scalar> memory(static_cast<std::size_t>(count + 2), Scalar(77));
            const TensorView<Scalar> dx(memory.data() + 1, Shape{count});
            Cpu cpu(1);
            backward_into<Scalar>(cpu, activation, x, forward<Scalar>(activation, x), dy, dx);
            const std::string which = name(activation);
            CAPTURE(which);
            CAPTURE(count);
            // |dy| <= 1, the derivatives are below 1.2, and those of outputs near 1 as good as 1 -
            // y^2: a few roundings of 1. The differences are good to 1e-10.
            CHECK(largest_gap(dx, expected, 1) < 8 * eps<Scalar> + 1e-9);
            CHECK(memory.front() == 77);
            CHECK(memory.back() == 77);
        }
    }
}

TEST_CASE_TEMPLATE("gradients are their definitions to rounding", Scalar, float, double) {
    const auto x = random_uniform<Scalar>({1037}, 3, -3, 3),
               dy = random_uniform<Scalar>({1037}, 2, -1, 1);
    for (const Activation activation : all_activations) {
        const std::string which = name(activation);
        CAPTURE(which);
        // |dy| <= 1 and a few factors that are rounded; of gelu and silu an exponential or an error
        // function too, times x.
        const auto dx = backward<Scalar>(activation, x, dy);
        const auto y = forward<Scalar>(activation, x);
        CHECK(largest_gap(dx, exact_backward(activation, x, y, dy), 1) < 8 * eps<Scalar>);
    }
}

TEST_CASE("the gradient of ReLU is 0 at 0 and takes nothing from where the output is 0") {
    const Tensor<float> y({5}, {0, -0.f, 2, 0, 3}), dy({5}, {5, 6, 7, not_a_number<float>, -8});
    Tensor<float> dx({5});
    Cpu cpu(1);
    activation_backward<float>(cpu, weft::relu, y, dy, dx);
    CHECK(identical(dx, Tensor<float>({5}, {0, 0, 7, 0, -8})));
}

TEST_CASE_TEMPLATE("leaky_relu and elu take their slope and alpha", Scalar, float, double) {
    Cpu cpu(1);
    const Tensor<Scalar> x({4}, {-2, 0, 3, -8}), dy({4}, {1, 2, 3, 4});
    Tensor<Scalar> y({4}), dx({4});
    activation_forward<Scalar>(cpu, weft::leaky_relu(0.25), x, y);
    CHECK(identical(y, Tensor<Scalar>({4}, {Scalar(-0.5), 0, 3, -2})));
    activation_backward<Scalar>(cpu, weft::leaky_relu(0.25), y, dy, dx);
    CHECK(identical(dx, Tensor<Scalar>({4}, {Scalar(0.25), Scalar(0.5), 3, 1})));

    activation_forward<Scalar>(cpu, weft::elu(2), x, y);
    const Tensor<double> expected({4}, {2 * std::expm1(-2.), 0, 3, 2 * std::expm1(-8.)});
    CHECK(largest_gap(y, expected) < 4 * eps<Scalar>);
    activation_backward<Scalar>(cpu, weft::elu(2), y, dy, dx);
    const Tensor<double> slopes({4}, {2 * std::exp(-2.), 4, 3, 8 * std::exp(-8.)});
    CHECK(largest_gap(dx, slopes, 1) < 8 * eps<Scalar>);
}

TEST_CASE_TEMPLATE("scale_and_offset is scale x + offset, in place too", Scalar, float, double) {
    Cpu cpu(2);
    for (const Index count : {0, 1, 37, 40001}) {
        Tensor<Scalar> x({count}), expected({count});
        for (Index i = 0; i < count; ++i) {
            x[i] = static_cast<Scalar>(i % 1000);
            expected[i] = static_cast<Scalar>(3 * (i % 1000) - 5);
        }
        scale_and_offset<Scalar>(cpu, x, Scalar(3), Scalar(-5), x);
        CHECK(identical(x, expected));
    }
}

TEST_CASE_TEMPLATE("in place, and at any place in memory, the bits are the same", Scalar, float,
                   double) {
    Cpu cpu(1);
    for (const Activation activation : elementwise) {
        const std::string which = name(activation);
        CAPTURE(which);
        const auto x = random_uniform<Scalar>({70}, 1, -9, 9);
        const auto dy = random_uniform<Scalar>({70}, 2, -1, 1);
        const auto y = forward<Scalar>(activation, x);
        const auto dx = backward<Scalar>(activation, x, dy);

        auto in_place = x;
        activation_forward<Scalar>(cpu, activation, in_place, in_place);
        CHECK(identical(in_place, y));
        in_place = dy;
        backward_into<Scalar>(cpu, activation, x, y, in_place, in_place);
        CHECK(identical(in_place, dx));

        for (Index first = 1; first < 70; ++first) {
            const auto x_part = x.slice(first, 70 - first), dy_part = dy.slice(first, 70 - first);
            CHECK(identical(forward<Scalar>(activation, x_part), y.slice(first, 70 - first)));
            CHECK(identical(backward<Scalar>(activation, x_part, dy_part),
                            dx.slice(first, 70 - first)));
        }
    }
}

TEST_CASE_TEMPLATE("large tensors have the same bits for 1, 2 and 7 threads", Scalar, float,
                   double) {
    const Shape shape{5003, 13};  // four tasks elementwise, the last one short
    const auto x = random_uniform<Scalar>(shape, 3, -9, 9);
    const auto dy = random_uniform<Scalar>(shape, 4, -1, 1);
    for (const Activation activation : all_activations) {
        const std::string which = name(activation);
        CAPTURE(which);
        const auto y = forward<Scalar>(activation, x);
        const auto dx = backward<Scalar>(activation, x, dy);
        for (const int threads : {2, 7}) {
            CHECK(identical(forward<Scalar>(activation, x, threads), y));
            CHECK(identical(backward<Scalar>(activation, x, dy, threads), dx));
        }
        // The first and last rows alone: tasks work on the elements that are theirs.
        for (const Index row : {0, 5002}) {
            CHECK(identical(forward<Scalar>(activation, x.slice(row, 1)), y.slice(row, 1)));
            CHECK(identical(backward<Scalar>(activation, x.slice(row, 1), dy.slice(row, 1)),
                            dx.slice(row, 1)));
        }
    }
}

TEST_CASE_TEMPLATE("extreme inputs have their limits as outputs", Scalar, float, double) {
    const Scalar largest = std::numeric_limits<Scalar>::max();
    for (const Scalar x : {Scalar(100), Scalar(1000), Scalar(1e30), largest, infinity<Scalar>}) {
        CAPTURE(x);
        const Tensor<Scalar> both({2}, {x, -x});
        const auto rectified = forward<Scalar>(weft::relu, both);
        CHECK(rectified[0] == x);
        CHECK(rectified[1] == 0);
        const auto hyperbolic = forward<Scalar>(weft::tanh, both);
        CHECK(hyperbolic[0] == 1);
        CHECK(hyperbolic[1] == -1);
        const auto logistic = forward<Scalar>(weft::sigmoid, both);
        CHECK(logistic[0] == 1);
        CHECK(logistic[1] >= 0);
        CHECK(logistic[1] < Scalar(1e-37));  // exp(-100) is 4e-44, below float's normal numbers
        const Tensor<Scalar> dy({2}, {1, 1});
        for (const Activation activation : {weft::sigmoid, weft::tanh}) {
            for (const Scalar dx : backward<Scalar>(activation, both, dy)) {
                CHECK(std::abs(dx) < Scalar(1e-37));
            }
        }
        const auto exponential = forward<Scalar>(weft::elu, both);
        CHECK(exponential[0] == x);
        CHECK(exponential[1] == -1);
    }
}

TEST_CASE_TEMPLATE("GELU and SiLU of large inputs are x and 0, with slopes 1 and 0", Scalar, float,
                   double) {
    for (const Activation activation : {weft::gelu, weft::silu}) {
        for (const Scalar x :
             {Scalar(100), Scalar(1000), Scalar(1e30), std::numeric_limits<Scalar>::max()}) {
            const std::string which = name(activation);
            CAPTURE(which);
            CAPTURE(x);
            const Tensor<Scalar> both({2}, {x, -x}), dy({2}, {1, 1});
            const auto y = forward<Scalar>(activation, both);
            CHECK(y[0] == x);
            CHECK(std::abs(y[1]) < Scalar(1e-30));
            const auto dx = backward<Scalar>(activation, both, dy);
            CHECK(dx[0] == 1);
            CHECK(std::abs(dx[1]) < Scalar(1e-30));
        }
    }
}

TEST_CASE_TEMPLATE("NaN stays NaN and spoils no neighbour", Scalar, float, double) {
    for (const Activation activation : elementwise) {
        const std::string which = name(activation);
        CAPTURE(which);
        for (Index bad = 0; bad < 37; ++bad) {
            CAPTURE(bad);
            auto x = random_uniform<Scalar>({37}, 5, -2, 2);
            const auto clean = forward<Scalar>(activation, x);
            x[bad] = not_a_number<Scalar>;
            auto y = forward<Scalar>(activation, x);
            CHECK(std::isnan(y[bad]));
            y[bad] = clean[bad];
            CHECK(identical(y, clean));
        }
    }
}

TEST_CASE_TEMPLATE("softmax is its formula over the last axis, at every length", Scalar, float,
                   double) {
    for (Index columns = 1; columns <= 70; ++columns) {
        CAPTURE(columns);
        const auto id = static_cast<std::uint32_t>(columns);
        const auto x = random_uniform<Scalar>({2, 3, columns}, id, -4, 4);
        const auto y = forward<Scalar>(weft::softmax, x);
        // x - max x is up to 8, so its rounding changes exp by 8 eps / 2; a few roundings for
        // the exponential and the division; one for each term of the sum.
        const double tolerance = (10 + static_cast<double>(columns) / 2) * eps<Scalar>;
        CHECK(largest_gap(y, exact_forward(weft::softmax, x), 1e-30) < tolerance);

        const auto dy = random_uniform<Scalar>({2, 3, columns}, id + 100, -1, 1);
        const auto dx = exact_backward(weft::softmax, x, y, dy);
        // The projection sums up to `columns` terms, together at most 1; it is multiplied by y.
        CHECK(largest_gap(backward<Scalar>(weft::softmax, x, dy), dx, 1) < tolerance);
    }
}

TEST_CASE_TEMPLATE("softmax may work in place, and a row has the same bits alone", Scalar, float,
                   double) {
    Cpu cpu(1);
    for (const Index columns : {1, 7, 10, 33}) {
        CAPTURE(columns);
        const auto x = random_uniform<Scalar>({5, columns}, 6, -4, 4);
        const auto dy = random_uniform<Scalar>({5, columns}, 7, -1, 1);
        const auto y = forward<Scalar>(weft::softmax, x);
        const auto dx = backward<Scalar>(weft::softmax, x, dy);
        auto in_place = x;
        softmax_forward<Scalar>(cpu, in_place, in_place);
        CHECK(identical(in_place, y));
        in_place = dy;
        softmax_backward<Scalar>(cpu, y, in_place, in_place);
        CHECK(identical(in_place, dx));
        for (Index row = 0; row < 5; ++row) {
            CHECK(identical(forward<Scalar>(weft::softmax, x.sample(row)), y.sample(row)));
        }
    }
}

TEST_CASE_TEMPLATE("softmax of extreme inputs is finite and sums to 1", Scalar, float, double) {
    const Scalar largest = std::numeric_limits<Scalar>::max();
    const Tensor<Scalar> x({6, 3}, {1e4, 0, -1e4,               //
                                    -1e4, -1e4, -2e4,           //
                                    largest, -largest, 0,       //
                                    largest, largest, largest,  //
                                    0, -infinity<Scalar>, 0,    //
                                    -infinity<Scalar>, -1e9, -infinity<Scalar>});
    const Tensor<double> expected({6, 3}, {1, 0, 0,                 //
                                           0.5, 0.5, 0,             //
                                           1, 0, 0,                 //
                                           1. / 3, 1. / 3, 1. / 3,  //
                                           0.5, 0, 0.5,             //
                                           0, 1, 0});
    const auto y = forward<Scalar>(weft::softmax, x);
    CHECK(largest_gap(y, expected, 1) < 2 * eps<Scalar>);
    // The largest is found wherever it is.
    for (const Index columns : {1, 2, 3, 10, 37}) {
        for (Index c = 0; c < columns; ++c) {
            Tensor<Scalar> peak({columns}), one_hot({columns});
            peak[c] = 1e4;
            one_hot[c] = 1;
            CHECK(largest_gap(forward<Scalar>(weft::softmax, peak), one_hot, 1) < 1e-30);
        }
    }
    // What is masked out weighs nothing, not just little.
    CHECK(y(4, 1) < Scalar(1e-30));
    const Tensor<Scalar> dy({6, 3}, {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3});
    for (const Scalar dx : backward<Scalar>(weft::softmax, x, dy)) CHECK(std::isfinite(dx));
}

TEST_CASE_TEMPLATE("NaN in a row of softmax makes all of the row NaN, and no other", Scalar, float,
                   double) {
    for (const Index columns : {1, 3, 10, 37}) {
        for (Index bad = 0; bad < columns; ++bad) {
            auto x = random_uniform<Scalar>({3, columns}, 8, -4, 4);
            const auto clean = forward<Scalar>(weft::softmax, x);
            x(1, bad) = not_a_number<Scalar>;
            const auto y = forward<Scalar>(weft::softmax, x);
            CAPTURE(columns);
            CAPTURE(bad);
            for (Index c = 0; c < columns; ++c) CHECK(std::isnan(y(1, c)));
            CHECK(identical(y.sample(0), clean.sample(0)));
            CHECK(identical(y.sample(2), clean.sample(2)));
        }
    }
}

TEST_CASE("activations of no elements do nothing") {
    for (const Activation activation : all_activations) {
        for (const Shape& shape : {Shape{0}, Shape{0, 3}, Shape{3, 0}}) {
            const Tensor<float> none(shape);
            CHECK(forward<float>(activation, none).size() == 0);
            CHECK(backward<float>(activation, none, none).size() == 0);
        }
    }
}

TEST_CASE_TEMPLATE("softmax over a long axis is within the bound of its roundings", Scalar, float,
                   double) {
    for (const Index n : weft::long_lengths<Scalar>()) {
        CAPTURE(n);
        Tensor<Scalar> x({1, n}), dy({1, n});
        std::ranges::fill(dy, Scalar(0.1));
        const auto y = forward<Scalar>(weft::softmax, x);
        // Of equal logits, 1 / n: the sum of ones is exact in blocks. A division and a product.
        CHECK(weft::roundings(y[n / 2], 1 / static_cast<long double>(n)) <= 3);
        // Of equal dy the projection is dy, and dx is 0: off by the roundings of the projection,
        // in proportion to y dy.
        const auto dx = backward<Scalar>(weft::softmax, x, dy);
        const auto magnitude = static_cast<long double>(y[n / 2]) * 0.1L;
        CHECK(weft::roundings(dx[n / 2], 0, magnitude) <= weft::pairwise_roundings(n) + 8);
    }
}
