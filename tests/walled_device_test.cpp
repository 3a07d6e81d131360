// What runs on a device whose memory the host cannot see leaves the CPU's bits.
#include "tests/support/walled_device.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/captured_output.hpp"
#include "tests/support/device_runs.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/io/model_checkpoint.hpp"
#include "weft/io/model_file.hpp"
#include "weft/model/to_device.hpp"
#include "weft/training/run_state.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;

namespace {

using kernels::Wall;

/// Layers as a program declares them; the input's shape without N.
using Layers = std::vector<LayerDeclaration<float, Cpu>>;

Sequential<float> built(const Layers& layers, const Shape& input) {
    Sequential<float> model(layers);
    model.build(input, 3);
    return model;
}

struct Samples {
    Tensor<float> x, y;

    operator Examples<float>() const { return {x, y}; }
};

/// Samples of that shape, of classes 0, 1, ... in turn.
Samples samples(const Shape& input, Index count, Index classes) {
    Tensor<float> labels(Shape{count});
    for (Index i = 0; i < count; ++i) labels[i] = static_cast<float>(i % classes);
    return {random_normal<float>(input.batch(count), 1), labels};
}

/// All that a run leaves behind.
struct Outcome {
    Tensor<float> parameters, predictions;
    RunState state;  ///< after the last epoch
    History history;
    Scores evaluated;
};

/// Trains a copy of the model on the device, with a checkpoint each step; `options_of(device)` are
/// the trainer's, made for that device.
template <class Device, class OptionsOf>
Outcome run(const Model<float>& declared, const OptionsOf& options_of, const Examples<float>& data,
            FitOptions<float> fit) {
    Model<float, Device> model = to<Device>(declared);
    Trainer<float, Device> trainer(model, options_of(std::type_identity<Device>()));
    Outcome outcome;
    fit.verbosity = Verbosity::silent;
    fit.checkpoint =
        run_store([] { return std::nullopt; },
                  [&](const RunState& state) { outcome.state = state; }, /*every_steps=*/1);
    outcome.history = trainer.fit(data, fit);
    outcome.evaluated = trainer.evaluate(data, 3);
    const Tensor<float> x = random_normal<float>(declared.input_shape().batch(3), 5);
    outcome.predictions = model.predict(x);
    const Model<float> trained = to<Cpu>(model);
    outcome.parameters = Tensor<float>(trained.arena());
    return outcome;
}

std::vector<std::pair<std::string, double>> numbers(const Scores& scores) {
    return {scores.begin(), scores.end()};
}

/// The values of a state, but for the time that the run took.
std::vector<std::string> texts(const RunState& state) {
    std::vector<std::string> result;
    for (const RunState::Value& value : state.values) {
        if (value.name.ends_with("seconds") || value.name.find("history") != std::string::npos) {
            continue;
        }
        result.push_back(
            value.name + ": " +
            std::string(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()));
    }
    return result;
}

void require_same(const Outcome& walled, const Outcome& cpu) {
    CHECK(identical(walled.parameters, cpu.parameters));
    CHECK(identical(walled.predictions, cpu.predictions));
    CHECK(texts(walled.state) == texts(cpu.state));
    CHECK(cpu.state.values.size() > 3);
    REQUIRE(walled.history.epochs.size() == cpu.history.epochs.size());
    for (std::size_t i = 0; i < cpu.history.epochs.size(); ++i) {
        CHECK(numbers(walled.history.epochs[i].scores) == numbers(cpu.history.epochs[i].scores));
    }
    CHECK(walled.history.hints == cpu.history.hints);
    CHECK(numbers(walled.evaluated) == numbers(cpu.evaluated));
}

/// Trains on both devices, two epochs of batches of 2, 2 and 1 unless said otherwise.
template <class OptionsOf>
void compare_models(const Model<float>& model, const OptionsOf& options_of,
                    FitOptions<float> fit = {}, const Examples<float>& own_data = {},
                    Index classes = 4) {
    const Samples made = samples(model.input_shape(), 5, classes);
    const Examples<float> data = own_data ? own_data : made;
    if (fit.epochs == 1) fit.epochs = 2;
    if (fit.batch_size == 32) fit.batch_size = 2;
    const Outcome cpu = run<Cpu>(model, options_of, data, fit);
    CHECK_FALSE(identical(cpu.parameters, Tensor<float>(model.arena())));
    require_same(run<Walled>(model, options_of, data, fit), cpu);
}
template <class OptionsOf>
void compare(const Layers& layers, const Shape& input, const OptionsOf& options_of,
             const FitOptions<float>& fit = {}, const Examples<float>& data = {},
             Index classes = 4) {
    compare_models(built(layers, input), options_of, fit, data, classes);
}

/// Adam, the usual loss and accuracy, on that device.
const auto usual = []<class Device>(std::type_identity<Device>) {
    return TrainerOptions<float, Device>{
        .optimizer = Adam{}, .loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}};
};

/// A layer that is not weft's: y = x.
struct Same {
    static constexpr std::string_view type = "Same";

    template <class Scalar, class Device>
    class Layer final : public weft::Layer<Scalar, Device> {
    public:
        Layer(const Same&, LayerBuilder& builder)
            : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()) {}

