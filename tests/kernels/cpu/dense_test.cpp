#include "weft/kernels/cpu/dense.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>

using weft::Activation;
using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::largest_gap;
using weft::random_normal;
using weft::Tensor;
using weft::TensorView;

namespace {

constexpr Activation activations[] = {weft::linear, weft::relu, weft::sigmoid, weft::tanh,
                                      weft::softmax};

/// X, W, b and the gradient of the output, in sizes (rows, features, units).
template <class Scalar>
struct Problem {
    Tensor<Scalar> x, w, b, dy;

    Problem(Index rows, Index features, Index units)
        : x(random_normal<Scalar>({rows, features}, 1)),
          w(random_normal<Scalar>({features, units}, 2, 0.3)),
          b(random_normal<Scalar>({units}, 3)),
          dy(random_normal<Scalar>({rows, units}, 4)) {}

    Tensor<Scalar> forward(Activation activation, bool use_bias = true, int threads = 1) const {
        Tensor<Scalar> y(dy.shape());
        Cpu cpu(threads);
        const auto bias = use_bias ? b.view() : TensorView<const Scalar>();
        dense_forward<Scalar>(cpu, x, w, bias, activation, y);
        return y;
    }

    struct Gradients {
        Tensor<Scalar> g, dw, db, dx;
    };

    Gradients backward(Activation activation, const Tensor<Scalar>& y, int threads = 1) const {
        Gradients result{dy, Tensor<Scalar>(w.shape()), Tensor<Scalar>(b.shape()),
                         Tensor<Scalar>(x.shape())};
        Cpu cpu(threads);
        activation_backward<Scalar>(cpu, activation, y, result.g, result.g);
        dense_backward<Scalar>(cpu, x, w, result.g, result.dw, result.db, result.dx);
        return result;
    }
};

/// act(Z) of each row, by the formulas.
Tensor<double> activated(Activation activation, Tensor<double> z) {
    const Index columns = z.shape().last();
    for (Index row = 0; row < z.shape()[0]; ++row) {
        double total = 0;
        for (Index c = 0; c < columns; ++c) total += std::exp(z(row, c));
        for (Index c = 0; c < columns; ++c) {
            double& value = z(row, c);
            if (activation == weft::relu) value = std::max(value, 0.);
            if (activation == weft::sigmoid) value = 1 / (1 + std::exp(-value));
            if (activation == weft::tanh) value = std::tanh(value);
            if (activation == weft::softmax) value = std::exp(value) / total;
        }
    }
    return z;
}

/// dL/dZ from dL/dY, entry by entry of the Jacobian dy_c / dz_k.
Tensor<double> pulled_back(Activation activation, const Tensor<double>& y,
                           const Tensor<double>& dy) {
    Tensor<double> g(y.shape());
    for (Index row = 0; row < y.shape()[0]; ++row) {
        for (Index k = 0; k < y.shape()[1]; ++k) {
            for (Index c = 0; c < y.shape()[1]; ++c) {
                const double out = y(row, c), same = c == k ? 1 : 0;
                double slope = same;
                if (activation == weft::relu) slope = same * (out > 0 ? 1 : 0);
                if (activation == weft::sigmoid) slope = same * out * (1 - out);
                if (activation == weft::tanh) slope = same * (1 - out * out);
                if (activation == weft::softmax) slope = out * (same - y(row, k));
                g(row, k) += dy(row, c) * slope;
            }
        }
    }
    return g;
}

}  // namespace

TEST_CASE("dense_forward on numbers worked by hand") {
    const Tensor<float> x({2, 3}, {1, 2, 3, 4, 5, 6});
    const Tensor<float> w({3, 2}, {1, -1, 0, 2, 1, -3});
    const Tensor<float> b({2}, {10, 0.5f});
    Tensor<float> y({2, 2});
    Cpu cpu(1);
    dense_forward<float>(cpu, x, w, b, weft::linear, y);
    CHECK(identical(y, Tensor<float>({2, 2}, {14, -5.5f, 20, -11.5f})));
    dense_forward<float>(cpu, x, w, b, weft::relu, y);
    CHECK(identical(y, Tensor<float>({2, 2}, {14, 0, 20, 0})));
    dense_forward<float>(cpu, x, w, {}, weft::linear, y);
    CHECK(identical(y, Tensor<float>({2, 2}, {4, -6, 10, -12})));
}

