// Training with several inputs and outputs.
#include "weft/training/detail/outputs.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/functional_models.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/walled_device.hpp"
#include "weft/model/to_device.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

template <class Device = Cpu>
TrainerOptions<float, Device> two_losses() {
    return {.optimizer = Adam{.learning_rate = 0.01},
            .loss = {SparseCategoricalCrossentropy{}, MeanSquaredError{}},
            .loss_weights = {2, 0.5},
            .output_metrics = {{Accuracy{}}, {}}};
}

FitOptions<float> quiet_several(Index epochs = 2) {
    FitOptions<float> fit;
    fit.epochs = epochs;
    fit.batch_size = 4;
    fit.verbosity = Verbosity::silent;
    return fit;
}

std::vector<std::pair<std::string, double>> numbers_of(const Scores& scores) {
    return {scores.begin(), scores.end()};
}

/// The first number that layers of the type Watch read in each pass.
std::vector<const float*> read_at;

/// y = x.
struct Watch {
    static constexpr std::string_view type = "Watch";

    template <class Scalar, class Device>
    class Layer final : public weft::Layer<Scalar, Device> {
    public:
        Layer(const Watch&, LayerBuilder& builder)
            : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()) {}

        void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                     TensorView<Scalar, Device> y) const override {
            read_at.push_back(x.data());
            copy_elements<Scalar>(pass.device, x, y);
        }
        void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                      TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                      TensorView<Scalar, Device> dx) const override {
            if (dx) copy_elements<Scalar>(pass.device, dy, dx);
        }
    };
};

/// Notes where batches are read to.
class WatchedReader final : public BatchReader<float> {
public:
    WatchedReader(std::unique_ptr<BatchReader<float>> inner, std::vector<const float*>& places)
        : inner_(std::move(inner)), places_(places) {}
    void next(float* x, float* y) override {
        places_.push_back(x);
        inner_->next(x, y);
    }
    bool reads_within_pass() const override { return inner_->reads_within_pass(); }
    void next_within_pass(const Cpu& cpu, float* x, float* y) override {
        places_.push_back(x);
        inner_->next_within_pass(cpu, x, y);
    }

private:
    std::unique_ptr<BatchReader<float>> inner_;
    std::vector<const float*>& places_;
};

class WatchedDataset final : public WrappedDataset<float> {
public:
    using WrappedDataset::WrappedDataset;
    std::unique_ptr<BatchReader<float>> read_batches(const BatchPlan& plan) const override {
        return std::make_unique<WatchedReader>(inner().read_batches(plan), places);
    }
    mutable std::vector<const float*> places;
};

}  // namespace

TEST_CASE("layers read a batch of several inputs where it was read to") {
    const auto a = input({3}), b = input({2});
    Model<float> model({a, b}, concatenate(a | Watch{}, b | Watch{}) | Dense{2});
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const Tensor<float> x = random_normal<float>({10, 3}, 1), z = random_normal<float>({10, 2}, 2),
                        y = random_normal<float>({10, 2}, 3);
    const auto watched = std::make_shared<const WatchedDataset>(Examples<float>({x, z}, {y}));
    const auto require = [&] {
        REQUIRE(watched->places.size() == 3);  // batches of 4, 4 and 2
        REQUIRE(read_at.size() == 6);
        for (std::size_t i = 0; i < 3; ++i) {
            const Index n = i < 2 ? 4 : 2;
            CHECK(read_at[2 * i] == watched->places[i]);
            CHECK(read_at[2 * i + 1] == watched->places[i] + n * 3);
        }
        read_at.clear(), watched->places.clear();
    };
    trainer.fit(Examples<float>(watched), quiet_several(1));
    require();
    trainer.evaluate(Examples<float>(watched), 4);
    require();
}