        void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                     TensorView<Scalar, Device> y) const override {
            copy_elements<Scalar>(pass.device, x, y);
        }
        void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                      TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                      TensorView<Scalar, Device> dx) const override {
            if (dx) copy_elements<Scalar>(pass.device, dy, dx);
        }
    };
};

template <class View>
concept HasElements = requires(View view) { view.begin(); } || requires(View view) {
    view.end();
} || requires(View view) { view[0]; } || requires(View view) { view(0); };

/// Whether this process can read there: the kernel refuses to write what it cannot.
bool is_readable(const void* address) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const bool readable = write(ends[1], address, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return readable;
}

}  // namespace

TEST_CASE("elements can be named only where the host can see them") {
    CHECK(HasElements<TensorView<float, Cpu>>);
    CHECK(HasElements<Tensor<float, Cpu>>);
    CHECK(HasElements<const Tensor<float, Cpu>>);
    CHECK_FALSE(HasElements<TensorView<float, Walled>>);
    CHECK_FALSE(HasElements<TensorView<const float, Walled>>);
    CHECK_FALSE(HasElements<Tensor<float, Walled>>);
    CHECK_FALSE(HasElements<const Tensor<float, Walled>>);
    // Nor is a tensor made or read in the host's memory by mistake.
    CHECK_FALSE(std::is_constructible_v<Tensor<float, Walled>, Shape>);
    CHECK_FALSE(std::is_constructible_v<Tensor<float, Walled>, TensorView<const float, Walled>>);
    CHECK_FALSE(std::is_convertible_v<TensorView<float, Walled>, TensorView<float>>);
    CHECK(std::is_convertible_v<TensorView<float, Walled>, TensorView<const float, Walled>>);
    CHECK_FALSE(std::is_convertible_v<TensorView<const float>, TensorView<float>>);
}

TEST_CASE("the wall is closed outside of kernels") {
    CHECK(kernels::Device<Walled, float>);
    Walled device;
    Tensor<float, Walled> x(Shape{3, 5}, device);
    const Tensor<float> values = random_normal<float>({3, 5}, 1);
    copy_to_device<float>(device, values, x);
    CHECK_FALSE(is_readable(x.data()));
    CHECK(device.run([&](Cpu&) { return is_readable(x.data()); }));
    CHECK_FALSE(is_readable(x.data()));

    // Copies are deep; what is moved from is empty.
    Tensor<float, Walled> copy = x;
    CHECK(copy.data() != x.data());
    CHECK(identical(on_host<float>(device, copy), values));
    const Tensor<float, Walled> moved = std::move(copy);
    CHECK(copy.shape() == Shape{0});
    CHECK(identical(on_host<float>(device, moved), values));
    CHECK(identical(on_host<float>(device, Tensor<float, Walled>(Shape{2}, device)),
                    Tensor<float>(Shape{2})));
}

TEST_CASE("staging: no copy where the host can see the numbers") {
    const Cpu cpu;
    Tensor<float> x = random_normal<float>({4, 2}, 1);
    CHECK(on_host<float>(cpu, x).data() == x.data());
    StagedTensor<float, Cpu> staged(Shape{4, 2}, cpu);
    CHECK(staged.host().data() == staged.slice(0, 4).data());
    CHECK(sizeof(StagedTensor<float, Cpu>) == sizeof(Tensor<float>));

    const Walled walled;
    StagedTensor<float, Walled> sent(Shape{4, 2}, walled);
    std::ranges::copy(x, sent.host().begin());
    sent.send(walled, 3);  // not the last sample
    Tensor<float> expected = x;
    expected(3, 0) = expected(3, 1) = 0;
    CHECK(identical(on_host<float>(walled, sent.slice(0, 4)), expected));
    const auto fail = [&] {
        write_on_host(walled, sent.slice(0, 4), [](TensorView<float> numbers) {
            std::ranges::fill(numbers, 1.f);
            throw IoError("no more");
        });
    };
    CHECK_THROWS_AS(fail(), IoError);
    CHECK(identical(on_host<float>(walled, sent.slice(0, 4)), expected));
}

TEST_CASE("the tutorials' networks train alike behind the wall") {
    for (const Tutorial& tutorial : tutorials()) {
        CAPTURE(tutorial.id);
        const bool sgd = tutorial.optimizer == "sgd";
        const auto options = [&]<class Device>(std::type_identity<Device> device) {
            TrainerOptions<float, Device> result = usual(device);
            if (sgd) result.optimizer = SGD{.learning_rate = 0.05, .momentum = 0.9};
            return result;
        };
        // 16 pixels: the least that four poolings leave something of.
        const Shape input = tutorial.is_convolutional ? Shape{16, 16, 1} : Shape{16, 16};
        Model<float> model = tutorial.graph ? tutorial.graph() : Sequential<float>(tutorial.layers);
        model.build(input, 3);
        compare_models(model, options, {}, {}, 10);
    }
}

