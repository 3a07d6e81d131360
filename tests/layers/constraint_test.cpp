#include "weft/layers/constraint.hpp"

#include "tests/support/reference_checks.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/losses/mean_squared_error.hpp"
#include "weft/optimizers/sgd.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

using namespace weft;

namespace {

Constraint constraint_of(const ReferenceCase& expected) {
    const std::string type = expected.at("type");
    if (type == "MaxNorm") return max_norm(expected.at("max_value"));
    if (type == "UnitNorm") return unit_norm;
    REQUIRE(type == "NonNeg");
    return non_negative;
}

/// Whether the norms are those along all axes but the last, as here.
bool along_all_but_last(const ReferenceCase& expected) {
    if (!expected.has("axis")) return true;
    const auto rank = static_cast<Index>(expected.at("x").at("shape").size());
    std::vector<Index> axes(static_cast<std::size_t>(rank - 1));
    std::iota(axes.begin(), axes.end(), Index{0});
    return expected.at("axis").get<std::vector<Index>>() == axes;
}

/// The tensor with the axis that norms run along first: a matrix transposed, a vector as a column.
template <class Scalar>
Tensor<Scalar> with_norms_along_first(const ReferenceCase& expected, const char* field) {
    const auto w = reference_tensor<Scalar>(expected.at(field));
    if (along_all_but_last(expected)) return w;
    if (w.shape().rank() == 1) return Tensor<Scalar>(w.view().reshape({w.size(), 1}));
    REQUIRE(w.shape().rank() == 2);
    const Index rows = w.shape()[0], columns = w.shape()[1];
    Tensor<Scalar> transposed({columns, rows});
    for (Index i = 0; i < rows; ++i) {
        for (Index j = 0; j < columns; ++j) transposed(j, i) = w(i, j);
    }
    return transposed;
}

template <class Scalar>
Gap gap_of_kernels(const ReferenceCase& expected) {
    const Constraint constraint = constraint_of(expected);
    auto w = with_norms_along_first<Scalar>(expected, "x");
    Cpu cpu(1);
    if (constraint.kind == Constraint::Kind::non_negative) {
        make_non_negative<Scalar>(cpu, w);
    } else {
        limit_column_norms<Scalar>(cpu, w, constraint.max_value);
    }
    return largest_gap(w, with_norms_along_first<double>(expected, "y"),
                       same_as_reference<Scalar>.floor);
}

/// A model with a parameter of that shape under that constraint: a bias, a kernel of Dense or of
/// Conv2D.
Sequential<double> constrained_model(const Shape& shape, const Constraint& constraint) {
    if (shape.rank() == 1) {
        return {Input{{2}}, Dense{.units = shape[0], .bias_constraint = constraint}};
    }
    if (shape.rank() == 2) {
        return {Input{{shape[0]}}, Dense{.units = shape[1], .kernel_constraint = constraint}};
    }
    return {Input{{shape[0], shape[1], shape[2]}}, Conv2D{.filters = shape[3],
                                                          .kernel_size = {shape[0], shape[1]},
                                                          .kernel_constraint = constraint}};
}

/// The Euclidean norms of w (..., C) along all axes but the last.
std::vector<double> norms_of(TensorView<const double> w) {
    std::vector<double> norms(static_cast<std::size_t>(w.shape().last()));
    for (Index i = 0; i < w.size(); ++i) {
        double& norm = norms[static_cast<std::size_t>(i % w.shape().last())];
        norm = std::hypot(norm, w[i]);
    }
    return norms;
}

}  // namespace