TEST_CASE("two outputs are trained by the weighted sum of their losses") {
    const TwoByTwo data(10);
    Model<float> model = two_by_two_model();
    Trainer trainer(model, two_losses());
    auto fit = quiet_several(3);
    fit.validation_data = {{data.left, data.right, data.size}, {data.kind, data.place}};
    const History history =
        trainer.fit({data.left, data.right, data.size}, {data.kind, data.place}, fit);
    std::vector<std::string> names;
    for (const auto& [name, value] : history.epochs.front().scores) names.push_back(name);
    CHECK(names == std::vector<std::string>{"loss", "kind_loss", "place_loss", "kind_accuracy",
                                            "val_loss", "val_kind_loss", "val_place_loss",
                                            "val_kind_accuracy"});
    for (const EpochRecord& epoch : history.epochs) {
        const Scores& scores = epoch.scores;
        // Three roundings, in double.
        CHECK(relative_gap(scores["loss"], 2 * scores["kind_loss"] + 0.5 * scores["place_loss"]) <
              1e-15);
    }
    CHECK(history["loss"].back() < history["loss"].front());
    const Scores scores =
        trainer.evaluate({data.left, data.right, data.size}, {data.kind, data.place});
    // The same rows in batches of another size: a row's loss may differ by some roundings in float,
    // of 6e-8 each.
    CHECK(relative_gap(scores["loss"], history["val_loss"].back()) < 1e-6);
    CHECK(scores["kind_accuracy"] == history["val_kind_accuracy"].back());
}

TEST_CASE("one trained output alone is trained as a model that has only it") {
    const auto x = input({4});
    const auto hidden = x | Dense{5, relu};
    const auto y = hidden | Dense{.units = 3, .activation = softmax, .name = "y"};
    Model<float> both(x, {y, hidden}), alone(x, y);
    const auto data = random_normal<float>({9, 4}, 1), other = random_normal<float>({9, 5}, 2);
    const std::vector<int> labels{0, 1, 2, 0, 1, 2, 0, 1, 2};
    Trainer of_both(both, {.loss = {SparseCategoricalCrossentropy{}, MeanSquaredError{}},
                           .loss_weights = {1, 0}});
    Trainer of_alone(alone, {.loss = SparseCategoricalCrossentropy{}});
    of_both.fit({data}, {labels, other}, quiet_several());
    of_alone.fit(data, labels, quiet_several());
    CHECK(identical(std::as_const(both).arena(), std::as_const(alone).arena()));
}

TEST_CASE("another device trains several outputs to the same bits") {
    const TwoByTwo data(7);
    Model<float> model = two_by_two_model();
    Model<float, kernels::Walled> walled = to<kernels::Walled>(model);
    Trainer<float, Cpu> trainer(model, two_losses());
    Trainer<float, kernels::Walled> on_walled(walled, two_losses<kernels::Walled>());
    auto fit = quiet_several();
    fit.sample_weight = {1, 2, 0.5, 1, 0, 3, 1};
    fit.output_sample_weight = {{1, 0, 2, 1, 1, 0.5, 3}, {}};
    fit.validation_data = data;
    fit.validation_sample_weight = {1, 1, 3, 1, 2, 1, 1};
    fit.validation_output_sample_weight = {{}, {2, 1, 0, 1, 1, 0.5, 1}};
    const Examples<float> examples = data;
    const History here = trainer.fit(examples, fit);
    const kernels::Wall& wall = kernels::Wall::get();
    const long before = wall.tensors_read + wall.results_read;
    const History there = on_walled.fit(examples, fit);
    // Of each of the two epochs, the sums of training and of validation.
    CHECK(wall.tensors_read + wall.results_read - before == 4);
    CHECK(identical(to<Cpu>(walled).arena(), std::as_const(model).arena()));
    CHECK(numbers_of(here.epochs.back().scores) == numbers_of(there.epochs.back().scores));
}

TEST_CASE("any number of threads leaves the same bits, also read ahead and from a subset") {
    const TwoByTwo data(9);
    std::vector<Tensor<float>> arenas;
    for (const int threads : {1, 2, 7}) {
        Model<float> model = two_by_two_model();
        model.set_device(Cpu::exactly(threads));
        Trainer trainer(model, two_losses());
        const std::vector<Index> all{0, 1, 2, 3, 4, 5, 6, 7, 8};
        Examples<float> examples = data;
        if (threads == 2) examples = prefetched(examples);
        if (threads == 7) examples = subset(examples, all);
        trainer.fit(examples, quiet_several());
        arenas.emplace_back(std::as_const(model).arena());
    }
    CHECK(identical(arenas[0], arenas[1]));
    CHECK(identical(arenas[0], arenas[2]));
}

