#include "weft/kernels/cpu/loss.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/loss.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using weft::Cpu;
using weft::eps;
using weft::identical;
using weft::Index;
using weft::infinity;
using weft::largest_gap;
using weft::not_a_number;
using weft::random_normal;
using weft::random_uniform;
using weft::Reference;
using weft::Shape;
using weft::Tensor;
using weft::TensorView;

namespace {

// Each kernel under one signature. Those that do not compute probabilities leave them alone.
template <class Scalar, class Device = Cpu>
using Kernel = void(Device&, TensorView<const Scalar, Device> x, TensorView<const Scalar, Device> t,
                    Scalar scale, TensorView<Scalar, Device> losses,
                    TensorView<Scalar, Device> probabilities, TensorView<Scalar, Device> gradient);

template <class Scalar, class Device,
          void kernel(Device&, TensorView<const Scalar, Device>, TensorView<const Scalar, Device>,
                      Scalar, TensorView<Scalar, Device>, TensorView<Scalar, Device>)>
void without_probabilities(Device& device, TensorView<const Scalar, Device> x,
                           TensorView<const Scalar, Device> t, Scalar scale,
                           TensorView<Scalar, Device> losses, TensorView<Scalar, Device>,
                           TensorView<Scalar, Device> gradient) {
    kernel(device, x, t, scale, losses, gradient);
}

/// What a kernel takes as predictions and targets.
enum class Predictions { logits, probabilities };
enum class Targets { labels, distribution, bits };

template <class Scalar>
struct Loss {
    const char* name;
    Kernel<Scalar>* kernel;
    Kernel<Scalar, Reference>* definition;
    Predictions predictions;
    Targets targets;
};

template <class Scalar>
std::vector<Loss<Scalar>> all_losses() {
    using namespace weft::kernels;
    return {
        {"sparse_softmax_crossentropy", sparse_softmax_crossentropy<Scalar>,
         sparse_softmax_crossentropy<Scalar>, Predictions::logits, Targets::labels},
        {"softmax_crossentropy", softmax_crossentropy<Scalar>, softmax_crossentropy<Scalar>,
         Predictions::logits, Targets::distribution},
        {"categorical_crossentropy",
         without_probabilities<Scalar, Cpu, categorical_crossentropy<Scalar>>,
         without_probabilities<Scalar, Reference, categorical_crossentropy<Scalar>>,
         Predictions::probabilities, Targets::distribution},
        {"sparse_categorical_crossentropy",
         without_probabilities<Scalar, Cpu, sparse_categorical_crossentropy<Scalar>>,
         without_probabilities<Scalar, Reference, sparse_categorical_crossentropy<Scalar>>,
         Predictions::probabilities, Targets::labels},
        {"sigmoid_crossentropy", sigmoid_crossentropy<Scalar>, sigmoid_crossentropy<Scalar>,
         Predictions::logits, Targets::bits},
        {"binary_crossentropy", without_probabilities<Scalar, Cpu, binary_crossentropy<Scalar>>,
         without_probabilities<Scalar, Reference, binary_crossentropy<Scalar>>,
         Predictions::probabilities, Targets::bits},
        {"mean_squared_error", without_probabilities<Scalar, Cpu, mean_squared_error<Scalar>>,
         without_probabilities<Scalar, Reference, mean_squared_error<Scalar>>, Predictions::logits,
         Targets::distribution},
    };
}

template <class Scalar>
Tensor<Scalar> predictions_for(const Loss<Scalar>& loss, const Shape& shape) {
    // Probabilities need not sum to 1: the kernels divide by the sum.
    return loss.predictions == Predictions::logits ? random_normal<Scalar>(shape, 1, 2)
                                                   : random_uniform<Scalar>(shape, 1, 0.05, 0.95);
}

/// Soft targets, whose sums are not 1 either.
template <class Scalar>
Tensor<Scalar> targets_for(const Loss<Scalar>& loss, const Shape& shape) {
    const Index rows = shape[0], columns = shape[1];
    if (loss.targets != Targets::labels) return random_uniform<Scalar>(shape, 2, 0, 1);
    Tensor<Scalar> labels({rows});
    for (Index r = 0; r < rows; ++r) labels[r] = static_cast<Scalar>(r * 7 % columns);
    return labels;
}

template <class Scalar, class Device = Cpu>
struct Result {
    Tensor<Scalar, Device> losses, probabilities, gradient;
};

template <class Scalar>
Result<Scalar> run(const Loss<Scalar>& loss, TensorView<const Scalar> x, TensorView<const Scalar> t,
                   Scalar scale = 1, int threads = 1) {
    Result<Scalar> result{Tensor<Scalar>({x.shape()[0]}), Tensor<Scalar>(x.shape()),
                          Tensor<Scalar>(x.shape())};
    Cpu cpu(threads);
    loss.kernel(cpu, x, t, scale, result.losses, result.probabilities, result.gradient);
    return result;
}

/// The same by the definition, rounded once.
template <class Scalar>
Result<Scalar, Reference> exact(const Loss<Scalar>& loss, const Tensor<Scalar>& x,
                                const Tensor<Scalar>& t, Scalar scale = 1) {
    using Exact = Tensor<Scalar, Reference>;
    Result<Scalar, Reference> result{Exact({x.shape()[0]}), Exact(x.shape()), Exact(x.shape())};
    Reference reference;
    loss.definition(reference, weft::as_reference<Scalar>(x), weft::as_reference<Scalar>(t), scale,
                    result.losses, result.probabilities, result.gradient);
    return result;
}

/// The loss of that name.
template <class Scalar>
Loss<Scalar> named(std::string_view name) {
    for (const auto& loss : all_losses<Scalar>()) {
        if (loss.name == name) return loss;
    }
    FAIL("no such loss");
    return {};
}

const double log_epsilon = std::log(1e-7);

}  // namespace