TEST_CASE("dense_backward on numbers worked by hand") {
    const Tensor<float> x({2, 3}, {1, 2, 3, 4, 5, 6});
    const Tensor<float> w({3, 2}, {1, -1, 0, 2, 1, -3});
    const Tensor<float> y({2, 2}, {14, 0, 20, 7});
    Tensor<float> dy({2, 2}, {1, 100, -2, 3}), dw({3, 2}), db({2}), dx({2, 3});
    Cpu cpu(1);
    activation_backward<float>(cpu, weft::relu, y, dy, dy);
    dense_backward<float>(cpu, x, w, dy, dw, db, dx);
    CHECK(identical(dy, Tensor<float>({2, 2}, {1, 0, -2, 3})));
    CHECK(identical(dw, Tensor<float>({3, 2}, {-7, 12, -8, 15, -9, 18})));
    CHECK(identical(db, Tensor<float>({2}, {-1, 3})));
    CHECK(identical(dx, Tensor<float>({2, 3}, {1, 0, 1, -5, 6, -11})));
}

TEST_CASE("dense_forward and dense_backward are their formulas") {
    using Sizes = std::array<Index, 3>;
    for (const auto& [rows, features, units] :
         {Sizes{1, 1, 1}, Sizes{5, 4, 3}, Sizes{3, 7, 17}, Sizes{70, 33, 10}, Sizes{300, 5, 37},
          Sizes{600, 2, 3}}) {
        for (const Activation activation : activations) {
            for (const bool use_bias : {true, false}) {
                const Problem<double> problem(rows, features, units);
                Tensor<double> z({rows, units});
                for (Index i = 0; i < rows; ++i) {
                    for (Index j = 0; j < units; ++j) {
                        z(i, j) = use_bias ? problem.b[j] : 0;
                        for (Index k = 0; k < features; ++k) {
                            z(i, j) += problem.x(i, k) * problem.w(k, j);
                        }
                    }
                }
                const std::string where =
                    weft::concat(to_string(activation), " ", rows, " ", features, " ", units);
                CAPTURE(where);
                CAPTURE(use_bias);
                const auto y = problem.forward(activation, use_bias);
                // n products of numbers about 1 add up to n at most, rounded n times by eps / 2:
                // 33 * 33 * 1.1e-16 forward, 600 * 600 * 1.1e-16 backward.
                CHECK(largest_gap(y, activated(activation, z), 1) < 1e-12);

                const auto result = problem.backward(activation, y);
                const auto g = pulled_back(activation, y, problem.dy);
                Tensor<double> dw({features, units}), db({units}), dx({rows, features});
                for (Index i = 0; i < rows; ++i) {
                    for (Index j = 0; j < units; ++j) {
                        db[j] += g(i, j);
                        for (Index k = 0; k < features; ++k) {
                            dw(k, j) += problem.x(i, k) * g(i, j);
                            dx(i, k) += g(i, j) * problem.w(k, j);
                        }
                    }
                }
                CHECK(largest_gap(result.g, g, 1) < 1e-12);
                CHECK(largest_gap(result.dw, dw, 1) < 4e-11);
                CHECK(largest_gap(result.db, db, 1) < 4e-11);
                CHECK(largest_gap(result.dx, dx, 1) < 4e-11);
            }
        }
    }
}