TEST_CASE("a step of several outputs allocates nothing" *
          doctest::skip(!AllocationCounter::available())) {
    const TwoByTwo few(8), many(80);
    const auto allocations = [&](const TwoByTwo& data, const Cpu& device) {
        Model<float> model = two_by_two_model();
        model.set_device(device);
        Trainer trainer(model, two_losses());
        trainer.fit(Examples<float>(few), quiet_several(1));
        const AllocationCounter counter;
        trainer.fit(Examples<float>(data), quiet_several(1));
        return counter.count();
    };
    for (const Cpu& device : {Cpu(1), Cpu(2)}) {
        allocations(few, device);  // OpenMP has its threads
        CHECK(allocations(few, device) == allocations(many, device));
    }
}

TEST_CASE("a NaN is traced to its place in any of the outputs, and in nested models") {
    const auto x = input({2});
    Sequential<float> inner{Dense{.units = 2, .kernel_initializer = ones}, ReLU{}};
    inner.set_name("inner");
    Model<float> model(x, {x | Dense{1}, multiply(inner(x), inner(x))});
    model.parameter("inner/dense/bias")[0] = 1e30f;
    Trainer trainer(model, {.loss = {MeanSquaredError{}, MeanSquaredError{}}});
    const Tensor<float> data({2, 2}, {1, 2, 3, 4}), target({2, 1}, {1, 2});
    const History history = trainer.fit({data}, {target, data}, quiet_several(1));
    REQUIRE(history.non_finite);
    CHECK(history.non_finite->where == "multiply");
    model.parameter("inner/dense/bias")[0] = std::numeric_limits<float>::infinity();
    CHECK(trainer.fit({data}, {target, data}, quiet_several(1)).non_finite->where ==
          "inner/dense/bias");
}

TEST_CASE("what does not fit several outputs is refused") {
    const TwoByTwo data(4);
    Model<float> model = two_by_two_model();
    const Examples<float> examples = data;
    const auto refusal = [&](TrainerOptions<float, Cpu> with, const Examples<float>& of,
                             FitOptions<float> fit = quiet_several()) -> std::string {
        try {
            Trainer<float, Cpu>(model, std::move(with)).fit(of, fit);
        } catch (const Error& error) {
            return error.what();
        }
        return "nothing was thrown";
    };
    CHECK(refusal(two_losses(), examples) == "nothing was thrown");
    auto with = two_losses();
    with.loss = MeanSquaredError{};
    CHECK(refusal(with, examples) ==
          "trainer: loss has 1 entries, expected 2, one for each output of the model");
    with = two_losses();
    with.loss_weights = {1};
    CHECK(refusal(with, examples) ==
          "trainer: loss_weights has 1 entries, expected 2, one for each output of the model");
    for (const double weight : {-0.5, std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN()}) {
        with = two_losses();
        with.loss_weights = {1, weight};
        CHECK(refusal(with, examples) == concat("trainer: loss_weights is ", weight,
                                                ", expected finite numbers of at least 0"));
    }
    with = two_losses();
    with.metrics = {Accuracy{}};
    CHECK(refusal(with, examples) ==
          "trainer: metrics is for one output; write .output_metrics = {{...}, {...}} for "
          "several");
    auto fit = quiet_several();
    fit.class_weight = {1, 2, 3};
    CHECK(refusal(two_losses(), examples, fit) ==
          "fit: class_weight needs a model with one output; use sample_weight for several");
    CHECK(refusal(two_losses(), {{data.left, data.right}, {data.kind, data.place}}) ==
          "fit: the data have 2 inputs, expected 3");
    CHECK(refusal(two_losses(), {{data.left, data.size, data.size}, {data.kind, data.place}}) ==
          "input_layer: input has shape (None, 3), expected (None, 5, 4, 2)");
    CHECK(refusal(two_losses(), {{data.left, data.right, data.size}, {data.kind}}) ==
          "fit: the data have 1 targets, expected 2");
    CHECK_THROWS_WITH_AS(
        Trainer(model, two_losses()).evaluate({data.left, data.right, data.size}, {data.kind}),
        "evaluate: the data have 1 targets, expected 2", ArgumentError);
    CHECK(refusal(two_losses(), {{data.left, data.right, data.size}, {data.kind, data.size}}) ==
          "MeanSquaredError: targets have shape (None, 3), expected (None, 2) for predictions "
          "(None, 2)");
    const std::vector<int> wrong{0, 1, 2, 3};
    CHECK(refusal(two_losses(), {{data.left, data.right, data.size}, {wrong, data.place}}) ==
          "SparseCategoricalCrossentropy: target of sample 3 is label 3, expected a class in 0 ... "
          "2");
    CHECK_THROWS_WITH_AS(Examples<float>({data.left, TwoByTwo(3).size}, {data.kind}),
                         "dataset: input 1 has 3 samples, input 0 has 4", ShapeError);
    CHECK_THROWS_WITH_AS(reshaped(examples, {83}),
                         "reshaped: the data have several inputs, expected one", ArgumentError);
}

