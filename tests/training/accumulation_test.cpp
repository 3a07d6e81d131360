// Several batches to an update train as one batch of all their samples.
#include "weft/training/trainer.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/losses/binary_crossentropy.hpp"
#include "weft/losses/categorical_crossentropy.hpp"
#include "weft/losses/mean_squared_error.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/metrics/accuracy.hpp"
#include "weft/optimizers/sgd.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/training/run_state.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;

namespace {

using Declarations = std::vector<LayerDeclaration<double, Cpu>>;

/// 22 samples: with batches of 4, three to an update, steps of 12 and of 10 samples.
struct Data {
    Tensor<double> x = random_normal<double>({22, 7}, 1);
    Tensor<double> y;
};

Data classes() {
    Data data{.y = Tensor<double>(Shape{22})};
    for (Index i = 0; i < 22; ++i) data.y[i] = static_cast<double>(i % 3);
    return data;
}

/// What three epochs leave.
struct Trained {
    Tensor<double> parameters;
    History history;
    std::int64_t steps = 0;
};

Trained train(const Declarations& layers, const TrainerOptions<double, Cpu>& options,
              const Data& data, FitOptions<double> fit) {
    Sequential<double> model(layers);
    model.build({7}, 3);
    Trainer<double, Cpu> trainer(model, options);
    fit.epochs = 3;
    fit.seed = 4;
    fit.verbosity = Verbosity::silent;
    Trained result;
    result.history = trainer.fit(data.x, data.y, fit);
    result.parameters = Tensor<double>(std::as_const(model).arena());
    result.steps = trainer.steps();
    return result;
}

/// Compares batches of 4, three to an update, with batches of 12.
///
/// A gradient is the same sum of 12 terms in another order: off by some 20 roundings, 20 u = 2e-15.
/// Adam divides it by no less than its epsilon of 1e-7, so that a step of 1e-3 is off by up to
/// 2e-11; six steps, each from parameters that are off, by some 1e-10.
void check_same(const Declarations& layers, const TrainerOptions<double, Cpu>& options,
                const Data& data, FitOptions<double> fit = {}) {
    fit.batch_size = 12;
    const Trained whole = train(layers, options, data, fit);
    fit.batch_size = 4;
    fit.gradient_accumulation_steps = 3;
    const Trained parts = train(layers, options, data, fit);
    CHECK(whole.steps == 6);
    CHECK(parts.steps == 6);
    CHECK(largest_gap(parts.parameters, whole.parameters) < 1e-10);
    for (std::size_t epoch = 0; epoch < 3; ++epoch) {
        const Scores& scores = whole.history.epochs[epoch].scores;
        for (const auto& score : scores) {
            CAPTURE(score.first);
            CHECK(relative_gap(parts.history.epochs[epoch].scores[score.first], score.second) <
                  1e-10);
        }
        CHECK(parts.history.epochs[epoch].learning_rate ==
              whole.history.epochs[epoch].learning_rate);
    }
    fit.gradient_accumulation_steps = 1;
    CHECK_FALSE(largest_gap(train(layers, options, data, fit).parameters, whole.parameters) < 1e-4);
}

/// Dropout behind samples of 7 and of 13 numbers, whose masks begin in the middle of a block.
Declarations layers_for(Index units, Activation last) {
    return {Dropout{0.3}, Dense{13, weft::tanh}, Dropout{0.4}, Dense{units, last}};
}

}  // namespace

TEST_CASE("batches that are accumulated train as one, with the same dropout") {
    const Data data = classes();
    check_same(
        layers_for(3, softmax),
        {.optimizer = Adam{}, .loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}},
        data);
    check_same(layers_for(3, softmax),
               {.optimizer = SGD{.learning_rate = 0.1, .momentum = 0.9},
                .loss = SparseCategoricalCrossentropy{}},
               data, {.shuffle = false});
    const Data rows{.y = random_uniform<double>({22, 2}, 2, 0, 1)};
    check_same(layers_for(2, linear), {.loss = MeanSquaredError{}}, rows);
    check_same(layers_for(2, sigmoid), {.loss = BinaryCrossentropy{}}, rows);
    check_same(layers_for(2, linear), {.loss = BinaryCrossentropy{.from_logits = true}}, rows);
    check_same(layers_for(2, softmax), {.loss = CategoricalCrossentropy{}}, rows);
}

