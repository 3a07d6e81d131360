/// \file
/// Models on a GPU, or on the simulated one, beside the same on the CPU.
#include "tests/support/cuda.hpp"
#include "tests/support/device_runs.hpp"
#include "weft/cuda.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/training/run_state.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>

using namespace weft;

static_assert((kernels::require_device<Cuda, float>(), kernels::require_device<Cuda, double>(),
               true));

TEST_CASE("the build of a GPU's kernels names the GPU") {
    CHECK(kernels::kernels_build(Cuda()) == "CUDA on " + Cuda().name());
}

TEST_CASE_TEMPLATE("the tutorials' networks train on a GPU as on the CPU", Scalar, float, double) {
    for (const Tutorial& known : tutorials()) {
        CAPTURE(known.id);
        CHECK(same_training(run_of<Scalar, Cuda>(known), run_of<Scalar, Cpu>(known)));
    }
}

TEST_CASE_TEMPLATE("models with all other layers train on a GPU as on the CPU", Scalar, float,
                   double) {
    const auto runs = other_runs<Scalar, Cuda>();
    const auto expected = other_runs<Scalar, Cpu>();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        CAPTURE(i);
        CHECK(same_training(runs[i], expected[i]));
    }
}

namespace {

/// The losses of epochs, and the last accuracy if that is counted.
struct Learnt {
    std::vector<double> losses;
    double accuracy;
};

template <class Scalar, class Device>
Learnt learnt_by(Run<Scalar, Device> run, Index epochs) {
    run.model.build(run.x.shape().sample(), 7);
    run.fit.epochs = epochs;
    Trainer<Scalar, Device> trainer(run.model, run.trainer);
    Learnt learnt{};
    for (const EpochRecord& epoch : trainer.fit(run.data(), run.fit).epochs) {
        learnt.losses.push_back(epoch.scores["loss"]);
        if (!run.trainer.metrics.empty()) learnt.accuracy = epoch.scores["accuracy"];
    }
    return learnt;
}

/// Trains both, and compares the losses of all epochs. What is left is the GPU's.
template <class Scalar>
Learnt same_losses(Run<Scalar, Cuda> run, Run<Scalar, Cpu> other, Index epochs, double bound) {
    Learnt learnt = learnt_by(std::move(run), epochs);
    const Learnt expected = learnt_by(std::move(other), epochs);
    REQUIRE(learnt.losses.size() == static_cast<std::size_t>(epochs));
    for (std::size_t i = 0; i < learnt.losses.size(); ++i) {
        CAPTURE(i);
        CHECK(relative_gap(learnt.losses[i], expected.losses[i]) < bound);
    }
    return learnt;
}

}  // namespace

TEST_CASE("ten steps of the tutorials' networks on a GPU have the losses of the CPU's") {
    // Batch norms of three images make roundings grow, and so do Adam's first steps, which have the
    // size of the rate whatever the gradient. At their own rates, float losses of cnn-bn and resnet
    // move by up to 0.015 on the CPU alone when each pixel is changed by a rounding, and cnn-wide's
    // are 0.003 apart on the two devices. So these have a tenth of the rate in float; in double all
    // have their own.
    const std::set<std::string> grows{"cnn-bn", "cnn-wide", "resnet"};
    const auto float_run = [&]<class Device>(const Tutorial& known, Device* /*of_type*/) {
        Run<float, Device> run = run_of<float, Device>(known);
        if (grows.contains(known.id)) {
            const double rate = run.trainer.optimizer->learning_rate() / 10;
            run.trainer.learning_rate_schedule = [rate](std::int64_t) { return rate; };
        }
        return run;
    };
    for (const Tutorial& known : tutorials()) {
        CAPTURE(known.id);
        same_losses(run_of<double, Cuda>(known), run_of<double, Cpu>(known), 5, 1e-8);
        same_losses(float_run(known, static_cast<Cuda*>(nullptr)),
                    float_run(known, static_cast<Cpu*>(nullptr)), 5, 1e-4);
    }
}

