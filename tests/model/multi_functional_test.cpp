// Models with several inputs and outputs, and models as layers of others.
#include "weft/model/functional.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/functional_models.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/special_values.hpp"
#include "tests/support/walled_device.hpp"
#include "weft/model/inner_model.hpp"
#include "weft/model/to_device.hpp"
#include "weft/testing/gradient_check.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <ctime>

using namespace weft;

namespace {

using Node = Value<double, Cpu>;

constexpr Index batch_samples = 3;
constexpr PassOptions training_pass{.training = true, .seed = 4, .step = 5};

Node dinput(const Shape& shape, std::string name = {}) {
    return input<double, Cpu>(shape, std::move(name));
}

template <class Scalar>
std::vector<Tensor<Scalar>> random_inputs(const std::vector<Shape>& shapes, Index n) {
    std::vector<Tensor<Scalar>> inputs;
    for (const Shape& shape : shapes) {
        inputs.push_back(
            random_normal<Scalar>(shape.batch(n), static_cast<std::uint32_t>(10 + inputs.size())));
    }
    return inputs;
}

template <class Scalar>
std::vector<TensorView<const Scalar>> views_of(const std::vector<Tensor<Scalar>>& tensors) {
    return {tensors.begin(), tensors.end()};
}

void randomize(Model<double>& model) {
    const auto random = random_normal(model.trainable_parameters().shape(), 2, 0.6);
    std::ranges::copy(random, model.trainable_parameters().begin());
}

/// Whether the gradients of all parameters are central differences of L = sum_k sum(r_k f_k(x)).
Verdict have_numerical_gradients(Model<double>& model) {
    const auto inputs = random_inputs<double>(model.input_shapes(), batch_samples);
    const auto xs = views_of(inputs);
    auto workspace = model.make_workspace(batch_samples, PassKind::training);
    const std::size_t count = model.output_shapes().size();
    std::vector<Tensor<double>> r;
    Index total = 0;
    for (const Shape& shape : model.output_shapes()) {
        r.push_back(
            random_normal(shape.batch(batch_samples), static_cast<std::uint32_t>(30 + r.size())));
        total += r.back().size();
    }
    // All outputs as one vector.
    const auto outputs = [&] {
        model.forward(workspace, std::span(xs), training_pass);
        Tensor<double> all({total});
        double* to = all.data();
        for (std::size_t k = 0; k < count; ++k) {
            to = std::ranges::copy(model.prediction(workspace, batch_samples, k), to).out;
        }
        return all;
    };
    outputs();
    Tensor<double> all_r({total});
    double* to = all_r.data();
    for (std::size_t k = 0; k < count; ++k) {
        to = std::ranges::copy(r[k], to).out;
        std::ranges::copy(r[k], model.output_gradient(workspace, batch_samples, k).begin());
    }
    Tensor<double> gradients(model.trainable_parameters().shape());
    std::ranges::fill(gradients, not_a_number<double>);
    model.backward(workspace, std::span(xs), training_pass, gradients);
    Verdict verdict;
    for (const ParameterInfo& parameter : model.parameters()) {
        if (!parameter.slot.trainable) continue;
        const auto expected = numerical_gradient(model.view(parameter.slot), all_r, outputs);
        const TensorView<const double> ours(gradients.view().data() + parameter.slot.offset,
                                            parameter.slot.shape);
        verdict.add(parameter.name, largest_gap(ours, expected), gradient_tolerance);
    }
    return verdict;
}

std::vector<std::string> parameter_names(const auto& model) {
    std::vector<std::string> names;
    for (const ParameterInfo& parameter : model.parameters()) names.push_back(parameter.name);
    return names;
}

/// Two Dense layers, with the name encoder.
Model<double> encoder_of(Index features) {
    const Node x = dinput({features});
    Model<double> encoder(x, x | Dense{4, weft::tanh} | Dense{2});
    encoder.set_name("encoder");
    randomize(encoder);
    return encoder;
}

}  // namespace