TEST_CASE("all layers train alike behind the wall") {
    compare({Rescaling{0.5, 0.1},
             ZeroPadding2D{},
             Conv2D{.filters = 6,
                    .kernel_size = 3,
                    .strides = 2,
                    .padding = same,
                    .activation = gelu,
                    .activity_regularizer = l2(0.01)},
             BatchNorm{},
             ReLU{},
             MaxPool2D{},
             Conv2D{.filters = 4, .kernel_size = 2, .groups = 2, .activation = weft::tanh},
             LeakyReLU{},
             AveragePool2D{.pool_size = 2, .strides = 1},
             ELU{},
             Flatten{.data_format = channels_first},
             Dense{12, sigmoid},
             Dropout{0.3},
             Reshape{{2, 6}},
             Dense{4, silu},
             GELU{},
             Tanh{},
             Flatten{},
             Dense{4},
             Softmax{}},
            {11, 9, 2}, usual);
    compare({Conv2D{.filters = 3, .kernel_size = 2, .use_bias = false}, SiLU{}, GlobalMaxPool2D{},
             BatchNorm{.center = false}, Dense{4, leaky_relu}, Sigmoid{}, Dense{4, softmax}},
            {5, 6, 2}, usual);
    compare({Conv2D{.filters = 4, .kernel_size = 3, .dilation_rate = 2, .activation = elu},
             BatchNorm{.scale = false}, GlobalAveragePool2D{}, Dense{4, softmax}},
            {7, 8, 1}, usual);
    // No chain: an input read twice, merges of each kind, a layer applied twice.
    const auto x = input({4, 4, 2});
    const SharedLayer shared(Conv2D{.filters = 2, .kernel_size = 3, .padding = same});
    const auto y = add(x, x | shared | shared);
    const auto z = concatenate(y, multiply(x, y | ReLU{}));
    compare_models(Model(x, z | GlobalAveragePool2D{} | Dense{4, softmax}), usual);
    // A window of more taps than a byte counts; one number a sample.
    compare({MaxPool2D{.pool_size = 17, .strides = 1}, Flatten{}, Dense{4, softmax}}, {18, 19, 1},
            usual);
    compare({Dense{3, relu}, Dense{4, softmax}}, {1}, usual);
}

TEST_CASE("all losses and metrics are alike behind the wall") {
    const auto with = [](auto loss) {
        return [loss]<class Device>(std::type_identity<Device>) {
            return TrainerOptions<float, Device>{
                .optimizer = Adam{}, .loss = loss, .metrics = {Accuracy{}, TopKAccuracy{.k = 2}}};
        };
    };
    const Shape input{3};
    const Tensor<float> x = random_normal<float>({5, 3}, 1);
    Tensor<float> one_hot(Shape{5, 4}), yes_no(Shape{5, 1});
    for (Index i = 0; i < 5; ++i) one_hot(i, i % 4) = yes_no(i % 2, 0) = 1;
    const Layers logits{Dense{4}}, to_softmax{Dense{4, softmax}}, to_sigmoid{Dense{4, sigmoid}};

    compare(logits, input, with(SparseCategoricalCrossentropy{.from_logits = true}));
    compare({Dense{4, softmax}, Dropout{0.1}}, input, with(SparseCategoricalCrossentropy{}));
    for (const double smoothing : {0.0, 0.1}) {
        compare(logits, input,
                with(CategoricalCrossentropy{.from_logits = true, .label_smoothing = smoothing}),
                {}, {x, one_hot});
        compare(to_softmax, input, with(CategoricalCrossentropy{.label_smoothing = smoothing}), {},
                {x, one_hot});
        compare({Dense{4, softmax}, Dropout{0.1}}, input,
                with(CategoricalCrossentropy{.label_smoothing = smoothing}), {}, {x, one_hot});
        compare(logits, input,
                with(BinaryCrossentropy{.from_logits = true, .label_smoothing = smoothing}), {},
                {x, one_hot});
        compare(to_sigmoid, input, with(BinaryCrossentropy{.label_smoothing = smoothing}), {},
                {x, one_hot});
        compare({Dense{1, sigmoid}, Dropout{0.1}}, input,
                with(BinaryCrossentropy{.label_smoothing = smoothing}), {}, {x, yes_no});
    }
    compare(logits, input, with(MeanSquaredError{}), {}, {x, one_hot});
}

TEST_CASE("optimisers, penalties, constraints, limits and weights are alike behind the wall") {
    const Layers layers{Conv2D{.filters = 3,
                               .kernel_size = 2,
                               .activation = relu,
                               .kernel_regularizer = {.l1 = 0.01, .l2 = 0.02},
                               .bias_regularizer = l2(0.1),
                               .activity_regularizer = l1(0.01),
                               .kernel_constraint = max_norm(0.8),
                               .bias_constraint = non_negative},
                        BatchNorm{}, Flatten{},
                        Dense{.units = 5, .activation = relu, .kernel_constraint = unit_norm},
                        Dense{4, softmax}};
    const auto with = [](auto optimizer) {
        return [optimizer]<class Device>(std::type_identity<Device> device) {
            TrainerOptions<float, Device> options = usual(device);
            options.optimizer = optimizer;
            options.clipping = {.value = 0.5, .global_norm = 0.4};
            options.learning_rate_schedule = CosineDecay{0.01, 8};
            return options;
        };
    };
    FitOptions<float> fit;
    fit.class_weight = {1, 2, 0.5, 1};
    fit.sample_weight = {1, 2, 3, 4, 5, 6, 7};
    fit.validation_split = 0.3;
    const Samples data = samples({4, 3, 2}, 7, 4);
    compare(layers, {4, 3, 2}, with(SGD{}), fit, data);
    compare(layers, {4, 3, 2}, with(SGD{.momentum = 0.9, .nesterov = true}), fit, data);
    compare(layers, {4, 3, 2}, with(Adam{}), fit, data);
    compare(layers, {4, 3, 2}, with(AdamW{}), fit, data);
    compare(layers, {4, 3, 2}, with(RMSprop{}), fit, data);
    compare(layers, {4, 3, 2}, with(RMSprop{.momentum = 0.5}), fit, data);
    compare(layers, {4, 3, 2}, with(RMSprop{.momentum = 0.5, .centered = true}), fit, data);
}