TEST_CASE_TEMPLATE("losses, probabilities and gradients are those of the definitions", Scalar,
                   float, double) {
    for (const auto& loss : all_losses<Scalar>()) {
        for (const Shape& shape : {Shape{5, 1}, Shape{4, 3}, Shape{3, 10}, Shape{2, 37}}) {
            const std::string where = weft::concat(loss.name, " ", shape);
            CAPTURE(where);
            const auto x = predictions_for(loss, shape), t = targets_for(loss, shape);
            const auto result = run<Scalar>(loss, x, t, Scalar(0.25));
            const auto expected = exact(loss, x, t, Scalar(0.25));
            // Up to 37 terms of magnitude up to 10 and sums up to 100: some 40 roundings.
            // Floor 1: single terms cancel, and with them what is exact in them.
            CHECK(largest_gap(result.losses, expected.losses, 1) < 40 * eps<Scalar>);
            CHECK(largest_gap(result.gradient, expected.gradient, 1) < 40 * eps<Scalar>);
            // Of logits up to 8: exp(z - max z) is off by 8 roundings of z, and the sum by some.
            CHECK(largest_gap(result.probabilities, expected.probabilities, 1e-30) <
                  30 * eps<Scalar>);
        }
    }
}

TEST_CASE("the gradients of the definitions are the slopes of their losses") {
    for (const auto& loss : all_losses<double>()) {
        for (const Shape& shape : {Shape{5, 1}, Shape{4, 3}, Shape{3, 10}, Shape{2, 37}}) {
            const std::string where = weft::concat(loss.name, " ", shape);
            CAPTURE(where);
            auto x = predictions_for(loss, shape);
            const auto t = targets_for(loss, shape);
            const double scale = 0.25;
            Tensor<double> gradient(shape);
            for (Index i = 0; i < x.size(); ++i) {
                const Index row = i / shape[1];
                const double value = x[i], h = 6e-6;
                x[i] = value + h;
                const double above = exact(loss, x, t).losses[row];
                x[i] = value - h;
                const double below = exact(loss, x, t).losses[row];
                x[i] = value;
                gradient[i] = scale * (above - below) / (2 * h);
            }
            // Differences lose losses * eps / h = 1e-9, and h^2 times the third derivative.
            CHECK(largest_gap(exact(loss, x, t, scale).gradient, gradient) < 1e-6);
        }
    }
}

TEST_CASE_TEMPLATE("scale multiplies gradients, not losses or probabilities", Scalar, float,
                   double) {
    for (const auto& loss : all_losses<Scalar>()) {
        CAPTURE(loss.name);
        const auto x = predictions_for(loss, {3, 5}), t = targets_for(loss, {3, 5});
        const auto one = run<Scalar>(loss, x, t), eighth = run<Scalar>(loss, x, t, Scalar(0.125));
        CHECK(identical(eighth.losses, one.losses));
        CHECK(identical(eighth.probabilities, one.probabilities));
        auto gradient = one.gradient;
        for (Scalar& value : gradient) value /= 8;  // exact
        CHECK(identical(eighth.gradient, gradient));
    }
}