namespace {

/// One input, and an output of each name.
Model<float> with_outputs(const std::vector<std::string>& names) {
    const auto x = input({3});
    const auto hidden = x | Dense{4, relu};
    std::vector<Value<float, Cpu>> outputs;
    for (const std::string& name : names) {
        outputs.push_back(hidden | Dense{.units = 1, .name = name});
    }
    return Model<float>(std::vector<Value<float, Cpu>>{x}, outputs);
}

std::vector<std::string> names_of(const Scores& scores) {
    std::vector<std::string> names;
    for (const auto& [name, value] : scores) names.push_back(name);
    return names;
}

}  // namespace

TEST_CASE("several losses for a model without layers are refused") {
    const Tensor<float> x = random_normal<float>({4, 3}, 1), y = random_normal<float>({4, 1}, 2);
    Sequential<float> empty, moved_from{Dense{1}};
    const Sequential<float> other = std::move(moved_from);
    CHECK(other.output_names() == std::vector<std::string>{"dense"});
    for (Sequential<float>* const model : {&empty, &moved_from}) {
        CHECK(model->output_names().empty());
        Trainer<float, Cpu> trainer(*model, {.loss = {MeanSquaredError{}, MeanSquaredError{}}});
        CHECK_THROWS_WITH_AS(trainer.fit({x}, {y, y}, quiet_several()),
                             "the model has no layers, expected at least 1", ArgumentError);
        CHECK_THROWS_AS(trainer.evaluate({x}, {y, y}), ArgumentError);
    }
}

TEST_CASE("the names of scores are those of the model that is there") {
    const Tensor<float> x = random_normal<float>({4, 3}, 1), y = random_normal<float>({4, 1}, 2);
    Model<float> model = with_outputs({"a", "b"});
    Trainer<float, Cpu> trainer(model, {.loss = {MeanSquaredError{}, MeanSquaredError{}}});
    trainer.fit({x}, {y, y}, quiet_several(1));
    model = with_outputs({"c", "d"});
    const std::vector<std::string> expected{"loss", "c_loss", "d_loss"};
    const History history = trainer.fit({x}, {y, y}, quiet_several(1));
    CHECK(names_of(history.epochs.front().scores) == expected);
    CHECK(names_of(trainer.evaluate({x}, {y, y})) == expected);

    Model<float> three = with_outputs({"a", "b", "c"});
    Trainer<float, Cpu> other(
        three, {.loss = {MeanSquaredError{}, MeanSquaredError{}}, .output_names = {"p", "q"}});
    three = with_outputs({"c", "d"});
    CHECK(names_of(other.fit({x}, {y, y}, quiet_several(1)).epochs.front().scores) ==
          std::vector<std::string>{"loss", "p_loss", "q_loss"});
}