TEST_CASE("Constraints equal Keras's, by the kernels and in a model that is trained") {
    int cases = 0, in_models = 0;
    for (const ReferenceCase& expected : reference_cases("regularizers_constraints.json")) {
        if (expected.has("value")) continue;  // a regularizer
        ++cases;
        CAPTURE(expected.name());
        CHECK(gap_of_kernels<double>(expected) < same_as_reference<double>.gap);
        CHECK(gap_of_kernels<float>(expected) < same_as_reference<float>.gap);

        const auto x = reference_tensor(expected.at("x"));
        const bool is_bias = x.shape().rank() == 1;
        if (!is_bias && !along_all_but_last(expected)) continue;
        ++in_models;
        auto model = constrained_model(x.shape(), constraint_of(expected));
        const auto constrained = model.parameter(model.parameters()[is_bias ? 1 : 0].name);
        std::ranges::copy(x, constrained.begin());
        // The targets are the predictions, so that the step leaves the parameter where it is.
        const auto samples = random_normal(model.input_shape().batch(3), 2);
        const Tensor<double> targets = model.predict(samples);
        Trainer trainer(model, {.optimizer = SGD{}, .loss = MeanSquaredError{}});
        trainer.fit(samples, targets, {.shuffle = false, .verbosity = Verbosity::silent});
        CHECK(largest_gap(constrained, reference_tensor(expected.at("y"))) < 1e-12);
    }
    CHECK(cases == 10);
    CHECK(in_models == 8);  // all but the two along the rows, which is not offered
}

TEST_CASE("Constraints hold after every step of training") {
    Sequential<double> model{
        Dense{.units = 4, .kernel_constraint = max_norm(0.75), .bias_constraint = non_negative},
        Dense{.units = 3, .kernel_constraint = unit_norm},
        Dense{.units = 2, .kernel_constraint = non_negative}};
    model.build({5}, 1);
    const auto x = random_normal({12, 5}, 2), y = random_normal({12, 2}, 3, 4);
    int steps = 0, longest = 0, zeros_in_kernel = 0;
    LambdaCallback check;
    check.batch_end = [&](TrainingRun&) {
        ++steps;
        const auto at_least_0 = [](double value) { return value >= 0; };
        for (const double norm : norms_of(model.parameter("dense/kernel"))) {
            CHECK(norm < 0.75 * (1 + 1e-15));
            longest += norm > 0.7499;
        }
        for (const double norm : norms_of(model.parameter("dense_1/kernel"))) {
            CHECK(std::abs(norm - 1) < 1e-6);  // 1e-7 / norm short
        }
        CHECK(std::ranges::all_of(model.parameter("dense/bias"), at_least_0));
        CHECK(std::ranges::all_of(model.parameter("dense_2/kernel"), at_least_0));
        zeros_in_kernel +=
            static_cast<int>(std::ranges::count(model.parameter("dense_2/kernel"), 0.0));
    };
    Trainer trainer(model, {.optimizer = SGD{.learning_rate = 0.1}, .loss = MeanSquaredError{}});
    trainer.fit(
        x, y, {.epochs = 3, .batch_size = 5, .verbosity = Verbosity::silent, .callbacks = {check}});
    CHECK(steps == 9);
    CHECK(longest > 0);  // or nothing was held back
    CHECK(zeros_in_kernel > 0);
}

TEST_CASE("max_norm of 0, below, NaN or infinity is refused, by name") {
    const auto refused = [](const Dense& dense, const char* complaint) {
        CHECK_THROWS_WITH_AS(SingleLayer<float>(dense, {5}), doctest::Contains(complaint),
                             ArgumentError);
    };
    refused({.units = 2, .kernel_constraint = max_norm(-1)},
            "dense: kernel_constraint is max_norm(-1), expected a positive norm");
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double norm : {0.0, -1.0, infinity, std::numeric_limits<double>::quiet_NaN()}) {
        CAPTURE(norm);
        refused({.units = 2, .kernel_constraint = max_norm(norm)},
                "dense: kernel_constraint is max_norm(");
        refused({.units = 2, .bias_constraint = max_norm(norm)},
                "dense: bias_constraint is max_norm(");
    }
}

TEST_CASE("a constraint is true where there is one, and equal where all of it is") {
    CHECK_FALSE(Constraint{});
    CHECK(max_norm(2));
    CHECK(non_negative);
    CHECK(unit_norm);
    CHECK(max_norm(2) == max_norm(2));
    CHECK_FALSE(max_norm(2) == max_norm(3));
    CHECK_FALSE(non_negative == unit_norm);
}
