/// What a model fuses, against the sum of its parts: layers that take their neighbour's relu, share
/// its memory, work in place, or leave their activation to the loss.

#include "tests/support/apart.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/testing/gradient_check.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace weft;

namespace {

using Declaration = LayerDeclaration<double, Cpu>;
using Layers = std::vector<std::string>;

/// Layers that fuse in some way, or stand between those that do, by name.
const std::map<std::string, Declaration>& known_layers() {
    static const std::map<std::string, Declaration> layers{
        {"dense", Dense{.units = 3}},
        {"dense relu", Dense{.units = 4, .activation = relu}},
        {"dense relu l2",
         Dense{.units = 3, .activation = relu, .activity_regularizer = Regularizer{0.05, 0.1}}},
        {"dense gelu", Dense{.units = 4, .activation = gelu}},
        {"conv", Conv2D{.filters = 3, .kernel_size = 2, .padding = same}},
        {"conv relu", Conv2D{.filters = 4, .kernel_size = 2, .padding = same, .activation = relu}},
        {"conv relu l2", Conv2D{.filters = 3,
                                .kernel_size = 2,
                                .padding = same,
                                .activation = relu,
                                .activity_regularizer = l2(0.1)}},
        {"relu", ReLU{}},
        {"tanh", Tanh{}},
        {"leaky", LeakyReLU{}},
        {"silu", SiLU{}},
        {"pool", MaxPool2D{.padding = same}},
        {"pool overlapping", MaxPool2D{.pool_size = 3, .strides = 2, .padding = same}},
        {"pool valid", MaxPool2D{}},
        {"mean pool", AveragePool2D{.padding = same}},
        {"global pool", GlobalMaxPool2D{}},
        {"batch norm", BatchNorm{}},
        {"dropout", Dropout{.rate = 0.3}},
        {"flatten", Flatten{}},
        {"reshape", Reshape{{-1, 1, 1}}},
        {"channels first", Flatten{.data_format = channels_first}},
        {"padding", ZeroPadding2D{.before = {1, 0}, .after = {0, 2}}},
        {"rescaling", Rescaling{.scale = 0.5, .offset = 0.1}},
    };
    return layers;
}

/// A model of those layers over images, behind a convolution that needs all their gradients. Not
/// built where a layer does not fit the output of the one before.
Sequential<double> model_of(const Layers& names, bool apart) {
    Sequential<double> model;
    const auto add = [&](const Declaration& layer) {
        model.add(apart ? Declaration(Apart<double>{layer}) : layer);
    };
    add(Conv2D{.filters = 3, .kernel_size = 2, .activation = weft::tanh});
    for (const std::string& name : names) add(known_layers().at(name));
    try {
        model.build({5, 4, 2}, 3);
    } catch (const ShapeError&) {
        return model;
    }
    const auto random = random_normal(model.trainable_parameters().shape(), 2, 0.6);
    std::ranges::copy(random, model.trainable_parameters().begin());
    return model;
}

constexpr Index batch = 3;
constexpr PassOptions training{.training = true, .seed = 4, .step = 5};

/// What a training pass leaves, and then predict.
struct Passed {
    Tensor<double> y, gradients, state, predictions;
    double penalty;
};

Passed pass(Sequential<double> model) {
    const auto x = random_normal(model.input_shape().batch(batch), 1);
    model.set_device(Cpu(1));
    auto workspace = model.make_workspace(batch + 1, PassKind::training);
    Passed result;
    result.y = Tensor<double>(model.forward(workspace, x, training));
    result.penalty = workspace.activity_penalty()[0];
    const auto dy = random_normal(result.y.shape(), 3);
    std::ranges::copy(dy, model.output_gradient(workspace, batch).begin());
    result.gradients = Tensor<double>(model.trainable_parameters().shape());
    model.backward(workspace, x, training, result.gradients);
    result.state = Tensor<double>(model.arena());
    result.predictions = model.predict(x);
    return result;
}

std::string text(const Layers& names) {
    std::string result;
    for (const std::string& name : names) result += concat(name, ", ");
    return result;
}

/// Whether the model of those layers, which has to be built, has the bits of its layers apart.
Verdict equals_its_parts(const Layers& names, const Sequential<double>& model) {
    const auto parts = pass(model_of(names, true)), whole = pass(model);
    Verdict verdict;
    verdict.add("y", identical(whole.y, parts.y));
    verdict.add("gradients", identical(whole.gradients, parts.gradients));
    verdict.add("state", identical(whole.state, parts.state));
    verdict.add("predictions", identical(whole.predictions, parts.predictions));
    verdict.add("penalty", Gap{std::abs(whole.penalty - parts.penalty)}, 1e-300);
    return verdict;
}

/// Whether the gradients of all parameters are central differences of L = sum(dy y) + penalty / N.
Verdict has_numerical_gradients(Sequential<double> model) {
    const auto gradients = pass(model).gradients;
    const auto x = random_normal(model.input_shape().batch(batch), 1);
    const auto dy = random_normal(model.output_shape().batch(batch), 3);
    auto workspace = model.make_workspace(batch, PassKind::training);
    const auto loss = [&] {
        const auto y = model.forward(workspace, x, training);
        double total = workspace.activity_penalty()[0] / batch;
        for (Index i = 0; i < y.size(); ++i) total += dy[i] * y[i];
        return Tensor<double>({1}, {total});
    };
    Verdict verdict;
    for (const ParameterInfo& parameter : model.parameters()) {
        if (!parameter.slot.trainable) continue;
        const auto expected =
            numerical_gradient(model.view(parameter.slot), Tensor<double>({1}, {1}), loss);
        const TensorView<const double> ours(gradients.view().data() + parameter.slot.offset,
                                            parameter.slot.shape);
        verdict.add(parameter.name, largest_gap(ours, expected), gradient_tolerance);
    }
    return verdict;
}

/// The plan of training with a model of those layers.
Plan plan_of(const std::vector<Declaration>& layers, const Shape& input = {4, 4, 2}) {
    Sequential<double> model(layers);
    model.build(input);
    return model.make_workspace(2, PassKind::training).plan();
}

/// The gradient of the loss of a model of those layers, as a step of SGD of rate 1 takes it.
template <class Scalar>
struct Trained {
    Tensor<Scalar> gradient;
    double loss, evaluated;
};

template <class Scalar>
Trained<Scalar> train_step(const std::vector<LayerDeclaration<Scalar, Cpu>>& layers,
                           const LossDeclaration<Scalar, Cpu>& loss, const Tensor<Scalar>& x,
                           const Tensor<Scalar>& y, bool apart) {
    Sequential<Scalar> model;
    for (const auto& layer : layers) {
        model.add(apart ? LayerDeclaration<Scalar, Cpu>(Apart<Scalar>{layer}) : layer);
    }
    model.build(x.shape().sample(), 6);
    Trainer trainer(
        model, TrainerOptions<Scalar, Cpu>{.optimizer = SGD{.learning_rate = 1}, .loss = loss});
    const double evaluated = trainer.evaluate(x, y)["loss"];
    Tensor<Scalar> gradient(model.trainable_parameters());
    const History history = trainer.fit(
        x, y, {.batch_size = x.shape()[0], .shuffle = false, .verbosity = Verbosity::silent});
    for (Index i = 0; i < gradient.size(); ++i) gradient[i] -= model.trainable_parameters()[i];
    return {std::move(gradient), history["loss"].front(), evaluated};
}

}  // namespace

