#include "weft/training/fit_options.hpp"

#include "tests/support/captured_output.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/layers/rescaling.hpp"
#include "weft/losses/categorical_crossentropy.hpp"
#include "weft/losses/mean_squared_error.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/metrics/accuracy.hpp"
#include "weft/optimizers/sgd.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>

using namespace weft;

namespace {

/// Samples (n, 3) of three classes.
struct Samples {
    Tensor<double> x;
    std::vector<int> labels;
    explicit Samples(Index n, std::uint32_t stream = 1) : x(random_normal({n, 3}, stream)) {
        for (Index i = 0; i < n; ++i) {
            labels.push_back(x(i, 0) > 0.3 ? 2 : x(i, 1) > 0 ? 1 : 0);
        }
    }
};

Sequential<double> classifier() { return {Input{{3}}, Dense{4, relu}, Dense{3, softmax}}; }

TrainerOptions<double, Cpu> compiled() {
    return {.optimizer = SGD{.learning_rate = 0.1, .momentum = 0.9},
            .loss = SparseCategoricalCrossentropy{},
            .metrics = {Accuracy{}}};
}

using Mask = std::vector<bool>;

/// Passes its input on, and keeps where it was not 0, of each pass in training.
struct Recorder {
    std::shared_ptr<std::vector<Mask>> masks;

    static constexpr std::string_view type = "Recorder";

    template <class Scalar, class Device>
    class Layer;
};

template <class Scalar, class Device>
class Recorder::Layer final : public weft::Layer<Scalar, Device> {
public:
    Layer(const Recorder& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          masks_(options.masks) {}

    void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                 TensorView<Scalar, Device> y) const override {
        copy_elements<Scalar>(pass.device, x, y);
        if (!pass.training) return;
        masks_->emplace_back();
        for (const Scalar value : x) masks_->back().push_back(value != 0);
    }
    void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                  TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                  TensorView<Scalar, Device> dx) const override {
        if (dx) copy_elements<Scalar>(pass.device, dy, dx);
    }

private:
    std::shared_ptr<std::vector<Mask>> masks_;
};

/// The masks of two dropouts, one behind the other, in calls of fit with those options.
std::vector<Mask> masks_of(const FitOptions<double>& options, int fits) {
    const Recorder first{std::make_shared<std::vector<Mask>>()};
    const Recorder second{std::make_shared<std::vector<Mask>>()};
    Sequential<double> model{Input{{40}},
                             Dropout{.rate = 0.5},
                             first,
                             Rescaling{.scale = 1, .offset = 1},
                             Dropout{.rate = 0.5},
                             second,
                             Dense{1}};
    Tensor<double> x({12, 40});
    std::ranges::fill(x, 1.0);
    Trainer trainer(model, {.optimizer = SGD{.learning_rate = 1e-6}, .loss = MeanSquaredError{}});
    for (int i = 0; i < fits; ++i) trainer.fit(x, Tensor<double>({12, 1}), options);
    std::vector<Mask> masks = *first.masks;
    masks.insert(masks.end(), second.masks->begin(), second.masks->end());
    return masks;
}

FitOptions<double> quiet(Index epochs) {
    return {.epochs = epochs, .batch_size = 7, .seed = 5, .verbosity = Verbosity::silent};
}

/// The weights of a model (1 -> 2, no bias, from 0) after one step of SGD of rate 1, whose gradient
/// without limits is (3, 0.5): -2 (y - w x) x with x = 1, over two outputs.
Tensor<double> weights_after(const GradientClipping& clipping) {
    Sequential<double> model{Input{{1}},
                             Dense{.units = 2, .use_bias = false, .kernel_initializer = zeros}};
    Trainer trainer(
        model,
        {.optimizer = SGD{.learning_rate = 1}, .loss = MeanSquaredError{}, .clipping = clipping});
    trainer.fit(Tensor<double>({1, 1}, {1}), Tensor<double>({1, 2}, {-3, -0.5}), quiet(1));
    return Tensor<double>(model.parameter("dense/kernel"));
}

}  // namespace

TEST_CASE("each step of each epoch, fit and layer has a dropout mask of its own") {
    for (const bool shuffle : {false, true}) {
        FitOptions<double> options = quiet(5);
        options.batch_size = 4;
        options.shuffle = shuffle;
        const auto masks = masks_of(options, 2);
        CHECK(masks.size() == 2 * 2 * 5 * 3);
        CHECK(std::set(masks.begin(), masks.end()).size() == masks.size());
        CHECK(masks_of(options, 2) == masks);
        options.seed = 6;
        const auto others = masks_of(options, 2);
        for (std::size_t i = 0; i < masks.size(); ++i) CHECK(masks[i] != others[i]);
    }
}