TEST_CASE("penalties, limits, constraints, weights and schedules are of updates") {
    const Data data = classes();
    const Declarations layers{Dense{.units = 13,
                                    .activation = weft::tanh,
                                    .kernel_regularizer = {.l1 = 0.01, .l2 = 0.02},
                                    .activity_regularizer = l2(0.1),
                                    .kernel_constraint = max_norm(0.9)},
                              Dropout{0.2}, Dense{3, softmax}};
    const TrainerOptions<double, Cpu> options{.optimizer = Adam{.learning_rate = 0.01},
                                              .loss = SparseCategoricalCrossentropy{},
                                              .learning_rate_schedule = CosineDecay{0.01, 8},
                                              .clipping = {.value = 0.05, .global_norm = 0.1}};
    FitOptions<double> fit;
    fit.class_weight = {1, 0.5, 2};
    for (int i = 0; i < 22; ++i) fit.sample_weight.push_back(0.3 * (1 + i % 4));
    check_same(layers, options, data, fit);
    fit.validation_split = 0.1;  // 19 samples: the last update takes 7, in batches of 4 and 3
    check_same(layers, options, data, fit);
}

TEST_CASE("one batch to an update is the usual training, to the bit") {
    const Data data = classes();
    const TrainerOptions<double, Cpu> options{.loss = SparseCategoricalCrossentropy{}};
    FitOptions<double> fit{.batch_size = 4};
    const Trained usual = train(layers_for(3, softmax), options, data, fit);
    // As many as there are in the epoch: one update of all.
    fit.gradient_accumulation_steps = 100;
    const Trained all = train(layers_for(3, softmax), options, data, fit);
    fit.gradient_accumulation_steps = std::numeric_limits<Index>::max();
    CHECK(identical(train(layers_for(3, softmax), options, data, fit).parameters, all.parameters));
    CHECK(usual.steps == 18);
    CHECK(all.steps == 3);
    fit = {.batch_size = 100};
    CHECK(largest_gap(all.parameters,
                      train(layers_for(3, softmax), options, data, fit).parameters) < 1e-10);
}