TEST_CASE("models of two and three layers have the bits of their layers apart") {
    int models = 0;
    const auto check = [&](const Layers& names) {
        const auto model = model_of(names, false);
        if (!model.is_built()) return;
        ++models;
        const Verdict verdict = equals_its_parts(names, model);
        if (!verdict) FAIL_CHECK(text(names), verdict.complaint);
    };
    for (const auto& [first, of_first] : known_layers()) {
        for (const auto& [second, of_second] : known_layers()) {
            check({first, second});
            for (const auto& [third, of_third] : known_layers()) check({first, second, third});
        }
    }
    CHECK(models > 6000);
}

TEST_CASE(
    "models of four layers that take, pass or end a relu have the bits of their layers apart") {
    const Layers some{"conv relu",        "dense relu l2", "relu",    "pool",
                      "pool overlapping", "batch norm",    "flatten", "reshape"};
    int models = 0;
    for (const std::string& first : some) {
        for (const std::string& second : some) {
            for (const std::string& third : some) {
                for (const std::string& fourth : some) {
                    const Layers names{first, second, third, fourth};
                    const auto model = model_of(names, false);
                    if (!model.is_built()) continue;
                    ++models;
                    const Verdict verdict = equals_its_parts(names, model);
                    if (!verdict) FAIL_CHECK(text(names), verdict.complaint);
                }
            }
        }
    }
    CHECK(models > 2000);
}

TEST_CASE("models of two layers have the gradients of central differences") {
    for (const auto& first : known_layers()) {
        for (const auto& second : known_layers()) {
            const auto model = model_of({first.first, second.first}, false);
            if (!model.is_built()) continue;
            CAPTURE(first.first);
            CAPTURE(second.first);
            CHECK(has_numerical_gradients(model));
        }
    }
}

