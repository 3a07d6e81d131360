/// \file
/// Short training runs of all networks of the tutorials, and of models with all that these lack, the
/// same on every device.
#pragma once

#include "examples/fashion_mnist/models.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/core/staging.hpp"
#include "weft/training/lambda_callback.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

namespace weft {

/// Adds the layer to those of another number type or device if its declaration is a D.
template <class D, class Scalar, class Device>
bool add_if(const LayerDeclaration<float, Cpu>& layer, Graph<Scalar, Device>& graph) {
    const D* const declaration = layer.get_if<D>();
    if (declaration != nullptr) graph.layers.push_back(*declaration);
    return declaration != nullptr;
}

/// The tutorial's network for Scalar on Device, for samples of any shape.
template <class Scalar, class Device>
Model<Scalar, Device> network(const Tutorial& tutorial) {
    const Model<float> model =
        tutorial.graph ? tutorial.graph() : Sequential<float>(tutorial.layers);
    const Graph<float, Cpu>& declared = model.graph();
    Graph<Scalar, Device> graph;
    graph.nodes = declared.nodes;
    graph.read = declared.read;
    graph.outputs = declared.outputs;
    for (const auto& layer : declared.layers) {
        const bool known = add_if<Flatten>(layer, graph) || add_if<Dense>(layer, graph) ||
                           add_if<Conv2D>(layer, graph) || add_if<BatchNorm>(layer, graph) ||
                           add_if<MaxPool2D>(layer, graph) || add_if<Dropout>(layer, graph) ||
                           add_if<GlobalAveragePool2D>(layer, graph) ||
                           add_if<ReLU>(layer, graph) || add_if<Add>(layer, graph);
        REQUIRE_MESSAGE(known, layer.type());
    }
    return Model<Scalar, Device>(std::move(graph));
}

/// A model, how it is trained, and on what.
template <class Scalar, class Device>
struct Run {
    Model<Scalar, Device> model = {};
    TrainerOptions<Scalar, Device> trainer = {};
    Tensor<Scalar> x = {}, y = {};
    FitOptions<Scalar> fit{.batch_size = 3, .seed = 5, .verbosity = Verbosity::silent};
    std::vector<Tensor<Scalar>> more = {};  ///< the targets of further outputs

    Examples<Scalar> data() const {
        if (more.empty()) return {x, y};
        std::vector<Column<Scalar>> targets{y};
        for (const Tensor<Scalar>& target : more) targets.push_back(target);
        return Examples<Scalar>({x}, std::move(targets));
    }
};

/// 16 x 16 pixels are the smallest images that all networks take.
template <class Scalar, class Device>
Run<Scalar, Device> run_of(const Tutorial& tutorial) {
    Run<Scalar, Device> run{.model = network<Scalar, Device>(tutorial),
                            .trainer = {.loss = SparseCategoricalCrossentropy{}}};
    if (tutorial.optimizer == "sgd") {
        run.trainer.optimizer = SGD{.learning_rate = 0.02, .momentum = 0.9, .nesterov = true};
    }
    const Shape sample = tutorial.is_convolutional ? Shape{16, 16, 1} : Shape{16, 16};
    run.x = random_uniform<Scalar>(sample.batch(5), 1, 0, tutorial.pixel_divisor == 1 ? 255 : 1);
    run.y = Tensor<Scalar>({5}, {3, 1, 4, 9, 5});
    return run;
}

/// Images of 7 x 6 pixels and 2 channels.
template <class Scalar>
Tensor<Scalar> images() {
    return random_normal<Scalar>({5, 7, 6, 2}, 2);
}

/// Two epochs with weights of samples, dropout, and moving statistics.
template <class Scalar, class Device>
Run<Scalar, Device> weighted_run() {
    Run<Scalar, Device> run{
        .model = Sequential<Scalar, Device>(Flatten{}, Dense{9, weft::tanh}, BatchNorm{},
                                            Dropout{0.3}, Dense{3, softmax}),
        .trainer = {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}},
        .x = images<Scalar>(),
        .y = Tensor<Scalar>({5}, {2, 0, 1, 2, 2})};
    run.fit.epochs = 2;
    run.fit.sample_weight = {1, 2, 0.5, 0, 3};
    return run;
}