TEST_CASE("callbacks, checkpoints and resumed runs are alike behind the wall") {
    const Layers layers{Dense{6, relu}, BatchNorm{}, Dropout{0.2}, Dense{4, softmax}};
    const Sequential<float> model = built(layers, {3});
    const Samples data = samples({3}, 7, 4);
    const auto callbacks = [] {
        return std::vector<CallbackHandle>{
            EarlyStopping{
                .monitor = "loss", .patience = 1, .min_delta = 10, .restore_best_weights = true},
            ReduceLROnPlateau{.monitor = "loss", .patience = 1, .min_delta = 10}};
    };
    FitOptions<float> fit{.epochs = 4, .batch_size = 3, .seed = 2, .callbacks = callbacks()};
    const Outcome cpu = run<Cpu>(model, usual, data, fit);
    CHECK(cpu.history.epochs.size() < 4);
    fit.callbacks = callbacks();
    require_same(run<Walled>(model, usual, data, fit), cpu);

    // Weights that come back, and what a logger writes.
    const TemporaryFolder folder;
    const auto logged = [&]<class Device>(std::type_identity<Device>) {
        BestCheckpoint best{.monitor = "loss", .better = Better::higher};
        FitOptions<float> options = fit;
        options.callbacks = {best, CSVLogger{.path = folder.path() / "log.csv"}};
        Outcome outcome = run<Device>(model, usual, data, options);
        CHECK(best.best_epoch() > 0);
        return std::pair(std::move(outcome), contents_of(folder.path() / "log.csv"));
    };
    const auto of_cpu = logged(std::type_identity<Cpu>());
    const auto of_walled = logged(std::type_identity<Walled>());
    require_same(of_walled.first, of_cpu.first);
    CHECK(of_walled.second == of_cpu.second);

    // A run of three epochs that stopped after each of its steps goes on behind the wall, and back.
    const FitOptions<float> whole{.epochs = 3, .batch_size = 3, .seed = 2};
    const Outcome expected = run<Cpu>(model, usual, data, whole);
    std::vector<RunState> states;
    const auto record = [&]<class Device>(std::type_identity<Device> device) {
        Sequential<float, Device> first = to<Device>(model);
        Trainer<float, Device> trainer(first, usual(device));
        FitOptions<float> options = whole;
        options.verbosity = Verbosity::silent;
        options.checkpoint =
            run_store([] { return std::nullopt; },
                      [&](const RunState& state) { states.push_back(state); }, /*every_steps=*/1);
        trainer.fit(data.x, data.y, options);
    };
    const auto resume = [&]<class Device>(std::type_identity<Device> device,
                                          const RunState& state) {
        Sequential<float, Device> second = to<Device>(built(layers, {3}));
        Trainer<float, Device> trainer(second, usual(device));
        FitOptions<float> options = whole;
        options.verbosity = Verbosity::silent;
        options.checkpoint = run_store([&] { return std::optional(state); }, [](const auto&) {});
        trainer.fit(data.x, data.y, options);
        const Sequential<float> result = to<Cpu>(second);
        CHECK(identical(result.arena(), expected.parameters));
    };
    record(std::type_identity<Cpu>());
    CHECK(states.size() == 10);
    for (const RunState& state : states) resume(std::type_identity<Walled>(), state);
    states.clear();
    record(std::type_identity<Walled>());
    CHECK(states.size() == 10);
    for (const RunState& state : states) resume(std::type_identity<Cpu>(), state);
}

TEST_CASE("a state that is refused leaves a model behind the wall as it was") {
    const Layers layers{Dense{6, relu}, Dense{4, softmax}};
    const Samples data = samples({3}, 7, 4);
    Sequential<float, Walled> model = to<Walled>(built(layers, {3}));
    const Tensor<float> before(on_host<float>(model.device(), model.arena()));
    Trainer<float, Walled> trainer(model, usual(std::type_identity<Walled>()));
    FitOptions<float> options{.epochs = 1, .verbosity = Verbosity::silent};
    RunState kept;
    options.checkpoint =
        run_store([] { return std::nullopt; }, [&](const RunState& state) { kept = state; });
    trainer.fit(data.x, data.y, options);
    kept.values.pop_back();
    Sequential<float, Walled> other = to<Walled>(built(layers, {3}));
    Trainer<float, Walled> refused(other, usual(std::type_identity<Walled>()));
    options.checkpoint = run_store([&] { return std::optional(kept); }, [](const auto&) {});
    CHECK_THROWS_AS(refused.fit(data.x, data.y, options), IoError);
    CHECK(identical(on_host<float>(other.device(), other.arena()), before));
}