TEST_CASE("a pool that takes a batch norm along has the bits of both, and numerical gradients") {
    // Odd and even images, windows that cover them, overlap, or leave elements out; with and without
    // a relu in front and dropout behind.
    for (const std::string first : {"conv relu", "conv", "padding", "leaky"}) {
        for (const std::string pool : {"pool", "pool overlapping", "pool valid", "global pool"}) {
            for (const std::string last : {"dropout", "dense", "batch norm"}) {
                const Layers names{first, "batch norm", pool, last};
                const auto model = model_of(names, false);
                REQUIRE(model.is_built());
                CAPTURE(text(names));
                CHECK(equals_its_parts(names, model));
                CHECK(has_numerical_gradients(model));
            }
        }
    }
}

TEST_CASE("on the CPU a pool takes along the batch norm before it, and dropout behind it") {
    const auto plan = [](const Declaration& pool, bool apart) {
        std::vector<Declaration> layers{Conv2D{.filters = 2, .kernel_size = 1, .activation = relu},
                                        BatchNorm{}, pool, Dropout{.rate = 0.3}, Dense{.units = 2}};
        if (apart) layers[1] = Apart<double>{layers[1]};
        return plan_of(layers);
    };
    for (const Declaration& pool :
         {Declaration(MaxPool2D{}), Declaration(MaxPool2D{.pool_size = 3, .strides = 1})}) {
        const Plan fused = plan(pool, false);
        const auto& steps = fused.steps();
        REQUIRE(steps.size() == 6);  // with that of the relu
        CHECK_FALSE(steps[2].runs_forward);
        CHECK_FALSE(steps[2].runs_backward);
        CHECK(steps[3].norm == 2);
        CHECK(steps[3].dropout == 4);
        CHECK((steps[3].before == relu));
        CHECK(steps[3].backward_reads_x);
        CHECK_FALSE(steps[3].backward_reads_y);
        CHECK_FALSE(steps[4].runs_forward);
        CHECK(plan(pool, true).steps()[3].norm == PlanStep::none);
    }
    // The number for what was dropped has no place among those of the taps.
    CHECK(plan_of({Conv2D{.filters = 2, .kernel_size = 1}, BatchNorm{}, MaxPool2D{.pool_size = 16}},
                  {16, 16, 1})
              .steps()[2]
              .norm == PlanStep::none);
}

TEST_CASE("a relu in front of a layer that backs through it has no backward, and no other") {
    const auto is_done_behind = [](const std::vector<Declaration>& behind,
                                   Regularizer penalty = {}) {
        std::vector<Declaration> layers{Conv2D{
            .filters = 2, .kernel_size = 1, .activation = relu, .activity_regularizer = penalty}};
        layers.insert(layers.end(), behind.begin(), behind.end());
        const Plan plan = plan_of(layers);
        const PlanStep& step = plan.steps()[1];
        REQUIRE((step.activation == relu));
        return !step.runs_backward;
    };
    CHECK(is_done_behind({MaxPool2D{}}));
    CHECK(is_done_behind({BatchNorm{}}));
    CHECK(is_done_behind({GlobalMaxPool2D{}}));
    CHECK(is_done_behind({Flatten{}, BatchNorm{}}));
    CHECK(is_done_behind({Flatten{}, Reshape{{4, 4, 2}}, MaxPool2D{}, Dense{.units = 2}}));
    CHECK_FALSE(is_done_behind({}));
    CHECK_FALSE(is_done_behind({Flatten{}}));
    CHECK_FALSE(is_done_behind({Dense{.units = 2}, BatchNorm{}}));
    CHECK_FALSE(is_done_behind({Dropout{.rate = 0.5}, BatchNorm{}}));
    CHECK_FALSE(is_done_behind({AveragePool2D{}, MaxPool2D{}}));
    // A penalty has a gradient of its own, which the layer behind knows nothing of.
    CHECK_FALSE(is_done_behind({MaxPool2D{}}, l2(0.1)));
    CHECK_FALSE(is_done_behind({Flatten{}, BatchNorm{}}, l1(0.1)));
}

TEST_CASE("a layer that backs through relu is told that there is one in front, and of no other") {
    const auto told = [](const std::vector<Declaration>& before) {
        std::vector<Declaration> layers = before;
        layers.emplace_back(BatchNorm{});
        return plan_of(layers).steps().back().before == relu;
    };
    const Regularizer penalty = l2(0.1);
    CHECK(told({Dense{.units = 3, .activation = relu}}));
    CHECK(told({Conv2D{.filters = 3, .kernel_size = 2, .activation = relu}}));
    CHECK(told({Dense{.units = 3}, ReLU{}}));
    CHECK(told({Dense{.units = 3, .activation = relu}, Flatten{}, Reshape{{-1, 1}}}));
    CHECK_FALSE(told({}));
    CHECK_FALSE(told({Flatten{}}));
    CHECK_FALSE(told({Dense{.units = 3}}));
    CHECK_FALSE(told({Dense{.units = 3, .activation = sigmoid}}));
    CHECK_FALSE(told({Dense{.units = 3}, LeakyReLU{}}));
    CHECK_FALSE(told({Dense{.units = 3, .activation = relu}, Dropout{.rate = 0.5}}));
    CHECK_FALSE(told({Dense{.units = 3, .activation = relu, .activity_regularizer = penalty}}));
    CHECK_FALSE(told({Dense{.units = 3, .activation = relu}, MaxPool2D{}}));
}