/// What no tutorial has: other layers, losses, optimisers, metrics, and rules for parameters.
template <class Scalar, class Device>
std::vector<Run<Scalar, Device>> other_runs() {
    const Tensor<Scalar> labels({5}, {2, 0, 1, 2, 2}), bits({5, 1}, {1, 0, 0, 1, 1});
    const auto numbers = random_uniform<Scalar>({5, 3}, 3, 0, 1);
    const Conv2D convolution{.filters = 6,
                             .kernel_size = {3, 2},
                             .strides = {2, 1},
                             .padding = same,
                             .groups = 2,
                             .activation = gelu,
                             .kernel_regularizer = l1_l2(0.01, 0.02)};
    const Dense on_outputs{
        .units = 3, .activation = softmax, .activity_regularizer = l1_l2(0.1, 0.2)};
    using Layers = Sequential<Scalar, Device>;
    using Options = TrainerOptions<Scalar, Device>;
    std::vector<Run<Scalar, Device>> runs;
    const auto add_run = [&](Model<Scalar, Device> model, Options trainer,
                             const Tensor<Scalar>& y) {
        runs.push_back({std::move(model), std::move(trainer), images<Scalar>(), y});
    };
    const ZeroPadding2D padding{.before = {1, 0}, .after = {0, 2}};
    const AveragePool2D pool{.pool_size = 3, .strides = 2, .padding = same};
    add_run(Layers(Rescaling{0.5, -0.1}, padding, convolution, pool, LeakyReLU{},
                   Flatten{.data_format = channels_first}, Dense{7, silu}, Dense{3}),
            Options{.optimizer = RMSprop{.momentum = 0.9, .centered = true},
                    .loss = CategoricalCrossentropy{.from_logits = true, .label_smoothing = 0.1},
                    .metrics = {Accuracy{}, TopKAccuracy{.k = 2}},
                    .clipping = {.value = 0.1, .global_norm = 0.2}},
            numbers);
    add_run(Layers(Conv2D{.filters = 4, .kernel_size = 3, .activation = elu}, ELU{0.5},
                   GlobalMaxPool2D{},
                   Dense{.units = 8, .activation = weft::tanh, .kernel_constraint = max_norm(0.5)},
                   Dense{.units = 1, .activation = sigmoid, .kernel_constraint = unit_norm}),
            Options{.optimizer = AdamW{}, .loss = BinaryCrossentropy{}, .metrics = {Accuracy{}}},
            bits);
    runs.back().fit.class_weight = {0.5, 2};
    add_run(Layers(Flatten{}, Dense{9, leaky_relu}, BatchNorm{}, Dropout{0.3}, on_outputs),
            Options{.optimizer = SGD{},
                    .loss = SparseCategoricalCrossentropy{},
                    .metrics = {Accuracy{}, TopKAccuracy{.k = 2}}},
            labels);
    add_run(Layers(Flatten{}, Dense{.units = 9, .kernel_constraint = non_negative}, Softmax{},
                   on_outputs),
            Options{.optimizer = SGD{.momentum = 0.9}, .loss = CategoricalCrossentropy{}}, numbers);
    add_run(Layers(Flatten{}, Dense{9, sigmoid}, on_outputs),
            Options{.optimizer = RMSprop{}, .loss = BinaryCrossentropy{}}, numbers);
    add_run(Layers(Flatten{}, Dense{9}, Tanh{}, Dense{3}), Options{.loss = MeanSquaredError{}},
            numbers);
    // What a device may fuse: relus between products, dropout behind a pool and behind a relu.
    const auto filters = [](Index count) {
        return Conv2D{.filters = count, .kernel_size = 2, .padding = same, .activation = relu};
    };
    add_run(Layers(filters(3), filters(4), MaxPool2D{}, Dropout{0.3}, filters(5), Flatten{},
                   Dense{9, relu}, Dropout{0.2}, Dense{8, relu}, Dense{7, relu}, Dropout{0.4},
                   Dense{3}),
            Options{.loss = MeanSquaredError{}}, numbers);
    // A residual block, a product and a layer that is used twice; every value has several readers.
    const Value<Scalar, Device> x = input<Scalar, Device>({7, 6, 2});
    const SharedLayer<Scalar, Device> shared(
        Conv2D{.filters = 2, .kernel_size = 3, .padding = same, .activation = relu});
    const auto once = x | shared, twice = once | shared | BatchNorm{};
    const auto joined = concatenate(weft::add(x, twice) | ReLU{}, multiply(once, twice));
    add_run(Model<Scalar, Device>(x, joined | MaxPool2D{} | Flatten{} | Dense{3}),
            Options{.loss = MeanSquaredError{}}, numbers);
    runs.push_back(weighted_run<Scalar, Device>());
    // Two outputs, whose losses weigh differently.
    const auto hidden = x | Flatten{} | Dense{8, weft::tanh};
    add_run(Model<Scalar, Device>(x, {hidden | Dense{3, softmax}, hidden | Dense{3}}),
            Options{.loss = {SparseCategoricalCrossentropy{}, MeanSquaredError{}},
                    .loss_weights = {2, 0.5},
                    .output_metrics = {{Accuracy{}}, {}}},
            labels);
    runs.back().more = {numbers};
    return runs;
}