TEST_CASE("files of models behind the wall are the CPU's") {
    const TemporaryFolder folder;
    const Sequential<float> cpu =
        built({Conv2D{.filters = 3, .kernel_size = 2}, BatchNorm{}, Flatten{}, Dense{4, softmax}},
              {5, 4, 2});
    const Sequential<float, Walled> walled = to<Walled>(cpu);
    save_model(cpu, folder.path() / "cpu");
    save_model(walled, folder.path() / "walled");
    CHECK(contents_of(folder.path() / "cpu").size() > 100);
    CHECK(contents_of(folder.path() / "cpu") == contents_of(folder.path() / "walled"));
    const auto loaded = load_model<float, Walled>(folder.path() / "cpu");
    CHECK(identical(on_host<float>(loaded.device(), loaded.arena()), cpu.arena()));

    save_weights(walled, folder.path() / "weights");
    Sequential<float> other = cpu;
    other.build({5, 4, 2}, 9);
    CHECK_FALSE(identical(other.arena(), cpu.arena()));
    load_weights(other, folder.path() / "weights");
    CHECK(identical(other.arena(), cpu.arena()));
    Sequential<float, Walled> another = to<Walled>(cpu);
    another.build({5, 4, 2}, 9);
    CHECK(load_matching_weights(another, folder.path() / "weights").is_complete());
    CHECK(identical(on_host<float>(another.device(), another.arena()), cpu.arena()));
    another.build({5, 4, 2}, 9);
    load_weights(another, folder.path() / "weights");
    CHECK(identical(on_host<float>(another.device(), another.arena()), cpu.arena()));

    // A parameter that is not finite is refused, and the model is left alone.
    other.parameter("dense/bias")[1] = std::numeric_limits<float>::quiet_NaN();
    save_weights(other, folder.path() / "nan");
    another.build({5, 4, 2}, 9);
    const Tensor<float> before(on_host<float>(another.device(), another.arena()));
    CHECK_THROWS_AS(load_weights(another, folder.path() / "nan"), IoError);
    CHECK(identical(on_host<float>(another.device(), another.arena()), before));

    // Written while it trains.
    Trainer<float, Walled> trainer(another, usual(std::type_identity<Walled>()));
    ModelCheckpoint checkpoint(another, folder.path() / "best", {.monitor = "loss"});
    const Samples data = samples({5, 4, 2}, 5, 4);
    trainer.fit(data.x, data.y, {.verbosity = Verbosity::silent, .callbacks = {checkpoint}});
    CHECK(checkpoint.saved_epoch() == 1);
    load_weights(other, folder.path() / "best");
    CHECK(identical(on_host<float>(another.device(), another.arena()), other.arena()));
}

TEST_CASE("models behind the wall predict, fold and are copied alike") {
    const Sequential<float> cpu = built({Conv2D{.filters = 3, .kernel_size = 2}, BatchNorm{},
                                         Dropout{0.1}, Flatten{}, Dense{4, softmax}},
                                        {5, 4, 2});
    Sequential<float, Walled> walled = to<Walled>(cpu);
    const Tensor<float> x = random_normal<float>({200, 5, 4, 2}, 1);  // more than a batch
    const Tensor<float> expected = cpu.predict(x);
    CHECK(identical(walled.predict(x), expected));
    CHECK(identical(walled.predict(x.sample(7)), expected.sample(7)));
    CHECK_THROWS_AS(walled.predict(Tensor<float>(Shape{5, 5, 2})), ShapeError);
    CHECK(walled.summary() == cpu.summary());

    // From and to its own memory, nothing is allocated anew and nothing read.
    Tensor<float, Walled> input(x.shape(), walled.device());
    Tensor<float, Walled> output(expected.shape(), walled.device());
    copy_to_device<float>(walled.device(), x, input);
    walled.predict(std::as_const(input).view(), output.view());
    Wall& wall = Wall::get();
    const long reads = wall.tensors_read + wall.results_read, made = wall.allocations;
    walled.predict(std::as_const(input).view(), output.view());
    CHECK(wall.tensors_read + wall.results_read == reads);
    CHECK(wall.allocations == made);
    CHECK(identical(on_host<float>(walled.device(), output), expected));

    const auto folded = fold_batch_norm(walled);
    const auto folded_on_cpu = fold_batch_norm(cpu);
    CHECK(folded.summary() == folded_on_cpu.summary());
    CHECK(identical(folded.predict(x), folded_on_cpu.predict(x)));

    Sequential<float, Walled> copy = walled;
    copy.set_device(Walled());
    CHECK(identical(copy.predict(x), expected));
    copy.build({5, 4, 2}, 9);
    CHECK_FALSE(identical(copy.predict(x), expected));
    CHECK(identical(walled.predict(x), expected));
}

