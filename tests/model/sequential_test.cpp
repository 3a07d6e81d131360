#include "weft/model/sequential.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/layers/relu.hpp"
#include "weft/layers/softmax.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace weft;

namespace {

Tensor<float> noise(const Shape& shape) { return random_uniform<float>(shape, 0, -1, 1); }

template <class Exception, class Action>
std::string message_of(const Action& action) {
    try {
        action();
    } catch (const Exception& error) {
        return error.what();
    }
    return "nothing was thrown";
}

Sequential<float> small_model(std::uint64_t seed = 3) {
    Sequential model{Flatten{}, Dense{.units = 13, .activation = relu}, Dense{5, softmax}};
    model.build({3, 7}, seed);
    return model;
}

}  // namespace

TEST_CASE("the tutorials' networks have the published numbers of parameters") {
    Sequential mlp{Input{{28, 28}}, Flatten{}, Dense{128, relu}, Dense{10, softmax}};
    CHECK(mlp.parameter_count() == 101'770);
    Sequential wide{Input{{28, 28}}, Flatten{}, Dense{256, relu}, Dense{64, relu},
                    Dense{10, softmax}};
    CHECK(wide.parameter_count() == 218'058);
    Sequential rows{Input{{28, 28}}, Dense{128, relu}, Dense{64, relu}, Flatten{},
                    Dense{10, softmax}};
    CHECK(rows.parameter_count() == 29'898);
    CHECK(rows.trainable_parameter_count() == 29'898);
}

TEST_CASE("summary has a row for each layer and the totals") {
    Sequential model{Input{{28, 28}}, Dense{128, relu}, Dense{64, relu}, Flatten{},
                     Dense{10, softmax}};
    CHECK(model.summary() ==
          "Model: \"sequential\"\n"
          "==========================================================\n"
          "Layer (type)                Output Shape           Param #\n"
          "----------------------------------------------------------\n"
          "dense (Dense)               (None, 28, 128)          3,712\n"
          "dense_1 (Dense)             (None, 28, 64)           8,256\n"
          "flatten (Flatten)           (None, 1792)                 0\n"
          "dense_2 (Dense)             (None, 10)              17,930\n"
          "==========================================================\n"
          "Total params: 29,898\n"
          "Trainable params: 29,898\n"
          "Non-trainable params: 0\n");
}

TEST_CASE("predict is the composition of the layers") {
    Sequential model{Dense{2}, ReLU{}, Dense{1, linear, false}};
    model.build({2});
    std::ranges::copy(std::vector<float>{1, 2, 3, 4}, model.parameter("dense/kernel").begin());
    std::ranges::copy(std::vector<float>{-10, 1}, model.parameter("dense/bias").begin());
    std::ranges::copy(std::vector<float>{5, 7}, model.parameter("dense_1/kernel").begin());
    // (1, 2) W + b = (1 + 6 - 10, 2 + 8 + 1) = (-3, 11); relu: (0, 11); 7 * 11 = 77.
    const Tensor<float> y = model.predict(Tensor<float>({1, 2}, {1, 2}));
    CHECK(y.shape() == Shape{1, 1});
    CHECK(y[0] == 77.0f);
}

TEST_CASE("a sample has the same prediction alone, in a batch, and across predict's own batches") {
    const Sequential model = small_model();
    const Tensor<float> x = noise({300, 3, 7});
    const Tensor<float> all = model.predict(x);
    CHECK(all.shape() == Shape{300, 5});
    for (const Index i : {0, 127, 128, 255, 299}) {
        const Tensor<float> alone = model.predict(x.sample(i));
        CHECK(alone.shape() == Shape{5});
        CHECK(identical(alone, all.sample(i)));
        CHECK(identical(model.predict(x.slice(i, 1)), all.slice(i, 1)));
    }
    CHECK(model.predict(x.slice(0, 0)).shape() == Shape{0, 5});
}

TEST_CASE("predictions have the same bits with 1, 2 and 7 threads") {
    Sequential model{Input{{300}}, Dense{400, weft::tanh}, Dense{70, sigmoid}, Dense{50, softmax}};
    const Tensor<float> x = noise({200, 300});
    model.set_device(Cpu(1));
    const Tensor<float> one = model.predict(x);
    for (const int threads : {2, 7}) {
        model.set_device(Cpu::exactly(threads));
        CHECK(identical(model.predict(x), one));
    }
}

TEST_CASE("eight threads predict with one model") {
    const Sequential model = small_model();
    const Tensor<float> x = noise({150, 3, 7});
    const Tensor<float> expected = model.predict(x);
    std::array<int, 8> wrong{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t) {
        threads.emplace_back([&, t] {
            Tensor<float> y({150, 5});
            for (int repeat = 0; repeat < 20; ++repeat) {
                model.predict(x, y);
                wrong[t] += !identical(y, expected);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(wrong == std::array<int, 8>{});
}

TEST_CASE("a repeated predict into the same output allocates nothing" *
          doctest::skip(!AllocationCounter::available())) {
    // Up to 2: passes of 130 samples are large enough to have their threads chosen, some have one.
    for (const Cpu& device : {Cpu(1), Cpu(2), Cpu::exactly(3)}) {
        Sequential model{Flatten{}, Dense{.units = 413, .activation = relu}, Dense{5, softmax}};
        model.build({3, 7});
        model.set_device(device);
        const Tensor<float> x = noise({130, 3, 7});
        Tensor<float> y({130, 5}), y_one({5});
        for (int repeat = 0; repeat < 100; ++repeat) {
            model.predict(x, y);
            model.predict(x.sample(0), y_one);
        }
        const AllocationCounter counter;
        for (int repeat = 0; repeat < 100; ++repeat) {
            model.predict(x, y);
            model.predict(x.sample(0), y_one);
        }
        CHECK(counter.count() == 0);
    }
}

TEST_CASE("the work of a pass counts each parameter at every place of its layer's output") {
    Sequential<float> model{Input{{10, 12, 2}}, Conv2D{.filters = 8, .kernel_size = 3}, Flatten{},
                            Dense{5}};
    constexpr double convolution = 8 * 10 * (3 * 3 * 2 + 1) * 8, dense = (640 + 1) * 5;
    constexpr double numbers = 8 * 10 * 8 + 5;  // a view computes none
    CHECK(model.work(3) == 3 * (convolution + dense + numbers));
    CHECK(model.work(0) == 0);
}

TEST_CASE("a copy is deep and behaves like the original") {
    Sequential model = small_model();
    const Tensor<float> x = noise({4, 3, 7});
    const Tensor<float> before = model.predict(x);
    Sequential copy = model;
    CHECK(identical(copy.predict(x), before));
    std::ranges::fill(copy.parameter("dense/kernel"), 0.0f);
    CHECK(identical(model.predict(x), before));
    CHECK_FALSE(identical(copy.predict(x), before));
    copy = model;
    CHECK(identical(copy.predict(x), before));
    {
        const Sequential original = std::move(model);
        copy = original;
    }
    CHECK(identical(copy.predict(x), before));
}

TEST_CASE("a vector of models that grows moves them, and copies none") {
    std::vector<Sequential<float>> models;
    models.push_back(small_model());
    const float* const parameters = models.front().arena().data();
    models.reserve(models.capacity() + 1);
    CHECK(models.front().arena().data() == parameters);
}

TEST_CASE("the seed decides the first parameters") {
    CHECK(identical(small_model(3).arena(), small_model(3).arena()));
    CHECK_FALSE(identical(small_model(3).arena(), small_model(4).arena()));
    Sequential model = small_model();
    const auto kernel = model.parameter("dense/kernel");
    const auto next = model.parameter("dense_1/kernel");
    CHECK(kernel[0] != next[0]);  // each parameter draws from a stream of its own
}

TEST_CASE("parameters lie in one arena, on cache lines, in Keras's order, with zeros between") {
    Sequential model{Input{{3}}, Dense{5, linear, true, ones, ones},
                     Dense{2, linear, true, ones, ones}};
    std::vector<std::string> names;
    for (const ParameterInfo& parameter : model.parameters()) {
        names.push_back(parameter.name);
        const auto view = model.parameter(parameter.name);
        CHECK(reinterpret_cast<std::uintptr_t>(view.data()) % Buffer::alignment == 0);
        CHECK(view.data() >= model.trainable_parameters().begin());
        CHECK(view.end() <= model.trainable_parameters().end());
    }
    CHECK(names ==
          std::vector<std::string>{"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"});
    float total = 0;
    for (const float value : model.trainable_parameters()) total += value;
    CHECK(total == 15 + 5 + 10 + 2);
    CHECK(model.arena().size() == model.trainable_parameters().size());
}

namespace {

/// Checks every parameter's gradient of L = sum(r f(x)) against central differences.
void check_gradients(Sequential<double> model, const Shape& input) {
    model.build(input, 5);
    constexpr Index batch = 3;
    Tensor<double> x(input.batch(batch));
    const RandomStream random(2, RandomPurpose::user);
    for (Index i = 0; i < x.size(); ++i) x[i] = random.normal(static_cast<std::uint64_t>(i));
    Tensor<double> r(model.output_shape().batch(batch));
    for (Index i = 0; i < r.size(); ++i) r[i] = random.normal(static_cast<std::uint64_t>(i + 999));
    // Biases start at zero; elsewhere a kink of relu may hide behind them.
    for (double& value : model.trainable_parameters()) {
        if (value == 0) value = 0.1;
    }
    auto workspace = model.make_workspace(batch, PassKind::training);
    const PassOptions pass{.training = true};
    const auto loss = [&] {
        const auto y = model.forward(workspace, x, pass);
        double total = workspace.activity_penalty()[0] / batch;
        for (Index i = 0; i < y.size(); ++i) total += r[i] * y[i];
        return total;
    };
    model.forward(workspace, x, pass);
    std::ranges::copy(r, model.output_gradient(workspace, batch).begin());
    Tensor<double> gradients(model.trainable_parameters().shape());
    model.backward(workspace, x, pass, gradients);
    for (const ParameterInfo& parameter : model.parameters()) {
        for (Index i = 0; i < parameter.slot.shape.size(); ++i) {
            double& p = model.trainable_parameters()[parameter.slot.offset + i];
            const double original = p, h = 6e-6 * std::max(1.0, std::abs(p));
            p = original + h;
            const double above = loss();
            p = original - h;
            const double below = loss();
            p = original;
            CAPTURE(parameter.name);
            CAPTURE(i);
            const double gap =
                relative_gap(gradients[parameter.slot.offset + i], (above - below) / (2 * h));
            CHECK(gap < 1e-6);
        }
    }
}

}  // namespace

TEST_CASE("gradients flow through whole models, past views anywhere in them") {
    SUBCASE("view first") {
        check_gradients({Flatten{}, Dense{4, weft::tanh}, Dense{2, softmax}}, {2, 3});
    }
    SUBCASE("view in the middle") {
        check_gradients({Dense{4, sigmoid}, Flatten{}, Dense{2}}, {2, 3});
    }
    SUBCASE("views in a row, and at the end") {
        check_gradients({Dense{4, weft::tanh}, Flatten{}, Flatten{}, Dense{5}, Flatten{}}, {2, 3});
    }
    SUBCASE("a relu whose derivative the layer behind it takes") {
        const Conv2D convolution{
            .filters = 3, .kernel_size = 2, .padding = same, .activation = relu};
        check_gradients(
            {convolution, MaxPool2D{}, convolution, BatchNorm{}, Flatten{}, Dense{5, relu},
             Flatten{}, BatchNorm{}, Dense{4}, ReLU{}, BatchNorm{}, Dense{2}},
            {5, 6, 2});
    }
    SUBCASE("a penalty between a relu and the layer behind it") {
        check_gradients({Dense{.units = 5, .activation = relu, .activity_regularizer = l2(0.1)},
                         BatchNorm{}, Dense{2}},
                        {4});
    }
    SUBCASE("a layer without parameters first, and one that moves channels") {
        check_gradients(
            {ReLU{}, Dense{4, weft::tanh}, Flatten{channels_first}, Dense{3}, Softmax{}}, {2, 3});
    }
}

TEST_CASE("a pass that is not training changes nothing, and predicts, also where it could") {
    Sequential model{Flatten{}, Dense{4, relu}, Dropout{.rate = 0.5}, BatchNorm{}, Dense{2}};
    model.build({2, 3});
    const Tensor<float> x = noise({4, 2, 3}), before(std::as_const(model).arena());
    auto workspace = model.make_workspace(4, PassKind::training);
    CHECK(identical(model.forward(workspace, x), model.predict(x)));
    CHECK(identical(model.arena(), before));
}

TEST_CASE("a model of views alone passes its input on") {
    Sequential model{Flatten{}, Flatten{}};
    model.build({2, 3});
    const Tensor<float> x = noise({4, 2, 3});
    CHECK(identical(model.predict(x), x.view().reshape({4, 6})));
    CHECK(model.parameter_count() == 0);
}

TEST_CASE("mistakes are refused by name") {
    Sequential model = small_model();
    CHECK(message_of<ShapeError>([&] { model.predict(Tensor<float>({2, 5})); }) ==
          "flatten: input has shape (2, 5), expected (None, 3, 7), or of one sample (3, 7)");
    CHECK(message_of<ShapeError>([&] { model.predict(Tensor<float>({2, 3, 6})); }) ==
          "flatten: input has shape (None, 3, 6), expected (None, 3, 7)");
    CHECK(message_of<ShapeError>([&] { model.predict(Tensor<float>(Shape{})); }) ==
          "flatten: input has shape (), expected (None, 3, 7), or of one sample (3, 7)");
    const Sequential images{Input{{4, 4, 1}}, Flatten{}, Dense{3}};
    CHECK(message_of<ShapeError>([&] { images.predict(Tensor<float>({4, 4})); }) ==
          "flatten: input has shape (4, 4), expected (None, 4, 4, 1), or of one sample (4, 4, 1)");
    Tensor<float> y({2, 4});
    CHECK(message_of<ShapeError>([&] { model.predict(Tensor<float>({2, 3, 7}), y); }) ==
          "model: the output has shape (2, 4), expected (2, 5)");
    CHECK(message_of<ArgumentError>([&] { model.parameter("dense_9/kernel"); }) ==
          "model: no parameter is named dense_9/kernel; there are dense/kernel, dense/bias, "
          "dense_1/kernel, dense_1/bias");
    CHECK(message_of<ArgumentError>([&] { model.add(Dense{3}); }) == "model: add after build");

    Sequential<float> empty;
    CHECK(message_of<ArgumentError>([&] { empty.build({3}); }) ==
          "the model has no layers, expected at least 1");
    Sequential unbuilt{Dense{3}};
    CHECK(message_of<ArgumentError>([&] { unbuilt.predict(Tensor<float>({2, 5})); }) ==
          "the model is not built; call build(input_shape) or fit it first");
    CHECK(message_of<ArgumentError>([&] { unbuilt.summary(); }).find("not built") !=
          std::string::npos);
    CHECK(message_of<ArgumentError>([] { Sequential{Dense{3}, Input{{3}}}; }) ==
          "sequential: Input is not the first of the layers");
    CHECK(message_of<ArgumentError>([] {
              Sequential{Input{{3}}, Dense{.units = 3, .name = "a"},
                         Dense{.units = 3, .name = "a"}};
          }) == "model: two layers are named a");
}

TEST_CASE("a build that fails leaves the model as it was") {
    Sequential model{Dense{3}, Softmax{}};
    model.build({4});
    const Tensor<float> x = noise({2, 4});
    const Tensor<float> before = model.predict(x);
    CHECK_THROWS_AS(model.build({0}), ShapeError);
    CHECK(identical(model.predict(x), before));
    model.build({6});
    CHECK(model.input_shape() == Shape{6});
    CHECK(model.predict(noise({2, 6})).shape() == Shape{2, 3});
}

TEST_CASE("a model takes the user's own memory without a copy") {
    const Sequential model = small_model();
    std::vector<float> pixels(2 * 3 * 7, 0.5f);
    const Tensor<float> expected =
        model.predict(Tensor<float>(TensorView<const float>(pixels, {2, 3, 7})));
    CHECK(identical(model.predict({pixels, {2, 3, 7}}), expected));
    std::array<float, 10> y{};
    model.predict({pixels, {2, 3, 7}}, {y, {2, 5}});
    CHECK(identical(TensorView<float>(y, {2, 5}), expected));
}

TEST_CASE("a model takes Eigen matrices and vectors") {
    const Sequential<float> model{Input{{3}}, Dense{5, relu}, Dense{2, softmax}};
    const Tensor<float> x = noise({4, 3});
    const Tensor<float> expected = model.predict(x);

    RowMajorMatrix<float> matrix = as_matrix(x);
    CHECK(identical(model.predict(matrix), expected));
    CHECK(identical(model.predict(std::as_const(matrix)), expected));
    CHECK(identical(model.predict(as_matrix(x)), expected));
    CHECK(identical(model.predict(Eigen::Ref<const RowMajorMatrix<float>>(matrix)), expected));
    CHECK(identical(model.predict(Eigen::Matrix<float, 4, 3, Eigen::RowMajor>(matrix)), expected));
    CHECK(identical(model.predict(matrix.middleRows(1, 2)), expected.slice(1, 2)));
    CHECK_THROWS_AS(model.predict(matrix.leftCols(2)), ShapeError);  // gaps
    CHECK_THROWS_AS(model.predict(RowMajorMatrix<float>(4, 2)), ShapeError);

    CHECK(identical(model.predict(matrix.row(3)), expected.sample(3)));
    CHECK(identical(model.predict(Eigen::VectorXf(matrix.row(3))), expected.sample(3)));
    CHECK(identical(model.predict(std::vector<float>{matrix(3, 0), matrix(3, 1), matrix(3, 2)}),
                    expected.sample(3)));

    RowMajorMatrix<float> y(4, 2);
    model.predict(as_view(matrix), as_view(y));
    CHECK(identical(as_view(y), expected));
}

TEST_CASE("parameters beyond the memory are named, and leave the model as it was") {
    if (!AllocationCounter::available()) return;  // a sanitizer ends the program
    constexpr Index many = Index{1} << 25;
    Sequential<float> model{Dense{3}, Dense{many}, Dense{many}, Dense{2}};
    CHECK_THROWS_WITH_AS(model.build({4}),
                         "no memory for the model's parameters; the largest is dense_2/kernel of "
                         "shape (33554432, 33554432)",
                         MemoryError);
    CHECK_THROWS_AS(model.build({4}), std::bad_alloc);
    CHECK_FALSE(model.is_built());
}