TEST_CASE("with relu in front, pools and batch norm give its gradient") {
    for (const Declaration& layer :
         {Declaration(MaxPool2D{}), Declaration(MaxPool2D{.pool_size = 3, .strides = 1}),
          Declaration(GlobalMaxPool2D{}), Declaration(BatchNorm{})}) {
        SingleLayer<double> behind(layer, {6, 5, 3});
        auto x = random_normal({2, 6, 5, 3}, 1);
        for (double& value : x) value = std::max(value - 0.5, 0.0);
        const auto y = behind.forward(x);
        const auto dy = random_normal(y.shape(), 2);
        auto expected = behind.backward(x, y, dy);
        for (Index i = 0; i < x.size(); ++i) expected[i] = x[i] > 0 ? expected[i] : 0;
        behind.before = relu;
        CHECK(identical(behind.backward(x, y, dy), expected));
    }
}

TEST_CASE_TEMPLATE("a loss that takes logits gives the gradient of the layers apart", Scalar, float,
                   double) {
    using Any = LayerDeclaration<Scalar, Cpu>;
    using Loss = LossDeclaration<Scalar, Cpu>;
    const Index rows = 7, classes = 4;
    const auto x = random_normal<Scalar>({rows, 5}, 1);
    Tensor<Scalar> labels({rows}), one_hot({rows, classes}), bits({rows, classes});
    for (Index r = 0; r < rows; ++r) {
        labels[r] = static_cast<Scalar>(r * 3 % classes);
        one_hot(r, r * 3 % classes) = 1;
        for (Index c = 0; c < classes; ++c) bits(r, c) = static_cast<Scalar>((r * c) % 2);
    }
    struct Case {
        Loss loss;
        Activation activation;
        const Tensor<Scalar>& y;
    };
    for (const Case& c :
         {Case{SparseCategoricalCrossentropy{}, softmax, labels},
          Case{CategoricalCrossentropy{}, softmax, one_hot},
          Case{CategoricalCrossentropy{.label_smoothing = 0.1}, softmax, one_hot},
          Case{BinaryCrossentropy{}, sigmoid, bits},
          Case{BinaryCrossentropy{.label_smoothing = 0.1}, sigmoid, bits},
          Case{SparseCategoricalCrossentropy{}, sigmoid, labels},
          Case{BinaryCrossentropy{}, softmax, bits}, Case{MeanSquaredError{}, softmax, one_hot},
          Case{MeanSquaredError{}, relu, one_hot}}) {
        const Dense hidden{.units = 6, .activation = relu};
        const Dense last{.units = classes, .activation = c.activation};
        Dense penalised = last;
        penalised.activity_regularizer = Regularizer{0.01, 0.02};
        const Any separate = c.activation == softmax   ? Any(Softmax{})
                             : c.activation == sigmoid ? Any(Sigmoid{})
                                                       : Any(ReLU{});
        const std::string where = concat(c.loss.type(), " of ", to_string(c.activation));
        CAPTURE(where);
        for (const std::vector<Any>& layers : {std::vector<Any>{hidden, last},
                                               {hidden, BatchNorm{}, last},
                                               {hidden, penalised},
                                               {hidden, Dense{.units = classes}, separate},
                                               {hidden, last, Reshape{{classes}}},
                                               {hidden, Dropout{.rate = 0.2}, last}}) {
            CAPTURE(layers.size());
            const auto whole = train_step<Scalar>(layers, c.loss, x, c.y, false);
            const auto parts = train_step<Scalar>(layers, c.loss, x, c.y, true);
            // The parts clip probabilities at 1e-7 and divide by them: some hundred roundings.
            const double tolerance =
                200 * static_cast<double>(std::numeric_limits<Scalar>::epsilon());
            CHECK(largest_gap(whole.gradient, parts.gradient, 1) < tolerance);
            CHECK(relative_gap(whole.loss, parts.loss, 1) < tolerance);
            CHECK(relative_gap(whole.evaluated, parts.evaluated, 1) < tolerance);
        }
    }
}