TEST_CASE("a number that goes wrong behind the wall is found where the CPU finds it") {
    const Layers layers{Dense{6, relu}, BatchNorm{}, Dense{4, softmax}};
    for (const std::string name : {"dense/kernel", "batch_norm/moving_mean", "input"}) {
        CAPTURE(name);
        Sequential<float> model = built(layers, {3});
        Tensor<float> x = random_normal<float>({5, 3}, 1);
        const float nan = std::numeric_limits<float>::quiet_NaN();
        (name == "input" ? x[4] : model.parameter(name)[1]) = nan;
        const Examples<float> data(x, Tensor<float>(Shape{5}));
        const auto found = [&]<class Device>(std::type_identity<Device> device) {
            Sequential<float, Device> trained = to<Device>(model);
            Trainer<float, Device> trainer(trained, usual(device));
            const History history =
                trainer.fit(data, {.batch_size = 2, .verbosity = Verbosity::silent});
            return history.non_finite ? history.non_finite->message() : "nothing";
        };
        CHECK(found(std::type_identity<Walled>()) == found(std::type_identity<Cpu>()));
    }
}

namespace {

/// What left the device, of tensors and of kernels' results.
long reads() { return Wall::get().tensors_read + Wall::get().results_read; }

}  // namespace

TEST_CASE("an epoch reads one tensor back from behind the wall, and its validation one more") {
    const Layers layers{Conv2D{.filters = 3, .kernel_size = 2, .kernel_regularizer = l2(0.1)},
                        BatchNorm{},
                        Dropout{0.1},
                        Flatten{},
                        Dense{.units = 5, .activity_regularizer = l1(0.1)},
                        Dense{.units = 4, .activation = softmax, .kernel_constraint = unit_norm}};
    const Samples data = samples({4, 3, 2}, 20, 4);
    struct Case {
        std::string what;
        FitOptions<float> fit;
        long expected;
    };
    const CallbackHandle ends = LambdaCallback{.epoch_end = [](TrainingRun& run) { run.scores(); }};
    const CallbackHandle scores =
        LambdaCallback{.batch_end = [](TrainingRun& run) { run.scores(); }};
    const std::vector<double> weights{1, 2, 3, 4};
    // Three epochs, of ten batches each.
    const std::vector<Case> cases{
        {"nothing else", {}, 3},
        {"a validation", {.validation_data = data}, 6},
        {"weights", {.class_weight = weights}, 3},
        {"a callback of epochs", {.callbacks = {ends}}, 3},
        {"a callback of batches", {.callbacks = {scores, scores}}, 3 * 11},
        {"accumulation", {.gradient_accumulation_steps = 4}, 3},
    };
    for (Case each : cases) {
        CAPTURE(each.what);
        for (const bool is_scheduled : {false, true}) {
            Sequential<float, Walled> model = to<Walled>(built(layers, {4, 3, 2}));
            auto options = usual(std::type_identity<Walled>());
            options.metrics.push_back(TopKAccuracy{.k = 2});
            options.clipping = {.value = 1, .global_norm = 1};
            if (is_scheduled) options.learning_rate_schedule = CosineDecay{0.01, 20};
            Trainer<float, Walled> trainer(model, options);
            each.fit.epochs = 3;
            each.fit.batch_size = 2;
            each.fit.verbosity = Verbosity::silent;
            const long before = reads();
            CHECK_FALSE(trainer.fit(data.x, data.y, each.fit).non_finite);
            CHECK(reads() - before == each.expected);
        }
    }
}

namespace {

/// Samples that take longer to gather than a bar waits between updates.
class Slow final : public WrappedDataset<float> {
public:
    using WrappedDataset::WrappedDataset;

protected:
    void change(std::span<const Index>, const std::optional<TrainingEpoch>&,
                float*) const override {
        usleep(60000);
    }
};

}  // namespace

TEST_CASE("the bar reads seldom from behind the wall, and shows each step") {
    Sequential<float, Walled> model = to<Walled>(built({Dense{4, softmax}}, {3}));
    Trainer<float, Walled> trainer(model, usual(std::type_identity<Walled>()));
    const Samples arrays = samples({3}, 24, 4);
    const Examples<float> data(std::make_shared<const Slow>(arrays));
    const long before = reads();
    const std::string shown =
        captured_output([&] { trainer.fit(data, {.batch_size = 1, .verbosity = Verbosity::bar}); });
    // Each tenth of the 24 steps has two or three of them; and at the epoch's end.
    CHECK(reads() - before == 11);
    const auto count = [&](const std::string& text) {
        long found = 0;
        for (std::size_t at = 0; (at = shown.find(text, at)) != shown.npos; ++at) ++found;
        return found;
    };
    CHECK(count("\r") == 25);
    CHECK(count("loss: ") == 25);  // the first has them too
    CHECK(count(" 23/24  ETA ") == 1);
}