TEST_CASE("two inputs and two outputs, with numbers worked by hand") {
    const auto a = input({2}, "a"), b = input({2});
    const auto sum = add(a, b);
    const Model model({a, b}, {sum | Dense{.units = 1, .kernel_initializer = ones, .name = "c"},
                               multiply(a, sum)});
    CHECK(model.input_names() == std::vector<std::string>{"a", "input_layer"});
    CHECK(model.output_names() == std::vector<std::string>{"c", "multiply"});
    CHECK(model.output_shapes() == std::vector<Shape>{{1}, {2}});
    const Tensor<float> x({1, 2}, {1, 2}), z({1, 2}, {10, 20});
    const auto y = model.predict({x, z});
    REQUIRE(y.size() == 2);
    CHECK(identical(y[0], Tensor<float>({1, 1}, {33})));
    CHECK(identical(y[1], Tensor<float>({1, 2}, {11, 44})));
    CHECK(model.summary() == R"(Model: "functional"
=============================================================================
Layer (type)                Output Shape           Param #  Connected to
-----------------------------------------------------------------------------
a (InputLayer)              (None, 2)                    0  -
input_layer (InputLayer)    (None, 2)                    0  -
add (Add)                   (None, 2)                    0  a[0][0]
                                                            input_layer[0][0]
c (Dense)                   (None, 1)                    3  add[0][0]
multiply (Multiply)         (None, 2)                    0  a[0][0]
                                                            add[0][0]
=============================================================================
Total params: 3
Trainable params: 3
Non-trainable params: 0
)");
}

TEST_CASE("gradients of several outputs are central differences") {
    const Node a = dinput({4, 5, 2}), b = dinput({3});
    const Conv2D conv{.filters = 3, .kernel_size = 3, .padding = same};
    const Node image = a | conv | ReLU{}, flat = image | Flatten{} | Dense{3, sigmoid};
    const Node both = concatenate(flat, b), logits = both | Dense{4};
    const SharedLayer<double, Cpu> tower(Dense{3, weft::tanh});
    const Node once = b | tower;
    const std::vector<std::vector<Node>> outputs{
        {flat, both | Dense{2, relu}},                       // an output that others read
        {logits, logits | Softmax{}},                        // and one whose activation is another
        {image, image | MaxPool2D{}},                        // a relu that is read by both
        {flat, flat | Dense{1}, flat},                       // a value that is two outputs
        {image | Reshape{{-1}}, image, flat},                // and its view
        {flat, b},                                           // an output that is an input
        {once, once | tower, multiply(once | tower, flat)},  // a layer used again
        {logits | ReLU{}, add(flat, b) | Sigmoid{}},
        {flat | BatchNorm{} | ReLU{}, both | Dropout{.rate = 0.3} | Dense{2}},
    };
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        CAPTURE(i);
        Model<double> model(std::vector<Node>{a, b}, outputs[i]);
        randomize(model);
        CHECK(have_numerical_gradients(model));
    }
}

TEST_CASE("a prediction is that of a training pass, in any batch, and allocates once") {
    for (const auto& entry : multi_models<float>()) {
        CAPTURE(entry.first);
        const Model<float>& model = entry.second;
        const auto inputs = random_inputs<float>(model.input_shapes(), 131);  // two batches
        const auto xs = views_of(inputs);
        auto ys = model.predict(xs);
        auto workspace = model.make_workspace(131, PassKind::training);
        model.forward(workspace, std::span(xs));
        for (std::size_t k = 0; k < ys.size(); ++k) {
            CHECK(identical(ys[k], model.prediction(workspace, 131, k)));
        }
        std::vector<TensorView<const float>> last;
        for (const auto& x : xs) last.push_back(x.slice(130, 1));
        const auto one = model.predict(last);
        for (std::size_t k = 0; k < ys.size(); ++k) {
            CHECK(identical(one[k], ys[k].view().slice(130, 1)));
        }
        std::vector<TensorView<float>> to(ys.begin(), ys.end());
        const AllocationCounter allocations;
        model.predict(std::span(xs), to);
        CHECK(allocations.count() == 0);
        const Model<float> copy = model;
        CHECK(identical(copy.predict(xs).front(), ys.front()));
        for (const int threads : {1, 2, 7}) {
            Model<float> other = model;
            other.set_device(Cpu::exactly(threads));
            CHECK(identical(other.predict(xs).back(), ys.back()));
        }
    }
}

TEST_CASE("another device gives the same outputs of several") {
    for (const auto& entry : multi_models<float>()) {
        CAPTURE(entry.first);
        const Model<float>& model = entry.second;
        const auto inputs = random_inputs<float>(model.input_shapes(), 5);
        const auto there = to<kernels::Walled>(model);
        CHECK(there.summary() == model.summary());
        const auto ys = model.predict(views_of(inputs));
        const auto walled = detail::predict_on_host(there, views_of(inputs));
        REQUIRE(ys.size() == walled.size());
        for (std::size_t k = 0; k < ys.size(); ++k) CHECK(identical(ys[k], walled[k]));
    }
}