TEST_CASE("mlp learns on a GPU as on the CPU, from the first step to the last") {
    // A picture of class k has three bright rows from row 2 k on.
    constexpr Index count = 120;
    auto x = random_uniform<float>({count, 28, 28}, 1, 0, 0.5);
    Tensor<float> labels({count});
    for (Index n = 0; n < count; ++n) {
        const Index label = n * 7 % 10;
        labels[n] = static_cast<float>(label);
        for (Index i = 0; i < 3 * 28; ++i) x[(n * 28 + label * 2) * 28 + i] += 0.5F;
    }
    const Tutorial mlp = tutorial("mlp");
    const auto of = [&]<class Device>(Device* /*of_type*/) {
        Run<float, Device> run = run_of<float, Device>(mlp);
        run.x = x;
        run.y = labels;
        run.trainer.metrics = {Accuracy{}};
        run.fit.batch_size = 16;
        return run;
    };
    const Learnt learnt =
        same_losses(of(static_cast<Cuda*>(nullptr)), of(static_cast<Cpu*>(nullptr)), 8, 1e-4);
    CHECK(learnt.losses.back() < learnt.losses.front() / 4);
    CHECK(learnt.accuracy > 0.95);
}

TEST_CASE(
    "a model that moves to another stream between two fits takes the optimiser's state along") {
    const auto x = random_normal<float>({40, 6}, 1), y = random_normal<float>({40, 1}, 2);
    const FitOptions<float> fit{.batch_size = 8, .seed = 3, .verbosity = Verbosity::silent};
    const auto train = [&](bool moves) {
        Sequential<float, Cuda> model{Dense{5, relu}, Dense{1}};
        model.build({6}, 4);
        Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
        trainer.fit(x, y, fit);
        if (moves) model.set_device(Cuda());
        trainer.fit(x, y, fit);
        return Tensor<float>(to<Cpu>(model).arena());
    };
    CHECK(identical(train(true), train(false)));
}

namespace {

/// Trains four epochs of 5 batches, the last of them shorter, with all that changes from step to
/// step: a schedule, dropout, the order, Adam's correction; two batches to an update if asked to.
Tensor<float> train_with(const CudaOptions& options, FitOptions<float> fit, int runs = 1) {
    const auto x = random_normal<float>({19, 6}, 1);
    Tensor<float> labels({19});
    for (Index i = 0; i < 19; ++i) labels[i] = static_cast<float>(i % 3);
    Sequential<float> declared{Dense{9, relu}, BatchNorm{}, Dropout{0.3}, Dense{3, softmax}};
    declared.build({6}, 4);
    Model<float, Cuda> model = to<Cuda>(declared, Cuda(options));
    Trainer<float, Cuda> trainer(model, {.optimizer = Adam{},
                                         .loss = SparseCategoricalCrossentropy{},
                                         .metrics = {Accuracy{}},
                                         .learning_rate_schedule = CosineDecay{
                                             .initial_learning_rate = 0.01, .decay_steps = 20}});
    fit.epochs = 4;
    fit.batch_size = 4;
    fit.verbosity = Verbosity::silent;
    for (int run = 0; run < runs; ++run) trainer.fit(x, labels, fit);
    return Tensor<float>(to<Cpu>(model).arena());
}

}  // namespace

TEST_CASE("steps that are recorded and repeated leave the bits of steps that are not") {
    for (const Index to_update : {1, 2}) {
        CAPTURE(to_update);
        const FitOptions<float> fit{.gradient_accumulation_steps = to_update, .seed = 3};
        const auto expected = train_with({.graphs = false}, fit, 2);
        CHECK(identical(train_with({.graphs = true}, fit, 2), expected));
        auto by_batch = fit;
        by_batch.resident_bytes = 0;
        CHECK(identical(train_with({.graphs = true}, by_batch, 2), expected));
        CHECK(identical(train_with({.graphs = true}, fit, 2), expected));
        auto by_step = fit;  // a graph for each, as somebody listens
        by_step.callbacks.push_back(LambdaCallback{.batch_end = [](TrainingRun&) {}});
        CHECK(identical(train_with({.graphs = true}, by_step, 2), expected));
    }
}