TEST_CASE("a line an epoch reads once an epoch from behind the wall") {
    Sequential<float, Walled> model = to<Walled>(built({Dense{4, softmax}}, {3}));
    Trainer<float, Walled> trainer(model, usual(std::type_identity<Walled>()));
    const Samples data = samples({3}, 24, 4);
    const long before = reads();
    captured_output(
        [&] { trainer.fit(data, {.epochs = 3, .batch_size = 2, .verbosity = Verbosity::line}); });
    CHECK(reads() - before == 3);
}

TEST_CASE("a model that declares its input is built once, on the device that it is moved to") {
    const Sequential<float> undeclared = built({Dense{4}}, {3}), declared{Input{{3}}, Dense{4}};
    const auto x = input({3});
    const Model<float> graph(x, add(x | Dense{3}, x));
    for (const Model<float>& model : {Model<float>(undeclared), Model<float>(declared), graph}) {
        CAPTURE(model.summary());
        const long before = Wall::get().allocations;
        const Model<float, Walled> there = to<Walled>(model);
        CHECK(Wall::get().allocations - before == 1);
    }
}

TEST_CASE("no step behind the wall allocates, on the device or on the host") {
    const auto allocations_of = [](const Run<float, Walled>& run) {
        const AllocationCounter on_host;
        return growth_in_steps(run, [&] { return Wall::get().allocations + on_host.count(); });
    };
    for (const Tutorial& tutorial : tutorials()) {
        CAPTURE(tutorial.id);
        CHECK(allocations_of(run_of<float, Walled>(tutorial)) == 0);
    }
    for (const auto& run : other_runs<float, Walled>()) CHECK(allocations_of(run) == 0);
}

TEST_CASE("training in groups of batches behind the wall allocates nothing in a step") {
    Sequential<float, Walled> model =
        to<Walled>(built({Dense{6, relu}, BatchNorm{}, Dropout{0.1}, Dense{4, softmax}}, {3}));
    Trainer<float, Walled> trainer(model, usual(std::type_identity<Walled>()));
    const Samples data = samples({3}, 20, 4);
    FitOptions<float> options{
        .batch_size = 2, .gradient_accumulation_steps = 2, .verbosity = Verbosity::silent};
    options.class_weight = {1, 2, 3, 4};
    std::vector<long> made;
    std::vector<std::int64_t> host_made;
    const AllocationCounter counter;
    const auto note = [&](TrainingRun&) {
        made.push_back(Wall::get().allocations);
        host_made.push_back(counter.count());
    };
    made.reserve(10), host_made.reserve(10);
    options.callbacks = {LambdaCallback{.batch_end = note}};
    trainer.fit(data.x, data.y, options);
    REQUIRE(made.size() == 10);
    for (std::size_t i = 2; i < made.size(); ++i) {
        CHECK(made[i] == made[0]);
        CHECK(host_made[i] == host_made[i - 1]);
    }
}

namespace {

/// What is left of a run that went wrong.
struct Stopped {
    std::string message;
    std::int64_t steps = 0;
    double learning_rate = 0;
    Tensor<float> parameters;
};

/// Batches of 2, so many to an update.
template <class Device>
Stopped train_until_wrong(const Sequential<float>& model, const Samples& data, Index samples,
                          Index group, const std::vector<CallbackHandle>& callbacks = {}) {
    Sequential<float, Device> trained = to<Device>(model);
    Trainer<float, Device> trainer(trained, {.optimizer = Adam{},
                                             .loss = MeanSquaredError{},
                                             .learning_rate_schedule = CosineDecay{0.01, 20}});
    const History history = trainer.fit(data.x.slice(0, samples), data.y.slice(0, samples),
                                        {.batch_size = 2,
                                         .gradient_accumulation_steps = group,
                                         .shuffle = false,
                                         .verbosity = Verbosity::silent,
                                         .callbacks = callbacks});
    return {history.non_finite ? history.non_finite->message() : "", trainer.steps(),
            trainer.learning_rate(), Tensor<float>(to<Cpu>(trained).arena())};
}

}  // namespace

TEST_CASE("a run that went wrong is found out late behind the wall, and left as on the CPU") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    const Layers plain{Dense{1, linear, false, ones}};
    const Layers normed{Dense{6, relu}, BatchNorm{}, Dropout{0.2},
                        Dense{.units = 1, .kernel_constraint = unit_norm}};
    // The wrong number is in batch 4 of 7; all behind it run before the host looks.
    struct Case {
        const char* where;
        Layers layers;
        float x, y;  ///< of the two samples
        Index most_batches;
    };
    // The last: the loss is (1.5e19)^2, the gradient 2 * 2 * 1.5e19 * 3e19 / 4 of 4 samples.
    const std::vector<Case> cases{{"input", normed, nan, 1, 3},
                                  {"targets", normed, 1, nan, 3},
                                  {"the gradient of dense/kernel", plain, 3e19f, 1.5e19f, 2}};
    for (const Case& each : cases) {
        for (Index group = 1; group <= each.most_batches; ++group) {
            CAPTURE(each.where);
            CAPTURE(group);
            const Sequential<float> model = built(each.layers, {1});
            Samples data{random_normal<float>({14, 1}, 1), random_normal<float>({14, 1}, 2)};
            for (const Index i : {6, 7}) data.x[i] = each.x, data.y[i] = each.y;
            const Stopped cpu = train_until_wrong<Cpu>(model, data, 14, group);
            CHECK(cpu.message == concat("a number that is not finite appeared in ", each.where,
                                        " at step 4 of epoch 1"));
            const Index good_steps = 3 / group;
            CHECK(cpu.steps == good_steps);
            const Stopped walled = train_until_wrong<Walled>(model, data, 14, group);
            CHECK(walled.message == cpu.message);
            CHECK(walled.steps == cpu.steps);
            CHECK(walled.learning_rate == cpu.learning_rate);
            CHECK(identical(walled.parameters, cpu.parameters));

            // The parameters, moving statistics too, are those of the steps before.
            Tensor<float> before(std::as_const(model).arena());
            if (good_steps > 0) {
                const Stopped good =
                    train_until_wrong<Cpu>(model, data, good_steps * group * 2, group);
                CHECK(good.message.empty());
                CHECK(good.learning_rate == cpu.learning_rate);
                before = good.parameters;
            }
            CHECK(identical(cpu.parameters, before));
        }
    }
}