TEST_CASE("two scores of one name are refused by name") {
    const Tensor<float> x = random_normal<float>({4, 3}, 1), y = random_normal<float>({4, 1}, 2);
    using Metrics = std::vector<std::vector<MetricDeclaration<float, Cpu>>>;
    const auto refusal = [&](std::vector<std::string> outputs, Metrics metrics,
                             std::vector<std::string> names = {}, bool validates = false) {
        Model<float> model = with_outputs(outputs);
        TrainerOptions<float, Cpu> options{.loss = {MeanSquaredError{}, MeanSquaredError{}}};
        options.output_metrics = std::move(metrics);
        options.output_names = std::move(names);
        Trainer<float, Cpu> trainer(model, options);
        auto fit = quiet_several(1);
        if (validates) fit.validation_split = 0.5;
        std::string of_fit, of_evaluate;
        try {
            trainer.fit({x}, {y, y}, fit);
        } catch (const ArgumentError& error) {
            of_fit = error.what();
        }
        try {
            trainer.evaluate({x}, {y, y});
        } catch (const ArgumentError& error) {
            of_evaluate = error.what();
        }
        if (!validates) CHECK(of_fit == of_evaluate);
        return of_fit.substr(0, of_fit.find(';'));
    };
    const Accuracy accuracy, loss{.name = "loss"};
    CHECK(refusal({"a", "b"}, {{accuracy, accuracy}, {}}) ==
          "trainer: a_accuracy is the name of two scores");
    CHECK(refusal({"a", "b"}, {{}, {loss}}) == "trainer: b_loss is the name of two scores");
    CHECK(refusal({"a", "b"}, {}, {"p", "p"}) == "trainer: p_loss is the name of two scores");
    CHECK(refusal({"a", "b"}, {{accuracy}, {accuracy}}).empty());
    // That of a validation.
    CHECK(refusal({"val", "b"}, {}, {}, true) == "trainer: val_loss is the name of two scores");
    CHECK(refusal({"val", "b"}, {}).empty());

    Model<float> one = with_outputs({"a"});
    Trainer<float, Cpu> trainer(
        one,
        {.loss = MeanSquaredError{}, .metrics = {accuracy}, .output_metrics = Metrics{{accuracy}}});
    CHECK_THROWS_AS(trainer.fit(x, y, quiet_several(1)), ArgumentError);
    CHECK_THROWS_AS(trainer.evaluate(x, y), ArgumentError);
}

