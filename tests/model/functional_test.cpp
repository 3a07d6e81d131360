#include "weft/model/functional.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/model_gradients.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("a residual block adds its input") {
    Value x = input<double, Cpu>({2});
    Value y = x | Dense{.units = 2, .use_bias = false};
    Model model(x, add(x, y));
    REQUIRE(model.is_built());
    std::ranges::copy(std::array{1.0, 2.0, 3.0, 4.0}, model.parameter("dense/kernel").begin());
    const auto out = model.predict(Tensor<double>({1, 2}, {1, 10}));
    CHECK(identical(out, Tensor<double>({1, 2}, {1 + 31, 10 + 42})));
    CHECK(model.summary() == R"(Model: "functional"
=============================================================================
Layer (type)                Output Shape           Param #  Connected to
-----------------------------------------------------------------------------
input_layer (InputLayer)    (None, 2)                    0  -
dense (Dense)               (None, 2)                    4  input_layer[0][0]
add (Add)                   (None, 2)                    0  input_layer[0][0]
                                                            dense[0][0]
=============================================================================
Total params: 4
Trainable params: 4
Non-trainable params: 0
)");
}

TEST_CASE("values that are read more than once have the gradients of central differences") {
    const auto x = input<double, Cpu>({4, 5, 2});
    const Conv2D conv{.filters = 3, .kernel_size = 3, .padding = same};
    Conv2D with_relu = conv, with_gelu = conv;
    with_relu.activation = relu;
    with_gelu.activation = gelu;
    const auto start = x | with_relu;
    const auto left = start | with_gelu | BatchNorm{}, right = start | conv | ReLU{};
    std::vector<Value<double, Cpu>> outputs{
        add(start, left),
        add(start, left, right) | ReLU{} | BatchNorm{},
        add(start | ReLU{}, start | MaxPool2D{.pool_size = 3, .strides = 1, .padding = same}),
        multiply(left, right) | Flatten{} | Dense{2, weft::tanh},
        multiply(start, start, left),
        multiply(left) | ReLU{},
        add(concatenate(right)) | Sigmoid{},
        concatenate(start, left, right) | conv,
        merge<double, Cpu>(Concatenate{.axis = 1}, {start, x | conv, right}) | conv,
        add(start | Flatten{}, right | Flatten{} | Dropout{.rate = 0.3}),
        add(start, start) | Sigmoid{},
        add(left | Reshape{{-1, 3}}, right | Reshape{{-1, 3}}) | Dense{3, silu},
        (start | Flatten{} | Dense{60, relu} | Reshape{{4, 5, 3}}),
    };
    Value deep = start;
    for (int i = 0; i < 3; ++i) deep = add(deep, deep | with_relu | conv) | ReLU{};
    outputs.push_back(deep | GlobalAveragePool2D{} | Dense{2});
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        CAPTURE(i);
        Model<double> model(x, outputs[i]);
        CHECK(has_numerical_gradients(model));
    }
}

TEST_CASE("a layer used twice has one set of parameters, whose gradients are summed") {
    const auto x = input<double, Cpu>({3, 4});
    const SharedLayer<double, Cpu> tower(Dense{.units = 4, .activation = weft::tanh});
    const auto once = x | tower;
    Model<double> model(x, multiply(once, once | tower) | Flatten{} | Dense{2} | Softmax{});
    CHECK(model.parameters().size() == 4);
    CHECK(model.layer_count() == 5);
    CHECK(has_numerical_gradients(model));
}

TEST_CASE("a summary tells the applications of a layer apart") {
    const auto x = input<double, Cpu>({4});
    const SharedLayer<double, Cpu> tower(Dense{4});
    const Model<double> model(x, add(x, x | tower | tower));
    const std::string table = model.summary();
    CHECK(table.find("dense[0][0]\n") != std::string::npos);
    CHECK(table.find("dense[1][0]\n") != std::string::npos);
    CHECK(table.find("dense[2][0]") == std::string::npos);
}

TEST_CASE("a model from a value that a layer computes begins behind that layer") {
    const auto x = input<double, Cpu>({4});
    const auto y = x | Dense{3};
    Model<double> model(y, add(y, y | Dense{3}));
    CHECK_FALSE(model.is_built());
    model.build({3});
    CHECK(model.layer_count() == 2);
}

TEST_CASE("a NaN is traced to the node where it arose, behind more nodes than layers") {
    const auto x = input({2});
    const SharedLayer<float, Cpu> shared(ReLU{});
    const auto y = x | shared | Dense{.units = 2, .kernel_initializer = ones} | shared | shared;
    Model<float> model(x, multiply(y, y) | shared | Dense{.units = 2, .name = "last"});
    model.parameter("dense/bias")[0] = 1e30f;
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const Tensor<float> data({2, 2}, {1, 2, 3, 4});
    const History history = trainer.fit(data, data, {.epochs = 1, .verbosity = Verbosity::silent});
    REQUIRE(history.non_finite);
    CHECK(history.non_finite->where == "multiply");
}