TEST_CASE_TEMPLATE("probabilities may share the memory of logits or gradient", Scalar, float,
                   double) {
    const auto scale = static_cast<Scalar>(0.3);
    for (const char* name :
         {"sparse_softmax_crossentropy", "softmax_crossentropy", "sigmoid_crossentropy"}) {
        const auto loss = named<Scalar>(name);
        for (const Index columns : {1, 3, 10, 37}) {
            CAPTURE(name);
            CAPTURE(columns);
            const Shape shape{4, columns};
            const auto x = predictions_for(loss, shape), t = targets_for(loss, shape);
            const auto apart = run<Scalar>(loss, x, t, scale);
            Cpu cpu(1);
            Tensor<Scalar> losses({4}), memory = x, gradient(shape);
            loss.kernel(cpu, memory, t, scale, losses, memory, gradient);
            CHECK(identical(losses, apart.losses));
            CHECK(identical(memory, apart.probabilities));
            CHECK(identical(gradient, apart.gradient));

            std::ranges::fill(losses, Scalar(0));
            loss.kernel(cpu, x, t, scale, losses, gradient, gradient);
            CHECK(identical(losses, apart.losses));
            CHECK(identical(gradient, apart.gradient));
        }
    }
}

TEST_CASE_TEMPLATE("a row has the same bits alone, in a batch, and for 1, 2 and 7 threads", Scalar,
                   float, double) {
    // Several tasks, the last one short; rows of one element, of less than a packet, of two blocks.
    for (const Shape& shape : {Shape{2100, 1}, Shape{999, 10}, Shape{30, 300}}) {
        const Index rows = shape[0];
        for (const auto& loss : all_losses<Scalar>()) {
            CAPTURE(loss.name);
            CAPTURE(rows);
            const auto x = predictions_for(loss, shape), t = targets_for(loss, shape);
            const auto one = run<Scalar>(loss, x, t, Scalar(0.3));
            for (const int threads : {2, 7}) {
                const auto many = run<Scalar>(loss, x, t, Scalar(0.3), threads);
                CHECK(identical(many.losses, one.losses));
                CHECK(identical(many.probabilities, one.probabilities));
                CHECK(identical(many.gradient, one.gradient));
            }
            for (const Index row : {Index{0}, rows / 2, rows - 1}) {
                const auto alone = run<Scalar>(loss, x.slice(row, 1), t.slice(row, 1), Scalar(0.3));
                CHECK(identical(alone.losses, one.losses.slice(row, 1)));
                CHECK(identical(alone.gradient, one.gradient.slice(row, 1)));
            }
        }
    }
}