namespace {

/// SGD that leaves the step's factor alone.
struct OwnDescent {
    double learning_rate = 0.1;

    static constexpr std::string_view type = "OwnDescent";
    friend bool operator==(const OwnDescent&, const OwnDescent&) = default;

    template <class Scalar, class Device>
    class Update;
};

template <class Scalar, class Device>
class OwnDescent::Update final : public Optimizer<Scalar, Device> {
public:
    explicit Update(const OwnDescent& options) : rate_(options.learning_rate) {}

    double learning_rate() const override { return rate_; }
    Index state_vectors() const override { return 0; }
    std::size_t step_bytes() const override { return sizeof(kernels::SGDStep<Scalar>); }
    void write_step(std::int64_t, double learning_rate, std::byte* numbers) const override {
        detail::write_step(kernels::SGDStep<Scalar>{static_cast<Scalar>(learning_rate)}, numbers);
    }
    void update(Device& device, const kernels::DeviceStep<std::byte>& step,
                TensorView<Scalar, Device> parameters, TensorView<const Scalar, Device> gradients,
                TensorView<Scalar, Device>) const override {
        auto own = detail::step_of<kernels::SGDStep<Scalar>>(step);
        own.factor = nullptr;
        sgd_update<Scalar>(device, own, gradients, parameters);
    }

private:
    double rate_;
};

}  // namespace

TEST_CASE("gradients are limited before an optimiser of one's own, in the update of weft's") {
    const auto x = random_normal<float>({24, 6}, 1), y = random_normal<float>({24, 1}, 2);
    const auto train = [&](const OptimizerDeclaration<float, Cuda>& optimizer, double limit) {
        Sequential<float, Cuda> model{Dense{5, relu}, Dense{1}};
        model.build({6}, 4);
        Trainer<float, Cuda> trainer(model, {.optimizer = optimizer,
                                             .loss = MeanSquaredError{},
                                             .clipping = {.value = 0.5, .global_norm = limit}});
        trainer.fit(x, y,
                    {.epochs = 2, .batch_size = 4, .seed = 3, .verbosity = Verbosity::silent});
        return Tensor<float>(to<Cpu>(model).arena());
    };
    const auto limited = train(SGD{.learning_rate = 0.1}, 0.2);
    CHECK(identical(train(OwnDescent{}, 0.2), limited));
    CHECK_FALSE(identical(train(SGD{.learning_rate = 0.1}, 0), limited));
    CHECK(identical(train(OwnDescent{}, 0), train(SGD{.learning_rate = 0.1}, 0)));
}

TEST_CASE("recorded steps of weighted samples leave the bits of steps that are not") {
    for (const Index to_update : {1, 2}) {
        for (const bool has_classes : {false, true}) {
            CAPTURE(to_update);
            CAPTURE(has_classes);
            FitOptions<float> fit{.gradient_accumulation_steps = to_update, .seed = 3};
            for (int i = 0; i < 19; ++i) fit.sample_weight.push_back(i % 5 / 2.0);
            if (has_classes) fit.class_weight = {0.5, 2, 1};
            auto by_batch = fit;
            by_batch.resident_bytes = 0;
            const auto expected = train_with({.graphs = false}, by_batch, 2);
            auto unweighted = by_batch, ones = by_batch;
            unweighted.sample_weight.clear();
            unweighted.class_weight.clear();
            ones.sample_weight.assign(19, 1.0);
            ones.class_weight.clear();
            const auto without = train_with({.graphs = false}, unweighted, 2);
            CHECK_FALSE(identical(without, expected));
            CHECK(identical(train_with({.graphs = true}, ones, 2), without));
            CHECK(identical(train_with({.graphs = true}, by_batch, 2), expected));
            CHECK(identical(train_with({.graphs = true}, fit, 2), expected));
        }
    }
}

