#include "weft/kernels/cpu/dense.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/dense.hpp"
#include "tests/support/special_values.hpp"

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
using weft::Reference;
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

/// The same by the definitions, the gradients at a given output.
struct Definition {
    Tensor<double, Reference> x, w, b, dy, y, g, dw, db, dx;

    template <class Scalar>
    Definition(const Problem<Scalar>& problem, Activation activation, bool use_bias,
               const Tensor<Scalar>& y_of_gradients)
        : x(weft::as_reference(problem.x)),
          w(weft::as_reference(problem.w)),
          b(weft::as_reference(problem.b)),
          dy(weft::as_reference(problem.dy)),
          y(dy.shape()),
          g(dy.shape()),
          dw(w.shape()),
          db(b.shape()),
          dx(x.shape()) {
        Reference reference;
        dense_forward<double>(reference, x, w,
                              use_bias ? b.view() : TensorView<const double, Reference>(),
                              activation, y);
        activation_backward<double>(reference, activation, weft::as_reference(y_of_gradients), dy,
                                    g);
        dense_backward<double>(reference, x, w, g, dw, db, dx);
    }
};

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

TEST_CASE_TEMPLATE("dense_forward and dense_backward are their definitions", Scalar, float,
                   double) {
    using Sizes = std::array<Index, 3>;
    for (const auto& [rows, features, units] :
         {Sizes{1, 1, 1}, Sizes{5, 4, 3}, Sizes{3, 7, 17}, Sizes{70, 33, 10}, Sizes{70, 33, 37},
          Sizes{300, 5, 37}, Sizes{600, 2, 3}}) {
        for (const Activation activation : activations) {
            for (const bool use_bias : {true, false}) {
                const Problem<Scalar> problem(rows, features, units);
                const std::string where =
                    weft::concat(to_string(activation), " ", rows, " ", features, " ", units);
                CAPTURE(where);
                CAPTURE(use_bias);
                const auto y = problem.forward(activation, use_bias);
                const auto result = problem.backward(activation, y);
                // Where ReLU's output is rounded to either side of 0 its gradient jumps, so the
                // gradient is taken at the same output.
                const Definition expected(problem, activation, use_bias, y);
                // Sums of n products of mixed signs, about 1 each, are about sqrt(n) on their way,
                // and rounded n times by u = eps / 2 of that, up as often as down: by some n u, 300
                // eps of 600 rows. Forward n is 33, and exp turns a gap of z into one of exp(z).
                CHECK(largest_gap(y, expected.y, 1) < 100 * weft::eps<Scalar>);
                CHECK(largest_gap(result.g, expected.g, 1) < 20 * weft::eps<Scalar>);
                CHECK(largest_gap(result.dw, expected.dw, 1) < 600 * weft::eps<Scalar>);
                CHECK(largest_gap(result.db, expected.db, 1) < 600 * weft::eps<Scalar>);
                CHECK(largest_gap(result.dx, expected.dx, 1) < 600 * weft::eps<Scalar>);
            }
        }
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