namespace {

/// Of x (N, 1): outputs a = w x and b = v x, with w = v = 1.
Model<double> two_products() {
    using Double = Value<double, Cpu>;
    const Double x = input<double, Cpu>({1}, "x");
    const auto product = [&](std::string name) {
        return x | Dense{.units = 1,
                         .use_bias = false,
                         .kernel_initializer = ones,
                         .name = std::move(name)};
    };
    return Model<double>({x}, {product("a"), product("b")});
}

/// What an Error says that the call throws.
template <class Call>
std::string refusal_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("data, losses, their weights and metrics by name train as by order, to the bit") {
    const TwoByTwo data(10);
    const auto names = two_by_two_model().input_names(),
               of_outputs = two_by_two_model().output_names();
    REQUIRE(of_outputs == std::vector<std::string>{"kind", "place"});
    auto fit = quiet_several();
    fit.validation_data = data;
    fit.output_sample_weight = {{1, 2, 0.5, 1, 0, 3, 1, 1, 2, 1}, {}};
    Model<float> by_order = two_by_two_model(), by_name = two_by_two_model();
    Trainer ordered(by_order, two_losses()),
        named(by_name,
              {.optimizer = Adam{.learning_rate = 0.01},
               .loss = {{"place", MeanSquaredError{}}, {"kind", SparseCategoricalCrossentropy{}}},
               .loss_weights = {{"place", 0.5}, {"kind", 2}},
               .output_metrics = {{"kind", {Accuracy{}}}}});
    const History expected = ordered.fit(Examples<float>(data), fit);

    const auto shuffled = [&] {
        return Examples<float>(
            {{names[2], data.size}, {names[0], data.left}, {names[1], data.right}},
            {{"place", data.place}, {"kind", data.kind}});
    };
    fit.output_sample_weight = {{"kind", {1, 2, 0.5, 1, 0, 3, 1, 1, 2, 1}}};
    // In an order of its own, and through wrappers.
    fit.validation_data = {{{names[1], data.right}, {names[2], data.size}, {names[0], data.left}},
                           {data.kind, data.place}};
    const std::vector<Index> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const History history = named.fit(prefetched(subset(shuffled(), all)), fit);
    CHECK(identical(std::as_const(by_order).arena(), std::as_const(by_name).arena()));
    CHECK(numbers_of(history.epochs.back().scores) == numbers_of(expected.epochs.back().scores));
    CHECK(numbers_of(named.evaluate(shuffled())) ==
          numbers_of(ordered.evaluate(Examples<float>(data))));

    Model<float> on_host = two_by_two_model();
    Model<float, kernels::Walled> walled = to<kernels::Walled>(on_host);
    Trainer<float, kernels::Walled> elsewhere(walled, two_losses<kernels::Walled>());
    elsewhere.fit(shuffled(), fit);
    CHECK(identical(to<Cpu>(walled).arena(), std::as_const(by_order).arena()));
}

TEST_CASE("samples are weighted in each output by itself") {
    Model<double> model = two_products();
    Trainer<double, Cpu> trainer(model, {.optimizer = SGD{.learning_rate = 0.125},
                                         .loss = {MeanSquaredError{}, MeanSquaredError{}}});
    const Tensor<double> data({2, 1}, {1, 2}), target({2, 1}, {0, 0});
    FitOptions<double> fit{.verbosity = Verbosity::silent};
    fit.sample_weight = {2, 1};
    fit.output_sample_weight = {{"a", {3, 0}}};
    fit.validation_data = {{data}, {target, target}};
    fit.validation_output_sample_weight = {{"b", {0, 4}}};
    const Scores scores = trainer.fit({data}, {target, target}, fit).epochs.front().scores;
    // The losses are x^2: 1 and 4. All numbers are exact in binary.
    CHECK(scores["a_loss"] == (2 * 3 * 1 + 0) / 2.0);
    CHECK(scores["b_loss"] == (2 * 1 + 4) / 2.0);
    CHECK(scores["loss"] == 3 + 3);
    // Gradients are the means of weight * 2 x^2 w.
    const double w = 1 - 0.125 * (2 * 3 * 2 * 1) / 2, v = 1 - 0.125 * (2 * 2 * 1 + 2 * 4) / 2;
    CHECK(std::as_const(model).parameter("a/kernel")[0] == w);
    CHECK(std::as_const(model).parameter("b/kernel")[0] == v);
    CHECK(scores["val_a_loss"] == w * w * (1 + 4) / 2);
    CHECK(scores["val_b_loss"] == v * v * (0 + 4 * 4) / 2);
}

TEST_CASE("names that a model has not are refused, with those that it has") {
    const Tensor<double> x({2, 1}, {1, 2}), y({2, 1}, {0, 0});
    Model<double> model = two_products();
    const auto trainer_with = [&](TrainerOptions<double, Cpu> options) {
        return refusal_of([&] { Trainer<double, Cpu>(model, std::move(options)); });
    };
    const MeanSquaredError mse;
    CHECK(trainer_with({.loss = {{"a", mse}, {"c", mse}}}) ==
          "trainer: loss: there is no output c; there are a, b");
    CHECK(trainer_with({.loss = {{"a", mse}, {"a", mse}}}) ==
          "trainer: loss: two entries for output a; there are a, b");
    CHECK(trainer_with({.loss = {{"b", mse}}}) ==
          "trainer: loss: no entry for output a; there are a, b");
    CHECK(trainer_with({.loss = {mse, mse}, .loss_weights = {{"x", 1}}}) ==
          "trainer: loss_weights: there is no output x; there are a, b");
    CHECK(trainer_with({.loss = {mse, mse}, .output_metrics = {{"place", {Accuracy{}}}}}) ==
          "trainer: output_metrics: there is no output place; there are a, b");
    CHECK(trainer_with({.loss = {{"p", mse}, {"q", mse}}, .output_names = {"q", "p"}}) ==
          "nothing was thrown");

    Trainer<double, Cpu> trainer(model, {.loss = {{"b", mse}, {"a", mse}}});
    const FitOptions<double> quiet{.verbosity = Verbosity::silent};
    const auto fit = [&](const Examples<double>& examples, FitOptions<double> options = {}) {
        options.verbosity = Verbosity::silent;
        return refusal_of([&] { trainer.fit(examples, options); });
    };
    CHECK(fit({{{"x", x}}, {{"b", y}, {"a", y}}}) == "nothing was thrown");
    CHECK(fit({{{"y", x}}, {y, y}}) == "fit: the data: there is no input y; there are x");
    CHECK(fit({{x}, {{"a", y}, {"c", y}}}) ==
          "fit: the data: there is no output c; there are a, b");
    CHECK(fit({{x}, {{"a", y}, {"a", y}}}) ==
          "fit: the data: two entries for output a; there are a, b");
    CHECK(fit({{x}, {{"a", y}}}) == "fit: the data have 1 targets, expected 2");
    CHECK(fit({{x}, {y, y}}, {.validation_data = {{x}, {{"a", y}, {"z", y}}}}) ==
          "fit: the data of validation_data: there is no output z; there are a, b");
    CHECK(refusal_of([&] { trainer.evaluate({x}, {{"a", y}, {"z", y}}); }) ==
          "evaluate: the data: there is no output z; there are a, b");
    CHECK(refusal_of([&] { Examples<double>({x}, {{"a", y}, y}); }) ==
          "dataset: target 1 has no name, expected names of all or of none");
    CHECK(refusal_of([&] { Examples<double>({x}, {y, {"a", y}}); }) ==
          "dataset: target 1 has a name, expected names of all or of none");

    // A model of other outputs in the place of the first.
    const auto z = input<double, Cpu>({1}, "x");
    model = Model<double>({z},
                          {z | Dense{.units = 1, .name = "b"}, z | Dense{.units = 1, .name = "a"}});
    CHECK(fit({{x}, {y, y}}) ==
          "trainer: its options name the outputs of the model that it was made with, but the model "
          "has others now; make another Trainer");
}

TEST_CASE("a model of one input and one output takes names, too") {
    Sequential<float> model{Dense{.units = 1, .name = "size"}};
    Trainer<float, Cpu> trainer(model, {.loss = {{"size", MeanSquaredError{}}}});
    const Tensor<float> x = random_normal<float>({4, 3}, 1), y = random_normal<float>({4, 1}, 2);
    const FitOptions<float> quiet = quiet_several(1);
    CHECK(trainer.fit({{"input_layer", x}}, {{"size", y}}, quiet).epochs.size() == 1);
    CHECK(trainer.evaluate({{"input_layer", x}}, {{"size", y}})["loss"] ==
          trainer.evaluate(x, y)["loss"]);
}

TEST_CASE("a NaN in the data is named by the input or the output that it is for") {
    const auto p = input({2}, "p"), q = input({3}, "q");
    const auto both = concatenate(p, q);
    Model<float> model(
        {p, q}, {both | Dense{.units = 1, .name = "a"}, both | Dense{.units = 2, .name = "b"}});
    Trainer<float, Cpu> trainer(model, {.loss = {MeanSquaredError{}, MeanSquaredError{}}});
    const auto where = [&](int bad, bool by_name) {
        std::vector<Tensor<float>> parts;
        for (const Index size : {2, 3, 1, 2}) parts.push_back(random_normal<float>({8, size}, 1));
        parts[static_cast<std::size_t>(bad)][1] = std::numeric_limits<float>::quiet_NaN();
        const Examples<float> examples =
            by_name ? Examples<float>({{"q", parts[1]}, {"p", parts[0]}},
                                      {{"b", parts[3]}, {"a", parts[2]}})
                    : Examples<float>({parts[0], parts[1]}, {parts[2], parts[3]});
        const History history = trainer.fit(examples, quiet_several(1));
        REQUIRE(history.non_finite);
        return history.non_finite->where;
    };
    for (const bool by_name : {false, true}) {
        CHECK(where(0, by_name) == "p");
        CHECK(where(1, by_name) == "q");
        CHECK(where(2, by_name) == "targets of a");
        CHECK(where(3, by_name) == "targets of b");
    }
}

TEST_CASE("a model of one output takes no weights of losses, and a list of losses is not empty") {
    const Tensor<float> x({2, 1}, {1, 2}), y({2, 1}, {0, 0});
    Sequential<float> model{Input{{1}}, Dense{1}};
    CHECK_THROWS_WITH_AS(Trainer(model, {.loss = MeanSquaredError{}, .loss_weights = {2}})
                             .fit(x, y, {.verbosity = Verbosity::silent}),
                         "trainer: loss_weights needs several outputs, but the model has one",
                         ArgumentError);
    using Losses = std::vector<LossDeclaration<float, Cpu>>;
    CHECK_THROWS_WITH_AS((LossList<float, Cpu>(Losses{})),
                         "loss: the list is empty, expected a loss", ArgumentError);
}