TEST_CASE("a list of one input gives a list of outputs, one tensor gives a tensor") {
    const auto a = input({2});
    Model model(a, {a | Dense{1}, a | Dense{3}});
    Sequential chain{Input{{2}}, Dense{1}};
    const Tensor<float> x({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
    const std::vector<Tensor<float>> ys = model.predict({x}), y = chain.predict({x});
    REQUIRE(ys.size() == 2);
    REQUIRE(y.size() == 1);
    CHECK(identical(ys[1], model.predict(std::vector{TensorView<const float>(x)})[1]));
    CHECK(identical(y[0], chain.predict(x)));
    // Views in braces, too, and a view that is made in them.
    CHECK(identical(chain.predict({x.view()})[0], chain.predict(x)));
    CHECK(identical(chain.predict({x.data(), x.shape()}), chain.predict(x)));
}

TEST_CASE("wrong inputs and outputs are refused by name") {
    const auto a = input({2}, "left"), b = input({3});
    Model model({a, b}, {concatenate(a, b) | Dense{2}, a | Dense{1}});
    const Tensor<float> x({4, 2}), y({4, 3});
    CHECK_NOTHROW(model.predict({x, y}));
    using Views = std::vector<TensorView<const float>>;
    CHECK_THROWS_WITH_AS(model.predict(Views{x}), "model: 1 inputs, expected 2", ArgumentError);
    CHECK_THROWS_WITH_AS(model.predict({x, x}),
                         "model: input 1, input_layer, has shape (4, 2), expected (None, 3)",
                         ShapeError);
    CHECK_THROWS_WITH_AS(model.predict({Tensor<float>({3, 2}), y}),
                         "model: input 1, input_layer, has 4 samples, the first has 3", ShapeError);
    CHECK_THROWS_WITH_AS(model.predict(x),
                         "model: it has 2 inputs, expected 1; input_shapes(), "
                         "output_shapes() and lists of tensors are for several",
                         ArgumentError);
    CHECK_THROWS_AS(model.input_shape(), ArgumentError);
    CHECK_THROWS_AS(model.output_shape(), ArgumentError);
    CHECK_THROWS_WITH_AS(model.build(Shape{2}), "model: build for 1 inputs, expected 2",
                         ArgumentError);
    Tensor<float> wide({4, 2}), narrow({4, 1});
    const std::vector<TensorView<float>> good{wide, narrow}, bad{wide, wide};
    const Views xs{x, y};
    CHECK_NOTHROW(model.predict(std::span(xs), good));
    CHECK_THROWS_WITH_AS(model.predict(std::span(xs), bad),
                         "model: output 1, dense_1, has shape (4, 2), expected (4, 1)", ShapeError);
    auto workspace = model.make_workspace(4, PassKind::training);
    CHECK_THROWS_AS(model.forward(workspace, x), ArgumentError);

    CHECK_THROWS_WITH_AS(Model({a, a}, a | Dense{1}),
                         "model: input 0 is the same value as another input", ArgumentError);
    CHECK_THROWS_WITH_AS(Model(a, {a | Dense{1}, b | Dense{1}}),
                         "model: the output reads an input that is not the model's", ArgumentError);
    CHECK_THROWS_WITH_AS(Model({a, b}, {b, a}),
                         "model: the output is the input, expected a layer between", ArgumentError);
    const auto named = input({2}, "dense");
    CHECK_THROWS_WITH_AS(Model(named, add(named, named | Dense{2})),
                         "model: an input has the name of a layer, dense", ArgumentError);
}

TEST_CASE("a model is a layer of another: names, weights, gradients") {
    const Model<double> encoder = encoder_of(3);
    const Node p = dinput({3}, "p"), q = dinput({3}, "q");
    const Node code = encoder(p);
    Model<double> model({p, q}, {concatenate(code, encoder(q)) | Dense{1}, code});
    CHECK(parameter_names(model) ==
          std::vector<std::string>{"encoder/dense/kernel", "encoder/dense/bias",
                                   "encoder/dense_1/kernel", "encoder/dense_1/bias", "dense/kernel",
                                   "dense/bias"});
    CHECK(model.output_names() == std::vector<std::string>{"dense", "encoder"});
    // It starts as it was, and is then the other model's.
    CHECK(identical(model.parameter("encoder/dense/kernel"), encoder.parameter("dense/kernel")));
    const auto inputs = random_inputs<double>(model.input_shapes(), 4);
    CHECK(identical(model.predict(views_of(inputs))[1], encoder.predict(inputs[0])));
    CHECK(have_numerical_gradients(model));
    CHECK(model.summary() == R"(Model: "functional"
=============================================================================
Layer (type)                Output Shape           Param #  Connected to
-----------------------------------------------------------------------------
p (InputLayer)              (None, 3)                    0  -
q (InputLayer)              (None, 3)                    0  -
encoder (Sequential)        (None, 2)                   26  p[0][0]
                                                            q[0][0]
concatenate (Concatenate)   (None, 4)                    0  encoder[0][0]
                                                            encoder[1][0]
dense (Dense)               (None, 1)                    5  concatenate[0][0]
=============================================================================
Total params: 31
Trainable params: 31
Non-trainable params: 0
)");
    // And is a model again, wherever it is.
    for (double& x : model.trainable_parameters()) x += 0.125;
    const Model<double> inner = inner_model(model, "encoder");
    CHECK(inner.summary() == encoder.summary());
    CHECK(identical(inner.predict(inputs[0]), model.predict(views_of(inputs))[1]));
    CHECK_THROWS_WITH_AS(inner_model(model, "dense"),
                         "inner_model: no layer of the model is a model named dense",
                         ArgumentError);
    // Built again it starts as at first.
    const Tensor<double> head(model.parameter("dense/kernel"));
    model.build(model.input_shapes(), 7);
    CHECK(identical(model.parameter("encoder/dense/kernel"), encoder.parameter("dense/kernel")));
    CHECK_FALSE(identical(model.parameter("dense/kernel"), head));
}

TEST_CASE("models in models in models, of several inputs and outputs") {
    const Node a = dinput({3}), b = dinput({2});
    const Node mixed = concatenate(a, b) | Dense{3, weft::tanh};
    Model<double> two({a, b}, {mixed, b, mixed | Dense{2}});
    two.set_name("two");
    const Node x = dinput({3}), y = dinput({2});
    const auto inner = two.apply(std::vector{x, y});
    const auto again = two.apply(std::vector{inner[0], inner[2]});
    Model<double> middle({x, y}, {again[0], add(again[1], inner[1])});
    middle.set_name("middle");
    const Node u = dinput({3}), v = dinput({2});
    const auto outer = middle.apply(std::vector{u, v});
    Model<double> model({v, u}, {concatenate(outer[0], outer[1]) | Dense{2}, outer[1]});
    CHECK(parameter_names(model).front() == "middle/two/dense/kernel");
    CHECK(model.parameters().size() == 6);
    CHECK(identical(model.parameter("middle/two/dense/kernel"), two.parameter("dense/kernel")));
    randomize(model);
    CHECK(have_numerical_gradients(model));
    // What of a model nobody uses is neither run nor trained.
    const auto only_second = two.apply(std::vector{x, y})[2],
               passed = two.apply(std::vector{x, y})[1];
    Model<double> part({x, y}, {passed, x | Dense{1}});
    randomize(part);
    CHECK(part.plan_text(PassKind::training).find("two") == std::string::npos);
    CHECK(have_numerical_gradients(part));
    Model<double> idle({x, y}, {only_second | Dense{1}, middle.apply(std::vector{x, y})[0]});
    randomize(idle);
    CHECK(have_numerical_gradients(idle));
    CHECK_THROWS_WITH_AS(two(x), "two: it has 3 outputs, expected 1; apply gives all of them",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(middle.apply(std::vector{u}), "middle: 1 inputs, expected 2",
                         ArgumentError);
    const Model<double> encoder = encoder_of(4);
    CHECK_THROWS_WITH_AS(Model<double>(u, add(encoder(u), encoder(dinput({4})))),
                         "model: the output reads an input that is not the model's", ArgumentError);
    CHECK_THROWS_WITH_AS((Model<double>(u, encoder(u))),
                         "encoder: input 0 has shape (None, 3), expected (None, 4)", ShapeError);
}

TEST_CASE("a Sequential without parameters yet is a layer, and two of them are two layers") {
    const Sequential<double> head{Dense{3, relu}, Dense{2}};
    const Sequential<double> other = head;
    const Node x = dinput({4});
    const Model<double> model(x, add(head(x), head(x), other(x)));
    CHECK(parameter_names(model)[2] == "sequential/dense_1/kernel");
    CHECK(parameter_names(model)[4] == "sequential_1/dense/kernel");
    CHECK(model.parameters().size() == 8);
}

TEST_CASE("batch norms fold through models and in models of several outputs") {
    for (const auto& entry : multi_models<float>()) {
        CAPTURE(entry.first);
        Model<float> model = entry.second;
        // Statistics that are not those of the start.
        for (float& x : model.arena()) x = x * 0.9f + 0.05f;
        const Model<float> folded = fold_batch_norm(model);
        CHECK(folded.layer_count() < model.layer_count());
        const auto inputs = random_inputs<float>(model.input_shapes(), 6);
        const auto ys = model.predict(views_of(inputs)), folds = folded.predict(views_of(inputs));
        for (std::size_t k = 0; k < ys.size(); ++k) {
            // A dozen layers of some ten terms each, relative to numbers of at least 1e-3.
            CHECK(largest_gap(folds[k], ys[k]) < 1e-4);
        }
    }
}

TEST_CASE("a layer of a model that is dissolved takes a name that is free") {
    const auto z = input({4}), x = input({4});
    Model<float> encoder(z, z | Dense{3} | BatchNorm{});
    encoder.set_name("encoder");
    Model<float> model(x, encoder(x) | Dense{.units = 2, .name = "encoder_dense"});
    for (float& number : model.arena()) number = number * 0.9f + 0.05f;
    const Model<float> folded = fold_batch_norm(model);
    REQUIRE(folded.layer_count() == 2);
    CHECK(folded.layer_name(0) == "encoder_dense_1");
    CHECK(folded.layer_name(1) == "encoder_dense");
    const auto data = random_normal<float>({5, 4}, 1);
    // A dozen terms in two layers, relative to numbers of at least 1e-3.
    CHECK(largest_gap(folded.predict(data), model.predict(data)) < 1e-4);
}

TEST_CASE("a model that gives back what it is applied to is not all of another") {
    const auto x = input({2});
    const Model<float> inner(x, {x, x | Dense{3}});
    const auto z = input({2}), y = input({2});
    CHECK_THROWS_WITH_AS(Model(z, inner.apply(std::vector{z})[0]),
                         "model: the output is the input, expected a layer between", ArgumentError);
    const auto both = inner.apply(std::vector{z}), again = inner.apply(std::vector{both[0]});
    CHECK_THROWS_AS(Model(z, again[0]), ArgumentError);
    CHECK_THROWS_AS(Model<float>({z, y}, {both[0], y}), ArgumentError);
    Model<float> legal(z, {both[0], both[1]});
    const auto data = random_normal<float>({4, 2}, 1);
    CHECK(identical(legal.predict({data})[0].view(), data.view()));
}

TEST_CASE("one layer, or one model, applied many times takes a time in proportion") {
    // Comparing all steps, values, places or calls with all others took 8 s and more of each, with
    // optimisation; now it is about 0.2 s.
    constexpr std::size_t applications = 40'000;
    const Sequential<float> dense{Dense{.units = 2}};
    const std::vector<LooseLayer<float, Cpu>> applied{
        LayerDeclaration<float, Cpu>(ReLU{}), LayerDeclaration<float, Cpu>(Dense{.units = 2}),
        GraphModel<float, Cpu>{"m", true, 0,
                               std::make_shared<const Graph<float, Cpu>>(dense.graph())}};
    std::vector<LooseNode> nodes;
    for (std::size_t i = 0; i < applications; ++i) {
        nodes.push_back({0, {i == 0 ? LooseValue{graph_input} : LooseValue{i - 1}}});
    }
    const std::vector<LooseValue> output{{applications - 1}};
    for (const auto& layer : applied) {
        const std::clock_t begin = std::clock();
        const Model<float> model(
            ordered_graph<float, Cpu>(std::span(&layer, 1), nodes, {{Shape{2}}}, {""}, output));
        model.predict(Tensor<float>({1, 2}));
        const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        CHECK(seconds < 2);
    }
}