TEST_CASE("in float dense is that in double, rounded") {
    const Problem<float> problem(70, 33, 37);
    Problem<double> precise(70, 33, 37);
    std::ranges::copy(problem.x, precise.x.begin());
    std::ranges::copy(problem.w, precise.w.begin());
    std::ranges::copy(problem.b, precise.b.begin());
    std::ranges::copy(problem.dy, precise.dy.begin());
    for (const Activation activation : activations) {
        const std::string which(to_string(activation));
        CAPTURE(which);
        // Sums of 33 to 70 products below 10, each rounded by 6e-8 of the sum so far: 70 * 10 *
        // 6e-8 at the worst. Where ReLU's output is rounded to either side of 0 its gradient
        // jumps, so the gradient is taken at the same output.
        const auto y = problem.forward(activation);
        CHECK(largest_gap(y, precise.forward(activation), 1) < 4e-5);
        Tensor<double> y_double(y.shape());
        std::ranges::copy(y, y_double.begin());
        const auto result = problem.backward(activation, y);
        const auto expected = precise.backward(activation, y_double);
        CHECK(largest_gap(result.dw, expected.dw, 1) < 4e-5);
        CHECK(largest_gap(result.db, expected.db, 1) < 4e-5);
        CHECK(largest_gap(result.dx, expected.dx, 1) < 4e-5);
    }
}

TEST_CASE_TEMPLATE("gradients that are not wanted are not computed, the others stay the same",
                   Scalar, float, double) {
    const Problem<Scalar> problem(9, 5, 7);
    const auto y = problem.forward(weft::tanh);
    const auto all = problem.backward(weft::tanh, y);
    auto g = problem.dy;
    Tensor<Scalar> dw(problem.w.shape());
    Cpu cpu(1);
    activation_backward<Scalar>(cpu, weft::tanh, y, g, g);
    dense_backward<Scalar>(cpu, problem.x, problem.w, g, dw, {}, {});
    CHECK(identical(g, all.g));
    CHECK(identical(dw, all.dw));
}

TEST_CASE_TEMPLATE("dense has the same bits for 1, 2 and 7 threads, and a row the same alone",
                   Scalar, float, double) {
    using Sizes = std::array<Index, 3>;
    for (const auto& [rows, features, units] : {Sizes{601, 37, 83}, Sizes{37, 1201, 83}}) {
        const Problem<Scalar> problem(rows, features, units);
        for (const Activation activation : activations) {
            const std::string which = weft::concat(to_string(activation), " ", features);
            CAPTURE(which);
            const auto y = problem.forward(activation);
            const auto one = problem.backward(activation, y);
            for (const int threads : {2, 7}) {
                CHECK(identical(problem.forward(activation, true, threads), y));
                const auto many = problem.backward(activation, y, threads);
                CHECK(identical(many.g, one.g));
                CHECK(identical(many.dw, one.dw));
                CHECK(identical(many.db, one.db));
                CHECK(identical(many.dx, one.dx));
            }
            Cpu cpu(1);
            for (const Index row : {Index{0}, rows / 2, rows - 1}) {
                Tensor<Scalar> alone({1, units}), dx({1, features}), dw(problem.w.shape());
                dense_forward<Scalar>(cpu, problem.x.slice(row, 1), problem.w, problem.b,
                                      activation, alone);
                CHECK(identical(alone, y.slice(row, 1)));
                dense_backward<Scalar>(cpu, problem.x.slice(row, 1), problem.w, one.g.slice(row, 1),
                                       dw, {}, dx);
                CHECK(identical(dx, one.dx.slice(row, 1)));
            }
        }
    }
}

TEST_CASE_TEMPLATE("dense keeps a NaN, in its row alone", Scalar, float, double) {
    for (const Activation activation : activations) {
        const std::string which(to_string(activation));
        CAPTURE(which);
        Problem<Scalar> problem(3, 5, 19);
        const auto clean = problem.forward(activation);
        problem.x(1, 2) = std::numeric_limits<Scalar>::quiet_NaN();
        const auto y = problem.forward(activation);
        for (const Scalar value : y.sample(1)) CHECK(std::isnan(value));
        CHECK(identical(y.sample(0), clean.sample(0)));
        CHECK(identical(y.sample(2), clean.sample(2)));
    }
}
