#include "weft/layers/regularizer.hpp"

#include "tests/support/reference_checks.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/losses/mean_squared_error.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/optimizers/sgd.hpp"
#include "weft/testing/gradient_check.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;

namespace {

Regularizer regularizer_of(const ReferenceCase& expected) {
    const std::string type = expected.at("type");
    if (type == "L1") return l1(expected.at("l1"));
    if (type == "L2") return l2(expected.at("l2"));
    REQUIRE(type == "L1L2");
    return l1_l2(expected.at("l1"), expected.at("l2"));
}

/// A model with a parameter of that shape and that penalty: a bias, a kernel of Dense or of Conv2D.
Sequential<double> penalised_model(const Shape& shape, const Regularizer& regularizer) {
    if (shape.rank() == 1) {
        return {Input{{2}}, Dense{.units = shape[0], .bias_regularizer = regularizer}};
    }
    if (shape.rank() == 2) {
        return {Input{{shape[0]}}, Dense{.units = shape[1], .kernel_regularizer = regularizer}};
    }
    return {Input{{shape[0], shape[1], shape[2]}}, Conv2D{.filters = shape[3],
                                                          .kernel_size = {shape[0], shape[1]},
                                                          .kernel_regularizer = regularizer}};
}

/// All samples in one batch, in order.
FitOptions<double> one_step() {
    return {.batch_size = 100, .shuffle = false, .verbosity = Verbosity::silent};
}

/// Checks a step of SGD at rate 1, which subtracts the gradient of the loss with all penalties,
/// against central differences of the loss that the trainer reports, in every parameter.
Verdict loss_gradient_check(Sequential<double> model, const LossDeclaration<double, Cpu>& loss,
                            const Tensor<double>& x, const Tensor<double>& y) {
    model.build(x.shape().sample(), 3);
    const auto theta = model.trainable_parameters();
    std::ranges::copy(random_normal(theta.shape(), 5, 0.7), theta.begin());  // biases are zero
    const Trainer before(model, {.loss = loss});
    const auto reported = [&] { return Tensor<double>({1}, {before.evaluate(x, y, 100)["loss"]}); };
    const Tensor<double> one({1}, {1});
    const Tensor<double> expected = numerical_gradient(theta, one, reported);

    Tensor<double> gradient{theta};
    Trainer trainer(model, {.optimizer = SGD{.learning_rate = 1}, .loss = loss});
    const double at_start = reported()[0];
    const History history = trainer.fit(x, y, one_step());
    for (Index i = 0; i < gradient.size(); ++i) gradient[i] -= theta[i];

    Verdict verdict;
    verdict.add("gradient", largest_gap(gradient, expected), gradient_tolerance);
    verdict.add("loss of the step", Gap{relative_gap(history["loss"][0], at_start)}, 1e-13);
    return verdict;
}

}  // namespace

TEST_CASE("Regularizers equal Keras's, by the kernels and in a model that is trained") {
    int cases = 0, in_models = 0;
    for (const ReferenceCase& expected : reference_cases("regularizers_constraints.json")) {
        if (!expected.has("value")) continue;  // a constraint
        ++cases;
        CAPTURE(expected.name());
        const Regularizer regularizer = regularizer_of(expected);
        const double value = expected.at("value");
        const auto x = reference_tensor(expected.at("x")), dx = reference_tensor(expected.at("dx"));
        Cpu cpu(1);
        CHECK(relative_gap(penalty<double>(cpu, x, regularizer.l1, regularizer.l2), value) < 1e-12);
        Tensor<double> gradient(x.shape());
        add_penalty_gradient<double>(cpu, x, regularizer.l1, regularizer.l2, gradient);
        CHECK(largest_gap(gradient, dx) < 1e-12);

        const auto x_float = reference_tensor<float>(expected.at("x"));
        CHECK(relative_gap(penalty<float>(cpu, x_float, regularizer.l1, regularizer.l2), value) <
              1e-6);
        Tensor<float> gradient_float(x.shape());
        add_penalty_gradient<float>(cpu, x_float, regularizer.l1, regularizer.l2, gradient_float);
        CHECK(largest_gap(gradient_float, dx) < 1e-6);

        // The targets are the predictions, so that loss and gradient are the penalty's alone.
        auto model = penalised_model(x.shape(), regularizer);
        for (const ParameterInfo& info : model.parameters()) {
            if (!info.regularizer) continue;
            ++in_models;
            const auto parameter = model.parameter(info.name);
            std::ranges::copy(x, parameter.begin());
            const auto samples = random_normal(model.input_shape().batch(3), 2);
            Trainer trainer(model,
                            {.optimizer = SGD{.learning_rate = 1}, .loss = MeanSquaredError{}});
            const Tensor<double> targets = model.predict(samples);
            CHECK(relative_gap(trainer.evaluate(samples, targets)["loss"], value) < 1e-12);
            CHECK(relative_gap(trainer.evaluate(samples, targets, 2)["loss"], value) < 1e-12);
            const History history = trainer.fit(samples, targets, one_step());
            CHECK(relative_gap(history["loss"][0], value) < 1e-12);
            Tensor<double> step{x};
            for (Index i = 0; i < x.size(); ++i) step[i] -= parameter[i];
            CHECK(largest_gap(step, dx) < 1e-12);
        }
    }
    CHECK(cases == 6);
    CHECK(in_models == 6);
}