TEST_CASE("checkpoints lie between updates, and a run goes on from each of them") {
    const Data data = classes();
    const Declarations layers{Dense{5, relu}, BatchNorm{}, Dropout{0.2}, Dense{3, softmax}};
    const TrainerOptions<double, Cpu> options{.loss = SparseCategoricalCrossentropy{}};
    FitOptions<double> fit{.batch_size = 4, .gradient_accumulation_steps = 3};
    const Trained expected = train(layers, options, data, fit);
    std::vector<RunState> states;
    std::vector<Index> batches;
    fit.callbacks = {
        LambdaCallback{.batch_end = [&](TrainingRun& run) { batches.push_back(run.step()); }}};
    fit.checkpoint = run_store([] { return std::nullopt; },
                               [&](const RunState& state) { states.push_back(state); },
                               /*every_steps=*/1);
    CHECK(identical(train(layers, options, data, fit).parameters, expected.parameters));
    // At the start, and in each epoch behind its first update and at its end.
    CHECK(states.size() == 1 + 3 * 2);
    CHECK(batches == std::vector<Index>{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
    fit.callbacks.clear();
    for (const RunState& state : states) {
        fit.checkpoint = run_store([&] { return std::optional(state); }, [](const auto&) {});
        const Trained resumed = train(layers, options, data, fit);
        CHECK(identical(resumed.parameters, expected.parameters));
        CHECK(resumed.history["loss"] == expected.history["loss"]);
        CHECK(resumed.steps == expected.steps);
    }

    // Another number of batches to an update is another run.
    fit.gradient_accumulation_steps = 2;
    CHECK_THROWS_AS(train(layers, options, data, fit), IoError);
    fit.gradient_accumulation_steps = 0;
    CHECK_THROWS_WITH_AS(train(layers, options, data, fit),
                         "fit: gradient_accumulation_steps is 0, expected at least 1",
                         ArgumentError);
}

TEST_CASE("a rate that a callback sets between two batches of an update is that of the update") {
    const Data data = classes();
    const auto train_with_rate = [&](Index at_step) {
        Sequential<double> model{Dense{3, softmax}};
        model.build({7}, 3);
        Trainer<double, Cpu> trainer(model, {.optimizer = SGD{.learning_rate = 0.5},
                                             .loss = SparseCategoricalCrossentropy{}});
        const auto set = [=](TrainingRun& run) {
            if (run.step() == at_step) run.set_learning_rate(0.125);
        };
        trainer.fit(data.x, data.y,
                    {.batch_size = 4,
                     .gradient_accumulation_steps = 3,
                     .seed = 4,
                     .verbosity = Verbosity::silent,
                     .callbacks = {LambdaCallback{.epoch_begin =
                                                      [=](TrainingRun& run) {
                                                          if (at_step == 0)
                                                              run.set_learning_rate(0.125);
                                                      },
                                                  .batch_end = set}}});
        CHECK(trainer.learning_rate() == 0.125);
        return Tensor<double>(std::as_const(model).arena());
    };
    // Behind any batch of the first update but its last.
    const auto expected = train_with_rate(0);
    CHECK(identical(train_with_rate(1), expected));
    CHECK(identical(train_with_rate(2), expected));
    CHECK_FALSE(identical(train_with_rate(3), expected));
}

TEST_CASE("the gradient of many batches is off by the bound of their blocks' roundings") {
    // One weight w, which starts at 0, and x = 1: the update is the mean of all y, 0.1f.
    for (const Index n : {2, 64, 65, 1000, 99999, 100000}) {
        CAPTURE(n);
        Tensor<float> x({n, 1});
        std::ranges::fill(x, 1.0f);
        const std::vector<float> y(static_cast<std::size_t>(n), 0.1f);
        Sequential model{Dense{.units = 1, .use_bias = false, .kernel_initializer = zeros}};
        Trainer trainer(model,
                        {.optimizer = SGD{.learning_rate = 0.5}, .loss = MeanSquaredError{}});
        trainer.fit(x, y,
                    {.batch_size = 1,
                     .gradient_accumulation_steps = n,
                     .shuffle = false,
                     .verbosity = Verbosity::silent});
        CHECK(trainer.steps() == 1);
        const double root = std::sqrt(static_cast<double>(n));
        const double additions = n <= 64 ? static_cast<double>(n - 1) : 2 * root + 2;
        // Each gradient is itself off by up to 3 roundings, and the update by one.
        const double expected = static_cast<double>(0.1f), u = 0x1p-24;
        CHECK(std::abs(static_cast<double>(model.trainable_parameters()[0]) - expected) <=
              (additions + 4) * u * expected);
    }
}

TEST_CASE("blocks of batches train as one batch, also where the last block is short") {
    const Data data = classes();
    const auto many = [](const auto& of, Index times) {
        const Index n = of.shape()[0], size = of.size() / n;
        Tensor<double> all(of.shape().sample().batch(n * times));
        for (Index i = 0; i < all.size(); ++i) {
            all[i] = of[i % of.size()] * (size > 1 ? 1 + 0.01 * static_cast<double>(i % 5) : 1);
        }
        return all;
    };
    // 198 samples, one in each batch: updates of 80 batches (blocks of 9), of 80, and of 38.
    const Tensor<double> x = many(data.x, 9), y = many(data.y, 9);
    const auto trained = [&](Index batch_size, Index steps) {
        Sequential<double> model(layers_for(3, softmax));
        model.build({7}, 3);
        Trainer<double, Cpu> trainer(model, {.optimizer = SGD{.learning_rate = 0.1},
                                             .loss = SparseCategoricalCrossentropy{}});
        trainer.fit(x, y,
                    {.epochs = 2,
                     .batch_size = batch_size,
                     .gradient_accumulation_steps = steps,
                     .seed = 4,
                     .verbosity = Verbosity::silent});
        CHECK(trainer.steps() == 6);
        return Tensor<double>(std::as_const(model).arena());
    };
    CHECK(largest_gap(trained(1, 80), trained(80, 1)) < 1e-12);
}