TEST_CASE("gradients of weights beside those of inputs leave the bits of one after another") {
    const auto x = random_normal<float>({22, 6, 5, 2}, 1);
    Tensor<float> labels({22});
    for (Index i = 0; i < 22; ++i) labels[i] = static_cast<float>(i % 3);
    Sequential<float> declared{Conv2D{.filters = 3, .kernel_size = 3, .activation = relu},
                               Conv2D{.filters = 4, .kernel_size = 2, .activation = relu},
                               BatchNorm{},
                               MaxPool2D{},
                               Flatten{},
                               Dense{9, relu},
                               Dropout{0.3},
                               Dense{7, Activation::tanh},
                               Dense{3, softmax}};
    declared.build({6, 5, 2}, 4);
    const auto train = [&](const CudaOptions& options) {
        Model<float, Cuda> model = to<Cuda>(declared, Cuda(options));
        Trainer<float, Cuda> trainer(
            model, {.optimizer = Adam{}, .loss = SparseCategoricalCrossentropy{}});
        for (const Index to_update : {1, 2}) {
            trainer.fit(x, labels,
                        {.epochs = 3,
                         .batch_size = 4,
                         .gradient_accumulation_steps = to_update,
                         .seed = 3,
                         .verbosity = Verbosity::silent});
        }
        return Tensor<float>(to<Cpu>(model).arena());
    };
    const auto expected = train({.graphs = false, .second_stream = false});
    in_each_order([&] {
        for (const bool graphs : {false, true}) {
            CAPTURE(graphs);
            CHECK(identical(train({.graphs = graphs, .second_stream = true}), expected));
        }
    });
}

TEST_CASE("steps that are many to a graph leave the bits of single ones") {
    // 75 steps an epoch, the last of a shorter batch: more than the table of steps has rows.
    const auto x = random_normal<float>({149, 4}, 1), y = random_normal<float>({149, 1}, 2);
    Sequential<float> declared{Dense{5, relu}, Dropout{0.3}, Dense{1}};
    declared.build({4}, 4);
    struct Left {
        Tensor<float> parameters;
        std::vector<Tensor<float>> at_checkpoints;
        double loss, learning_rate;
        std::int64_t steps;
    };
    const auto train = [&](const CudaOptions& options, bool is_listened_to, Index every_steps,
                           bool weighs) {
        Model<float, Cuda> model = to<Cuda>(declared, Cuda(options));
        Trainer<float, Cuda> trainer(
            model, {.loss = MeanSquaredError{},
                    .learning_rate_schedule =
                        CosineDecay{.initial_learning_rate = 0.01, .decay_steps = 300}});
        Left left{};
        FitOptions<float> fit{
            .epochs = 3, .batch_size = 2, .seed = 3, .verbosity = Verbosity::silent};
        for (int i = 0; weighs && i < 149; ++i) fit.sample_weight.push_back(i % 5);
        if (is_listened_to) {
            fit.callbacks.push_back(LambdaCallback{.batch_end = [](TrainingRun&) {}});
        }
        fit.checkpoint = run_store(
            [] { return std::nullopt; },
            [&](const RunState&) { left.at_checkpoints.emplace_back(to<Cpu>(model).arena()); },
            every_steps);
        const History history = trainer.fit(x, y, fit);
        left.parameters = Tensor<float>(to<Cpu>(model).arena());
        left.loss = history.epochs.back().scores["loss"];
        left.learning_rate = trainer.learning_rate();
        left.steps = trainer.steps();
        return left;
    };
    for (const auto& run : {std::pair<Index, bool>{0, false}, {11, false}, {0, true}}) {
        const Index every_steps = run.first;
        const bool weighs = run.second;
        CAPTURE(every_steps);
        CAPTURE(weighs);
        const Left expected = train({.graphs = false}, true, every_steps, weighs);
        CHECK(expected.steps == 225);
        CHECK(expected.at_checkpoints.size() == (every_steps == 0 ? 4 : 4 + 20));
        for (const bool graphs : {true, false}) {
            for (const bool is_listened_to : {true, false}) {
                CAPTURE(graphs);
                CAPTURE(is_listened_to);
                const Left left = train({.graphs = graphs}, is_listened_to, every_steps, weighs);
                CHECK(identical(left.parameters, expected.parameters));
                CHECK(left.loss == expected.loss);
                CHECK(left.learning_rate == expected.learning_rate);
                CHECK(left.steps == expected.steps);
                REQUIRE(left.at_checkpoints.size() == expected.at_checkpoints.size());
                for (std::size_t i = 0; i < left.at_checkpoints.size(); ++i) {
                    CAPTURE(i);
                    CHECK(identical(left.at_checkpoints[i], expected.at_checkpoints[i]));
                }
            }
        }
    }
}