TEST_CASE("The reported loss holds each parameter's penalty, and that of outputs by the batch") {
    Sequential<double> model{Dense{.units = 2,
                                   .kernel_regularizer = l1(0.5),
                                   .bias_regularizer = l2(0.25),
                                   .activity_regularizer = l1_l2(0.125, 2)}};
    model.build({2});
    std::ranges::copy(Tensor<double>({4}, {1, -1, 2, 0}), model.parameter("dense/kernel").begin());
    std::ranges::copy(Tensor<double>({2}, {1, -3}), model.parameter("dense/bias").begin());
    const Tensor<double> x({3, 2}, {1, 0, 0, 1, 1, 1});
    const Tensor<double> y({3, 2}, {2, -4, 3, -3, 4, -4});  // its predictions
    REQUIRE(identical(model.predict(x), y));
    // l1: |1| + |-1| + |2| = 4; l2: 1 + 9 = 10; outputs: |y| sums to 20, y^2 to 70.
    const double expected = 0.5 * 4 + 0.25 * 10 + (0.125 * 20 + 2 * 70) / 3;
    const Trainer trainer(model, {.loss = MeanSquaredError{}});
    for (const Index batch_size : {1, 2, 3}) {
        CAPTURE(batch_size);
        CHECK(relative_gap(trainer.evaluate(x, y, batch_size)["loss"], expected) < 1e-14);
    }
}

TEST_CASE("The gradient of loss and penalties agrees with central differences, in every entry") {
    const auto x = random_normal({5, 4}, 2);
    const Tensor<double> labels({5}, {2, 0, 1, 1, 2});
    const Dense hidden{.units = 3,
                       .activation = weft::tanh,
                       .kernel_regularizer = l1_l2(0.3, 0.2),
                       .bias_regularizer = l1_l2(0.1, 0.4),
                       .activity_regularizer = l1_l2(0.25, 0.15)};
    // With and without a penalty on the last outputs: then softmax and loss are not one.
    for (const Regularizer& activity : {Regularizer{}, l1(0.4), l2(0.3)}) {
        CAPTURE(activity.l1);
        CAPTURE(activity.l2);
        const Dense classes{.units = 3,
                            .activation = softmax,
                            .kernel_regularizer = l2(0.3),
                            .activity_regularizer = activity};
        CHECK(loss_gradient_check({hidden, classes}, SparseCategoricalCrossentropy{}, x, labels));
        const Dense numbers{
            .units = 2, .bias_regularizer = l1(0.2), .activity_regularizer = activity};
        CHECK(loss_gradient_check({hidden, numbers}, MeanSquaredError{}, x,
                                  random_normal({5, 2}, 7)));
    }
    const Conv2D filters{.filters = 3,
                         .kernel_size = {2, 3},
                         .kernel_regularizer = l1_l2(0.1, 0.2),
                         .bias_regularizer = l2(0.3),
                         .activity_regularizer = l1_l2(0.02, 0.01)};
    CHECK(loss_gradient_check({filters}, MeanSquaredError{}, random_normal({2, 4, 5, 2}, 8),
                              random_normal({2, 3, 3, 3}, 9)));
}

TEST_CASE("Regularizers with a factor that is negative, NaN or infinite are refused, by name") {
    const auto refused = [](const Dense& dense, const std::string& complaint) {
        CHECK_THROWS_WITH_AS(SingleLayer<float>(dense, {5}), doctest::Contains(complaint.c_str()),
                             ArgumentError);
    };
    refused({.units = 2, .kernel_regularizer = l1_l2(0.5, -0.25)},
            "dense: kernel_regularizer is (l1 0.5, l2 -0.25), expected finite numbers of at least "
            "0");
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double factor : {-0.1, infinity, std::numeric_limits<double>::quiet_NaN()}) {
        CAPTURE(factor);
        for (const Regularizer& regularizer : {l1(factor), l2(factor)}) {
            refused({.units = 2, .kernel_regularizer = regularizer},
                    "dense: kernel_regularizer is ");
            refused({.units = 2, .bias_regularizer = regularizer}, "dense: bias_regularizer is ");
            refused({.units = 2, .activity_regularizer = regularizer},
                    "dense: activity_regularizer is ");
        }
    }
}

TEST_CASE("Initializers that would start a parameter at NaN or infinity are refused, by name") {
    const auto refused = [](const Dense& dense, const std::string& complaint) {
        CHECK_THROWS_WITH_AS(SingleLayer<float>(dense, {5}), doctest::Contains(complaint.c_str()),
                             ArgumentError);
    };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double value : {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity}) {
        CAPTURE(value);
        refused({.units = 2, .kernel_initializer = constant(value)},
                "dense: kernel_initializer is constant(");
        refused({.units = 2, .bias_initializer = constant(value), .name = "head"},
                "head: bias_initializer is constant(");
        refused({.units = 2, .kernel_initializer = {Initializer::Kind::uniform, {}, value}},
                "dense: kernel_initializer is random(scale ");
    }
    refused({.units = 2, .kernel_initializer = constant(infinity)},
            "dense: kernel_initializer is constant(inf), expected a finite number");
    refused({.units = 2, .kernel_initializer = {Initializer::Kind::truncated_normal, {}, -2}},
            "dense: kernel_initializer is random(scale -2), expected a finite scale of at least 0");
    ParameterList list;
    LayerBuilder builder("scale", {3}, list);
    CHECK_THROWS_WITH_AS(builder.add_parameter("alpha", {3}, constant(infinity), false),
                         "scale: alpha_initializer is constant(inf), expected a finite number",
                         ArgumentError);
    CHECK(builder.add_parameter("alpha", {3}, constant(-1e30)).trainable);
}