TEST_CASE("softmax of a softmax is refused past merges of views, and not past an Add") {
    const auto x = input({2, 2});
    const auto flat = x | Flatten{} | Dense{4, softmax};
    const auto fit = [&](const Value<float, Cpu>& output) {
        Model<float> model(x, output);
        Trainer trainer(model, {.loss = CategoricalCrossentropy{}});
        const Tensor<float> data({1, 2, 2}, {1, 2, 3, 4}), target({1, 4}, {1, 0, 0, 0});
        trainer.fit(data, target, {.epochs = 1, .verbosity = Verbosity::silent});
    };
    CHECK_THROWS_AS(fit(flat | Reshape{{4}} | Softmax{}), ArgumentError);
    CHECK_NOTHROW(fit(add(flat, x | Flatten{}) | Softmax{}));
}

TEST_CASE("a graph that is no function of its input is refused") {
    const auto x = input({3}), other = input({3});
    CHECK_THROWS_WITH_AS(Model(x, add(x, other)),
                         "model: the output reads an input that is not the model's", ArgumentError);
    CHECK_THROWS_WITH_AS(Model(x, x), "model: the output is the input, expected a layer between",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(Model(x, add(x, x | Dense{4})),
                         "add: inputs have the shapes (None, 3) and (None, 4), expected the same",
                         ShapeError);
    CHECK_THROWS_WITH_AS((Model(x, merge<float, Cpu>(Dense{4}, {x, x}))),
                         "dense: the layer has one input, not 2", ArgumentError);
    const SharedLayer<float, Cpu> shared(Dense{4});
    CHECK_THROWS_WITH_AS(Model(x, x | shared | shared),
                         "dense: input has shape (None, 4), expected (None, 3) as where it was "
                         "before",
                         ShapeError);
}

TEST_CASE("inputs that do not lie side by side, and axes that are none, are refused") {
    const auto x = input<float, Cpu>({4, 5, 2});
    for (const Index axis : {0, 4, -4}) {
        CAPTURE(axis);
        CHECK_THROWS_WITH_AS((Model(x, merge<float, Cpu>(Concatenate{.axis = axis}, {x, x}))),
                             concat("concatenate: axis is ", axis,
                                    ", expected an axis of (None, 4, 5, 2) behind the batch's")
                                 .c_str(),
                             ArgumentError);
    }
    const auto smaller = x | Conv2D{.filters = 2, .kernel_size = 3};
    CHECK_THROWS_WITH_AS(Model(x, concatenate(x, smaller)),
                         "concatenate: inputs have the shapes (None, 4, 5, 2) and (None, 2, 3, 2), "
                         "expected the same but for axis -1",
                         ShapeError);
    CHECK_THROWS_WITH_AS(
        (Model(x, merge<float, Cpu>(Concatenate{.axis = 2}, {x, x | Conv2D{2, 1}, smaller}))),
        "concatenate: inputs have the shapes (None, 4, 5, 2) and (None, 2, 3, 2), "
        "expected the same but for axis 2",
        ShapeError);
    CHECK_THROWS_WITH_AS(Model(x, concatenate(x, x | Flatten{})),
                         "concatenate: inputs have the shapes (None, 4, 5, 2) and (None, 40), "
                         "expected the same but for axis -1",
                         ShapeError);
}

TEST_CASE("models without an input or an output, and merges of nothing, are refused") {
    using Values = std::vector<Value<float, Cpu>>;
    const auto x = input<float, Cpu>({3});
    const std::string message = "model: no inputs or no outputs, expected at least one of each";
    CHECK_THROWS_WITH_AS((Model<float>(Values{}, Values{x | Dense{2}})), message.c_str(),
                         ArgumentError);
    CHECK_THROWS_WITH_AS((Model<float>(Values{x}, Values{})), message.c_str(), ArgumentError);
    CHECK_THROWS_WITH_AS((merge<float, Cpu>(Add{}, Values{})),
                         "Add: no values, expected at least 1", ArgumentError);
}

TEST_CASE("memory for another number of outputs is refused") {
    const auto x = input<float, Cpu>({3});
    const Model<float> model({x}, {x | Dense{2}, x | Dense{4}});
    const Tensor<float> samples({5, 3});
    Tensor<float> y({5, 2});
    const std::vector<TensorView<const float>> xs{samples};
    const std::vector<TensorView<float>> ys{y};
    CHECK_THROWS_WITH_AS(
        model.predict(Span<const TensorView<const float>>(xs), Span<const TensorView<float>>(ys)),
        "model: memory for 1 outputs, expected 2", ArgumentError);
}

TEST_CASE("a chain of half a million values ends") {
    auto y = input<float, Cpu>({3});
    for (int i = 0; i < 500'000; ++i) y = y | ReLU{};
    const auto start = y;
    y = input<float, Cpu>({3});
    CHECK_FALSE(start == y);
}