TEST_CASE("many samples are predicted on a GPU as they are by themselves") {
    Sequential<float, Cuda> model{Dense{2, relu}, Dense{3}};
    model.build({5}, 4);
    const auto x = random_normal<float>({9000, 5}, 1);
    const Tensor<float> y = model.predict(x);
    CHECK(y.shape() == Shape{9000, 3});
    // Batches of 1024 are alike, wherever they begin.
    const Tensor<float> part = model.predict(Tensor<float>(x.slice(8192, 808)));
    CHECK(identical(part, y.slice(8192, 808)));
    CHECK(model.predict(Tensor<float>(x.sample(0))).shape() == Shape{3});
    CHECK_THROWS_AS(model.predict(random_normal<float>({9000, 6}, 1)), ShapeError);
}

TEST_CASE("a model that is moved while it is trained is refused, or stays where it is") {
    const auto x = random_normal<float>({24, 6}, 1), y = random_normal<float>({24, 1}, 2);
    for (const bool graphs : {true, false}) {
        CAPTURE(graphs);
        const Cuda device({.graphs = graphs});
        const auto train = [&](const std::function<void(Model<float, Cuda>&)>& move) {
            Sequential<float, Cuda> model{Dense{5, relu}, Dense{1}};
            model.set_device(device);
            model.build({6}, 4);
            Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
            const auto at_fourth = [&](TrainingRun& run) {
                if (run.step() == 4) move(model);
            };
            trainer.fit(x, y,
                        {.epochs = 2,
                         .batch_size = 4,
                         .seed = 3,
                         .verbosity = Verbosity::silent,
                         .callbacks = {LambdaCallback{.batch_end = at_fourth}}});
            return Tensor<float>(to<Cpu>(model).arena());
        };
        const auto expected = train([](auto&) {});
        // A copy of its device shares the memory.
        CHECK(identical(train([&](auto& model) { model.set_device(device); }), expected));
        CHECK_THROWS_WITH_AS(
            train([](auto& model) { model.set_device(Cuda()); }),
            "fit: the model was moved to another device while it was trained; do so after fit",
            ArgumentError);
    }
}

TEST_CASE("recorded steps take the rate that a callback sets within an update") {
    const auto x = random_normal<float>({24, 6}, 1), y = random_normal<float>({24, 1}, 2);
    const auto train = [&](auto device) {
        using Device = decltype(device);
        Sequential<float> declared{Dense{5, relu}, Dense{1}};
        declared.build({6}, 4);
        Model<float, Device> model = to<Device>(declared, device);
        Trainer<float, Device> trainer(
            model, {.optimizer = SGD{.learning_rate = 0.1}, .loss = MeanSquaredError{}});
        const auto lower = [](TrainingRun& run) {
            if (run.step() % 2 == 1) run.set_learning_rate(run.learning_rate() / 2);
        };
        trainer.fit(x, y,
                    {.epochs = 4,
                     .batch_size = 4,
                     .gradient_accumulation_steps = 3,
                     .seed = 3,
                     .verbosity = Verbosity::silent,
                     .callbacks = {LambdaCallback{.batch_end = lower}}});
        CHECK(trainer.learning_rate() == 0.1 / 4096);
        return Tensor<float>(to<Cpu>(model).arena());
    };
    const auto recorded = train(Cuda());
    CHECK(identical(recorded, train(Cuda({.graphs = false}))));
    CHECK(largest_gap(recorded, train(Cpu())) < 1e-5);
}