TEST_CASE("a schedule that gives no rate later on stops the run at that step behind the wall too") {
    const Sequential<float> model = built({Dense{6, relu}, BatchNorm{}, Dense{1}}, {1});
    const Samples data{random_normal<float>({20, 1}, 1), random_normal<float>({20, 1}, 2)};
    for (const bool throws : {false, true}) {
        CAPTURE(throws);
        const auto schedule = [&](std::int64_t step) {
            if (step < 7) return 0.01;
            if (throws) throw std::runtime_error("no rate");
            return -0.5;
        };
        const auto train = [&]<class Device>(std::type_identity<Device>) {
            Sequential<float, Device> trained = to<Device>(model);
            Trainer<float, Device> trainer(
                trained, {.loss = MeanSquaredError{}, .learning_rate_schedule = schedule});
            std::string message;
            try {
                trainer.fit(data.x, data.y, {.batch_size = 2, .verbosity = Verbosity::silent});
            } catch (const std::exception& error) {
                message = error.what();
            }
            CHECK(message == (throws ? "no rate"
                                     : "learning_rate_schedule: step 7 has the rate -0.5, expected "
                                       "a finite number of at least 0"));
            CHECK(trainer.steps() == 7);
            return Tensor<float>(to<Cpu>(trained).arena());
        };
        const Tensor<float> cpu = train(std::type_identity<Cpu>());
        CHECK_FALSE(identical(cpu, Tensor<float>(model.arena())));
        CHECK(identical(train(std::type_identity<Walled>()), cpu));
    }
}

TEST_CASE("an update that overflows behind the wall is found, with a callback of batches too") {
    const Sequential<float> model = built({Dense{1}}, {1});
    const Samples data{random_normal<float>({4, 1}, 1), random_normal<float>({4, 1}, 2)};
    for (const bool is_watched : {false, true}) {
        Sequential<float, Walled> trained = to<Walled>(model);
        Trainer<float, Walled> trainer(
            trained, {.optimizer = SGD{.learning_rate = 3e38}, .loss = MeanSquaredError{}});
        FitOptions<float> options{.verbosity = Verbosity::silent};
        if (is_watched) {
            options.callbacks = {
                LambdaCallback{.batch_end = [](TrainingRun& run) { run.scores(); }}};
        }
        const History history = trainer.fit(data.x, data.y, options);
        REQUIRE(history.non_finite);
        CHECK(history.non_finite->where == "dense/kernel");
    }
}

template <class T>
concept Viewable = requires(const T& x) { as_view(x); };

TEST_CASE_TEMPLATE("numbers of a device that the host cannot read are no data of the host's", X,
                   Tensor<float, Walled>, TensorView<float, Walled>) {
    CHECK_FALSE(Viewable<X>);
    CHECK_FALSE(std::constructible_from<Examples<float>, const X&, const X&>);
    CHECK_FALSE(std::constructible_from<Column<float>, const X&>);
    CHECK_FALSE(std::constructible_from<TensorView<const float>, const X&, const Shape&>);
    CHECK_FALSE(std::constructible_from<Span<const float>, const X&>);
}

TEST_CASE("to: layers of other types are named, or refused by name") {
    Sequential<float> model{Dense{3}, Softmax{}};
    CHECK_FALSE(to<Walled>(model).is_built());
    CHECK(to<Walled>(model).layer_count() == 2);
    Sequential<float> named{Dense{.units = 3, .name = "first"}};
    named.build({2}, 5);
    const Sequential<float> there_and_back = to<Cpu>(to<Walled>(named));
    CHECK(there_and_back.layer_name(0) == "first");
    CHECK(identical(there_and_back.arena(), std::as_const(named).arena()));

    Sequential<float> own{Dense{3}, Same{}};
    own.build({2}, 5);
    CHECK_THROWS_WITH_AS(to<Walled>(own),
                         "to: same is a Same, expected a layer of weft's or of a type named as in "
                         "to<Device, Same>(model)",
                         ArgumentError);
    const Tensor<float> x = random_normal<float>({4, 2}, 1);
    CHECK(identical(to<Walled, Same>(own).predict(x), own.predict(x)));
}