TEST_CASE_TEMPLATE("NaN in a row makes its loss NaN and leaves the other rows alone", Scalar, float,
                   double) {
    for (const auto& loss : all_losses<Scalar>()) {
        for (const Index columns : {1, 3, 19}) {
            for (Index bad = 0; bad < columns; ++bad) {
                const std::string where = weft::concat(loss.name, " ", columns, " ", bad);
                CAPTURE(where);
                auto x = predictions_for(loss, {3, columns});
                const auto t = targets_for(loss, {3, columns});
                const auto clean = run<Scalar>(loss, x, t);
                x(1, bad) = not_a_number<Scalar>;
                const auto result = run<Scalar>(loss, x, t);
                CHECK(std::isnan(result.losses[1]));
                CHECK(std::isnan(result.gradient(1, bad)));
                for (const Index row : {0, 2}) {
                    CHECK(identical(result.losses.slice(row, 1), clean.losses.slice(row, 1)));
                    CHECK(identical(result.gradient.sample(row), clean.gradient.sample(row)));
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("cross-entropy of extreme logits is exact and finite", Scalar, float, double) {
    // Each row has a winner so far ahead that p is 1 and 0s.
    const Tensor<Scalar> x(
        {3, 3}, {1e4, 0, -1e4, Scalar(-1e30), Scalar(1e30), 0, 0, -infinity<Scalar>, -1e9});
    const Tensor<Scalar> labels({3}, {2, 1, 0});
    const Tensor<Scalar> one_hot({3, 3}, {0, 0, 1, 0, 1, 0, 1, 0, 0});
    for (const bool sparse : {true, false}) {
        CAPTURE(sparse);
        const auto result =
            sparse ? run<Scalar>(named<Scalar>("sparse_softmax_crossentropy"), x, labels)
                   : run<Scalar>(named<Scalar>("softmax_crossentropy"), x, one_hot);
        CHECK(identical(result.losses, Tensor<Scalar>({3}, {2e4, 0, 0})));
        const Tensor<Scalar> gradient({3, 3}, {1, 0, -1, 0, 0, 0, 0, 0, 0});
        CHECK(largest_gap(result.gradient, gradient, 1) < 1e-30);
    }
}

TEST_CASE_TEMPLATE("a number added to all logits changes no bit of the cross-entropy", Scalar,
                   float, double) {
    // Multiples of 1/64, so that the sum with 4096 is exact in float too.
    auto x = random_normal<Scalar>({5, 10}, 3, 2);
    for (Scalar& z : x) z = std::round(z * 64) / 64;
    auto moved = x;
    for (Scalar& z : moved) z += 4096;
    for (const char* name : {"sparse_softmax_crossentropy", "softmax_crossentropy"}) {
        CAPTURE(name);
        const auto loss = named<Scalar>(name);
        const auto t = targets_for(loss, {5, 10});
        const auto result = run<Scalar>(loss, x, t), expected = run<Scalar>(loss, moved, t);
        CHECK(identical(result.losses, expected.losses));
        CHECK(identical(result.gradient, expected.gradient));
    }
}

TEST_CASE_TEMPLATE("binary cross-entropy of extreme logits is exact and finite", Scalar, float,
                   double) {
    const Tensor<Scalar> x({6, 1}, {1e4, 1e4, -1e4, -1e4, Scalar(1e30), Scalar(-1e30)});
    const Tensor<Scalar> t({6, 1}, {1, 0, 0, 1, 1, 0});
    const auto result = run<Scalar>(named<Scalar>("sigmoid_crossentropy"), x, t);
    CHECK(largest_gap(result.losses, Tensor<Scalar>({6}, {0, 1e4, 0, 1e4, 0, 0}), 1) < 1e-30);
    CHECK(largest_gap(result.gradient, Tensor<Scalar>({6, 1}, {0, 1, 0, -1, 0, 0}), 1) < 1e-30);
}

TEST_CASE_TEMPLATE("tiny losses keep their digits", Scalar, float, double) {
    // log(1 + exp(-z)) with exp(-20) = 2e-9, far below eps of float: 1 + exp(-z) would be 1.
    const Tensor<Scalar> x({1, 1}, {20}), one({1, 1}, {1});
    const auto result = run<Scalar>(named<Scalar>("sigmoid_crossentropy"), x, one);
    CHECK(weft::relative_gap(static_cast<double>(result.losses[0]), 2.061153620314381e-9, 1e-30) <
          4 * eps<Scalar>);
}

TEST_CASE_TEMPLATE("probabilities 0 and 1 are kept 1e-7 away; clipped ones have no gradient",
                   Scalar, float, double) {
    // 1 - 1e-7 and log(1 - (1 - 1e-7)) as far as Scalar can tell.
    const auto low = static_cast<Scalar>(1e-7);
    const Scalar high = Scalar(1) - low;
    const double at_low = -log_epsilon;                              // 16.118...
    const double at_high = -std::log1p(-static_cast<double>(high));  // of a wrong 1
    const double tolerance = 8 * eps<Scalar>;

    SUBCASE("binary") {
        const Tensor<Scalar> p({5, 1}, {0, 0, 1, 1, Scalar(0.25)}), t({5, 1}, {1, 0, 0, 1, 0});
        const auto result = run<Scalar>(named<Scalar>("binary_crossentropy"), p, t);
        const Tensor<double> losses({5}, {at_low, -std::log1p(-1e-7), at_high,
                                          -std::log(static_cast<double>(high)), std::log(4. / 3)});
        CHECK(largest_gap(result.losses, losses, 1) < tolerance);
        CHECK(largest_gap(result.gradient, Tensor<double>({5, 1}, {0, 0, 0, 0, 4. / 3}), 1) <
              tolerance);
    }
    SUBCASE("sparse: clipped, then divided by the sum") {
        const Tensor<Scalar> p({3, 3}, {0, 0.5, 0.5, 1, 0, 0, 0.25, 0, 0.25}), t({3}, {0, 1, 2});
        const auto result = run<Scalar>(named<Scalar>("sparse_categorical_crossentropy"), p, t);
        const Tensor<double> losses({3}, {at_low, at_low, std::log(2.)});
        CHECK(largest_gap(result.losses, losses, 1) < 1e-6);  // the sums are 1 + 1e-7 and so on
        const Tensor<double> gradient({3, 3}, {0, 1, 1, 0, 0, 0, 2, 0, -2});
        CHECK(largest_gap(result.gradient, gradient, 1) < 1e-6);
    }
    SUBCASE("categorical: divided by the sum, then clipped") {
        const Tensor<Scalar> p({2, 3}, {0, 0.5, 0.5, 0, 0, 5});
        const Tensor<Scalar> t({2, 3}, {0.5, 0.5, 0, 0, 1, 0});
        const auto result = run<Scalar>(named<Scalar>("categorical_crossentropy"), p, t);
        const Tensor<double> losses({2}, {at_low / 2 + std::log(2.) / 2, at_low});
        CHECK(largest_gap(result.losses, losses, 1) < tolerance);
        // p_0 is clipped, but moves the sum that p_1 is divided by.
        const Tensor<double> gradient({2, 3}, {0.5, -0.5, 0.5, 0, 0, 0});
        CHECK(largest_gap(result.gradient, gradient, 1) < tolerance);
    }
}

TEST_CASE("losses of no rows do nothing") {
    for (const auto& loss : all_losses<float>()) {
        const Tensor<float> x({0, 3}), t(loss.targets == Targets::labels ? Shape{0} : Shape{0, 3});
        CHECK(run<float>(loss, x, t).losses.size() == 0);
    }
}

namespace {

/// The loss of a row of n numbers that are 3 values again and again: that of each value, times how
/// often it comes.   t: the targets, all alike. Of a label, it is that of the second value.
template <class Scalar>
double repeated_loss(const Loss<Scalar>& loss, const Tensor<Scalar>& values, double t, Index n) {
    const std::string name = loss.name;
    const auto total = [&](auto of_value) {
        double sum = 0;
        for (Index k = 0; k < 3; ++k) {
            sum += static_cast<double>((n + 2 - k) / 3) * of_value(static_cast<double>(values[k]));
        }
        return sum;
    };
    const auto of_one = [](double x) { return x; };
    const auto exp = [](double x) { return std::exp(x); };
    const auto of_label = static_cast<double>(values[1]);
    const auto count = static_cast<double>(n);
    if (name == "sparse_softmax_crossentropy") return std::log(total(exp)) - of_label;
    if (name == "softmax_crossentropy") {
        return t * (count * std::log(total(exp)) - total(of_one));
    }
    if (name == "sparse_categorical_crossentropy") return std::log(total(of_one) / of_label);
    if (name == "categorical_crossentropy") {
        const double sum = total(of_one), least = static_cast<double>(Scalar(1e-7));
        return -t * total([&](double p) { return std::log(std::max(p / sum, least)); });
    }
    return total([&](double x) {
               if (name == "sigmoid_crossentropy") return std::log1p(std::exp(x)) - t * x;
               if (name == "mean_squared_error") return (x - t) * (x - t);
               return -t * std::log(x) - (1 - t) * std::log1p(-x);
           }) /
           count;
}

}  // namespace

TEST_CASE_TEMPLATE("losses over long rows are within the bound of their roundings", Scalar, float,
                   double) {
    // The definition of double takes long double, which other processors compute in software.
    std::vector<Index> lengths{1000, 30'001, sizeof(Scalar) == 4 ? 2'000'000 : 100'001};
    // Row, targets, probabilities and gradient take 1.6 GB.
    if (weft::tests_longest<Scalar>()) lengths.push_back(100'000'000);
    for (const Index n : lengths) {
        Tensor<Scalar> x({1, n}), distribution({1, n}), label({1});
        std::ranges::fill(distribution, Scalar(0.3));
        label[0] = 7;
        Result<Scalar> result{Tensor<Scalar>({1}), Tensor<Scalar>({1, n}), Tensor<Scalar>({1, n})};
        for (const auto& loss : all_losses<Scalar>()) {
            const std::string where = weft::concat(loss.name, " of ", n);
            CAPTURE(where);
            // A few values again and again, so that running sums are rounded the same way.
            const bool logits = loss.predictions == Predictions::logits;
            Tensor<Scalar> values({3});
            for (Index k = 0; k < 3; ++k) {
                values[k] = static_cast<Scalar>(0.1 * static_cast<double>(k + 1)) +
                            (logits ? Scalar(1) : Scalar(0));
            }
            Scalar* const row = std::ranges::copy(values, x.data()).out;
            for (Index i = 0; i < n - 3; ++i) row[i] = row[i - 3];
            const auto& t = loss.targets == Targets::labels ? label : distribution;
            Cpu cpu(1);
            loss.kernel(cpu, x, t, 1, result.losses, result.probabilities, result.gradient);
            const auto found = static_cast<double>(result.losses[0]);
            // All terms are above 0. Those of logits round some 20 times, through exp and log.
            const double bound = (weft::pairwise_roundings(n) + 40) * eps<Scalar> / 2;
            const double expected =
                repeated_loss(loss, values, static_cast<double>(Scalar(0.3)), n);
            CHECK(weft::relative_gap(found, expected) < bound);
            if (n > 2'000'000) continue;  // the definition would take as much memory again
            const auto defined = static_cast<double>(exact(loss, x, t).losses[0]);
            CHECK(weft::relative_gap(found, defined) < bound);
        }
    }
}