TEST_CASE("values are limited before the norm is") {
    CHECK(identical(weights_after({}), Tensor<double>({1, 2}, {-3, -0.5})));
    CHECK(identical(weights_after({.value = 1}), Tensor<double>({1, 2}, {-1, -0.5})));
    const double norm = std::sqrt(9.25), limited = std::sqrt(1.25);
    CHECK(largest_gap(weights_after({.global_norm = 0.25}),
                      Tensor<double>({1, 2}, {-0.75 / norm, -0.125 / norm})) < 1e-15);
    CHECK(largest_gap(weights_after({.value = 1, .global_norm = 0.25}),
                      Tensor<double>({1, 2}, {-0.25 / limited, -0.125 / limited})) < 1e-15);
    // The values are limited although the norm then is not.
    CHECK(identical(weights_after({.value = 1, .global_norm = 1.5}),
                    Tensor<double>({1, 2}, {-1, -0.5})));
}

TEST_CASE("whatever training weighs, validation is what evaluate says") {
    const Samples train(30), test(11, 2);
    const std::vector<double> of_classes{3, 0.25, 1};
    std::vector<double> of_samples;
    for (int i = 0; i < 30; ++i) of_samples.push_back(0.2 * (1 + i % 5));
    for (const bool by_class : {false, true}) {
        for (const bool by_sample : {false, true}) {
            for (const bool split : {false, true}) {
                CAPTURE(by_class);
                CAPTURE(by_sample);
                CAPTURE(split);
                FitOptions<double> options = quiet(3);
                if (by_class) options.class_weight = of_classes;
                if (by_sample) options.sample_weight = of_samples;
                auto x = test.x;
                auto labels = test.labels;
                if (split) {
                    options.validation_split = 0.3;
                    x = Tensor<double>(train.x.slice(21, 9));
                    labels.assign(train.labels.begin() + 21, train.labels.end());
                    // The weights of those held back are theirs alone.
                    std::fill(options.sample_weight.begin() + (by_sample ? 21 : 0),
                              options.sample_weight.end(), 1.0);
                } else {
                    options.validation_data = {test.x, test.labels};
                }
                auto model = classifier();
                Trainer trainer(model, compiled());
                const History history = trainer.fit(train.x, train.labels, options);
                const Scores scores = trainer.evaluate(x, labels, 7);
                CHECK(history["val_loss"].back() == scores["loss"]);
                CHECK(history["val_accuracy"].back() == scores["accuracy"]);
            }
        }
    }
}

TEST_CASE("weights of classes and of samples multiply, shuffled or not, by index or one-hot") {
    const Samples train(30);
    const std::vector<double> of_classes{3, 0.25, 1};
    Tensor<double> one_hot({30, 3});
    FitOptions<double> both = quiet(3), product = quiet(3);
    both.class_weight = of_classes;
    for (int i = 0; i < 30; ++i) {
        const auto label = static_cast<std::size_t>(train.labels[static_cast<std::size_t>(i)]);
        one_hot(i, static_cast<Index>(label)) = 1;
        both.sample_weight.push_back(0.25 * (1 + i % 5));
        product.sample_weight.push_back(0.25 * (1 + i % 5) * of_classes[label]);
    }
    const auto trained = [&](FitOptions<double> options, bool shuffle, bool as_index) {
        options.shuffle = shuffle;
        auto model = classifier();
        auto with = compiled();
        if (as_index) {
            Trainer(model, with).fit(train.x, train.labels, options);
        } else {
            with.loss = CategoricalCrossentropy{};
            Trainer(model, with).fit(train.x, one_hot, options);
        }
        return Tensor<double>(std::as_const(model).arena());
    };
    for (const bool shuffle : {false, true}) {
        for (const bool as_index : {false, true}) {
            const auto expected = trained(product, shuffle, as_index);
            CHECK(identical(trained(both, shuffle, as_index), expected));
            both.sample_weight.swap(product.sample_weight);
            CHECK_FALSE(identical(trained(both, shuffle, as_index), expected));
            both.sample_weight.swap(product.sample_weight);
        }
    }
}

TEST_CASE("the last batch of an epoch counts by its samples, with any batch size") {
    // With a learning rate of 0 the loss of an epoch is that of the model as it was.
    const Samples train(30);
    auto model = classifier();
    auto with = compiled();
    with.optimizer = SGD{.learning_rate = 1e-300};
    Trainer trainer(model, with);
    const Scores scores = trainer.evaluate(train.x, train.labels);
    for (const Index batch_size : {1, 7, 16, 29, 30, 31}) {
        FitOptions<double> options = quiet(1);
        options.batch_size = batch_size;
        const History history = trainer.fit(train.x, train.labels, options);
        CAPTURE(batch_size);
        // Sums of 30 numbers about 1 in another order.
        CHECK(relative_gap(history["loss"][0], scores["loss"]) < 30 * 2.3e-16);
        CHECK(history["accuracy"][0] == scores["accuracy"]);
    }
}