/// What a run leaves: the scores of its epochs and of a validation behind each, and the model's
/// arena.
struct Trained {
    std::vector<std::pair<std::string, double>> scores;
    std::vector<double> start, parameters;
};

template <class Scalar, class Device>
Trained train(Run<Scalar, Device> run) {
    Trained result;
    const auto arena = [&] {
        const Model<Scalar, Device>& model = run.model;
        const auto values = on_host<Scalar>(model.device(), model.arena());
        return std::vector<double>(values.data(), values.data() + values.size());
    };
    if (!run.model.is_built()) run.model.build(run.x.shape().sample(), 7);
    result.start = arena();
    run.fit.validation_data = run.data();
    Trainer<Scalar, Device> trainer(run.model, run.trainer);
    const History history = trainer.fit(run.data(), run.fit);
    REQUIRE_FALSE(history.non_finite);
    for (const EpochRecord& epoch : history.epochs) {
        result.scores.insert(result.scores.end(), epoch.scores.begin(), epoch.scores.end());
    }
    result.parameters = arena();
    return result;
}

/// Trains on both devices, in steps of 3 and 2 samples, and compares what they leave.
///
/// Sums of up to some thousand terms in blocks, through up to 25 layers: gradients are good to some
/// hundred roundings, 100 u = 1e-14 in double and 6e-6 in float. Adam divides them by no less than
/// its epsilon: a step of 1e-3 is good to 1e-3 * 1e-14 / 1e-7 = 1e-10 in double. In float a
/// parameter whose gradient is of rounding alone may go either way, and so may one behind a maximum
/// or a relu that is decided by rounding. They are few: of all steps the mean square tells, with
/// room for one in 10^4 that is turned round. Scores depend on parameters smoothly.
template <class Scalar, class Device, class Other>
Verdict same_training(const Run<Scalar, Device>& run, const Run<Scalar, Other>& other) {
    constexpr bool is_double = sizeof(Scalar) == 8;
    const Trained result = train(run), expected = train(other);
    Verdict verdict;
    if (result.scores.size() != expected.scores.size()) verdict.add("scores", {"not as many"});
    for (std::size_t i = 0; i < expected.scores.size(); ++i) {
        const auto& [name, score] = expected.scores[i];
        const double gap = relative_gap(result.scores[i].second, score);
        verdict.add(name, {gap, ""}, is_double ? 1e-11 : 2e-5);
    }
    double square = 0, step = 0, largest = 0;
    for (std::size_t i = 0; i < expected.parameters.size(); ++i) {
        const double gap = std::abs(result.parameters[i] - expected.parameters[i]);
        largest = std::max(largest, gap);
        square += gap * gap;
        step += std::pow(expected.parameters[i] - expected.start[i], 2);
    }
    verdict.add("mean square of steps", {std::sqrt(square / step), ""}, is_double ? 1e-10 : 2e-2);
    if (is_double) verdict.add("a parameter", {largest, ""}, 1e-10);
    return verdict;
}

/// How much count() grows in the steps of an epoch behind the second: they find the memory that a
/// run needs. One sample a step, all alike.
template <class Scalar, class Device, class Count>
std::int64_t growth_in_steps(Run<Scalar, Device> run, const Count& count) {
    std::vector<std::int64_t> counts;
    counts.reserve(5);
    run.fit.batch_size = run.fit.epochs = 1;
    run.fit.callbacks = {
        LambdaCallback{.batch_end = [&](TrainingRun&) { counts.push_back(count()); }}};
    train(std::move(run));
    REQUIRE(counts.size() == 5);
    return counts[4] - counts[1];
}

}  // namespace weft