TEST_CASE(
    "two calls of fit are one, with schedules, weights, limits and a last batch that is short") {
    const Samples train(30);
    FitOptions<double> options = quiet(1);
    options.class_weight = {3, 0.25, 1};
    auto with = compiled();
    with.learning_rate_schedule = CosineDecay{.initial_learning_rate = 0.1, .decay_steps = 20};
    with.clipping = {.value = 0.2, .global_norm = 0.3};
    auto once = classifier(), twice = classifier();
    options.epochs = 4;
    const History whole = Trainer(once, with).fit(train.x, train.labels, options);
    options.epochs = 2;
    Trainer trainer(twice, with);
    const History first = trainer.fit(train.x, train.labels, options);
    const History second = trainer.fit(train.x, train.labels, options);
    CHECK(identical(twice.arena(), once.arena()));
    auto losses = first["loss"];
    for (const double loss : second["loss"]) losses.push_back(loss);
    CHECK(losses == whole["loss"]);
    CHECK(second.epochs.back().learning_rate == whole.epochs.back().learning_rate);
}

TEST_CASE("weights that are not finite are refused by their place") {
    const Samples train(6);
    auto model = classifier();
    Trainer trainer(model, compiled());
    for (const double bad : {std::numeric_limits<double>::infinity(), std::nan(""), -1.0}) {
        FitOptions<double> options = quiet(1);
        options.class_weight = {1, bad, 1};
        CHECK_THROWS_WITH_AS(trainer.fit(train.x, train.labels, options),
                             doctest::Contains("fit: class_weight 1 is "), ArgumentError);
        options.class_weight.clear();
        options.sample_weight = {1, 1, 1, 1, bad, 1};
        CHECK_THROWS_WITH_AS(trainer.fit(train.x, train.labels, options),
                             doctest::Contains("fit: sample_weight 4 is "), ArgumentError);
    }
    CHECK(trainer.steps() == 0);
}

TEST_CASE("a penalty that is not finite stops training, with losses that are") {
    Sequential<float> model{
        Input{{1}},
        Dense{.units = 1, .kernel_initializer = constant(1e30), .kernel_regularizer = l2(1e300)}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const Tensor<float> zero({2, 1});
    const History history = trainer.fit(zero, zero, {.verbosity = Verbosity::silent});
    REQUIRE(history.non_finite);
    CHECK(history.non_finite->where == "loss");
}

TEST_CASE("fit prints a line for each epoch, and why it stopped") {
    const Samples train(6);
    auto model = classifier();
    Trainer trainer(model, compiled());
    FitOptions<double> options = quiet(2);
    options.verbosity = Verbosity::line;
    const std::string lines = captured_output([&] { trainer.fit(train.x, train.labels, options); });
    CHECK(lines.starts_with("Epoch 1/2  1/1  "));
    CHECK(lines.find("\nEpoch 2/2  1/1  ") != std::string::npos);
    CHECK(std::ranges::count(lines, '\n') == 2);
    CHECK(captured_output([&] { trainer.fit(train.x, train.labels, quiet(1)); }) == "");

    Tensor<double> bad = train.x;
    bad[0] = std::nan("");
    History history;
    const std::string stopped =
        captured_output([&] { history = trainer.fit(bad, train.labels, options); });
    REQUIRE(history.non_finite);
    CHECK(stopped == concat("\nStopped: ", history.non_finite->message(), "\n"));
}

TEST_CASE("validation data that do not fit each other are refused by their name") {
    const Samples all(4);
    const std::vector<int> three{0, 1, 2};
    CHECK_THROWS_WITH_AS(
        (FitOptions<double>{.validation_data = {all.x, three}}),
        "validation_data: dataset: x has 4 samples, y has 3 targets; expected as many", ShapeError);
    CHECK_THROWS_WITH_AS((FitOptions<double>{.validation_data = {{all.x, all.x}, {three}}}),
                         "validation_data: dataset: target 0 has 3 samples, input 0 has 4",
                         ShapeError);
    FitOptions<double> options{.validation_data = {all.x, all.labels}};
    CHECK(options.validation_data->size() == 4);
    options.validation_data = {all.x.slice(0, 3), three};
    CHECK(options.validation_data->size() == 3);
    options.validation_data = Examples<double>(all.x, all.labels);
    CHECK(options.validation_data->size() == 4);
    options.validation_data = std::shared_ptr<const Dataset<double>>();
    CHECK_FALSE(options.validation_data);
}
