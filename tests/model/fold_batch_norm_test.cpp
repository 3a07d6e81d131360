#include "weft/model/fold_batch_norm.hpp"

#include "examples/fashion_mnist/models.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/functional_models.hpp"
#include "tests/support/random_tensor.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// Gives every parameter random numbers; variances and, unless told, gammas are positive.
template <class Scalar>
void randomize(Model<Scalar>& model, bool negative_gammas = false) {
    std::uint32_t stream = 100;
    for (const ParameterInfo& parameter : model.parameters()) {
        const bool is_gamma = parameter.name.ends_with("/gamma");
        const bool is_positive = parameter.name.ends_with("/moving_variance") || is_gamma;
        const double low = is_positive ? 0.5 : -1, high = is_positive ? 2 : 1;
        const double sign = is_gamma && negative_gammas ? -1 : 1;
        std::ranges::copy(
            random_uniform<Scalar>(parameter.slot.shape, stream++, sign * low, sign * high),
            model.view(parameter.slot).begin());
    }
}

/// "Conv2D Flatten Dense"
template <class Scalar>
std::string types(const Model<Scalar>& model) {
    std::string text;
    for (const auto& declaration : model.declarations()) {
        text += concat(text.empty() ? "" : " ", declaration.type());
    }
    return text;
}

/// The types of what is left of the layers after folding, whose predictions are the same to the
/// rounding of double.
std::string folded(std::vector<LayerDeclaration<double, Cpu>> layers,
                   const Shape& input = {7, 6, 4}, bool negative_gammas = false) {
    Sequential<double> model(std::move(layers));
    model.build(input);
    randomize<double>(model, negative_gammas);
    const Sequential<double> result = fold_batch_norm(model);
    const Tensor<double> x = random_normal(input.batch(3), 1);
    CHECK(largest_gap(result.predict(x), model.predict(x)) < 1e-12);
    return types(result);
}

/// scale (2, 4), shift (-1, -9).
void set_batch_norm(Sequential<double>& model) {
    const auto set = [&](const char* name, double first, double second) {
        model.parameter(name)[0] = first;
        model.parameter(name)[1] = second;
    };
    set("batch_norm/gamma", 4, 2);
    set("batch_norm/beta", 1, -1);
    set("batch_norm/moving_mean", 1, 2);
    set("batch_norm/moving_variance", 3.75, 0);
}

const BatchNorm quarter{.epsilon = 0.25};

}  // namespace

TEST_CASE("a batch norm behind a linear layer is folded into kernel and bias, worked by hand") {
    Sequential<double> model{Input{{2}}, Dense{.units = 2, .use_bias = false}, quarter};
    std::ranges::copy(std::array{1, 2, 3, 4}, model.parameter("dense/kernel").begin());
    set_batch_norm(model);
    const Sequential<double> result = fold_batch_norm(model);
    CHECK(types(result) == "Dense");
    CHECK(identical(result.parameter("dense/kernel"), Tensor<double>({2, 2}, {2, 8, 6, 16})));
    CHECK(identical(result.parameter("dense/bias"), Tensor<double>({2}, {-1, -9})));
}

TEST_CASE("a batch norm in front of a layer is folded into kernel and bias, worked by hand") {
    Sequential<double> model{Input{{2}}, quarter, Dense{.units = 2, .activation = relu}};
    std::ranges::copy(std::array{1, 2, 3, 4}, model.parameter("dense/kernel").begin());
    std::ranges::copy(std::array{10, 20}, model.parameter("dense/bias").begin());
    set_batch_norm(model);
    const Sequential<double> result = fold_batch_norm(model);
    CHECK(types(result) == "Dense");
    CHECK(identical(result.parameter("dense/kernel"), Tensor<double>({2, 2}, {2, 4, 12, 16})));
    CHECK(identical(result.parameter("dense/bias"), Tensor<double>({2}, {-18, -18})));
    CHECK(result.declarations()[0].get_if<Dense>()->activation == relu);
}

TEST_CASE("behind: any linear Dense or Conv2D, with or without bias, through a dropout") {
    const Conv2D conv{.filters = 6, .kernel_size = {2, 3}, .strides = 2, .padding = same};
    CHECK(folded({conv, BatchNorm{}, ReLU{}}) == "Conv2D ReLU");
    CHECK(folded({Conv2D{.filters = 6, .kernel_size = 2, .groups = 2, .use_bias = false},
                  Dropout{0.5}, BatchNorm{.scale = false}}) == "Conv2D");
    CHECK(folded({conv, BatchNorm{.center = false}, BatchNorm{.center = false, .scale = false}}) ==
          "Conv2D");
    CHECK(folded({Dense{5}, BatchNorm{}, Dense{3}, BatchNorm{}}) == "Dense Dense");
    // Negative gammas do no harm where nothing is between the two.
    CHECK(folded({conv, BatchNorm{}, MaxPool2D{}}, {7, 6, 4}, true) == "Conv2D MaxPool2D");
}

TEST_CASE("in front: a Dense, or a Conv2D that reads no padding, with any activation") {
    CHECK(folded({ReLU{}, BatchNorm{}, Dense{5, softmax}}) == "ReLU Dense");
    CHECK(folded({Dense{4, relu}, BatchNorm{}, Dropout{0.5}, Dense{.units = 5, .use_bias = false}},
                 {3}) == "Dense Dense");
    const auto before = [](const Conv2D& conv, const Shape& input = {7, 6, 4}) {
        return folded({BatchNorm{}, conv}, input);
    };
    CHECK(before({.filters = 3, .kernel_size = {3, 2}, .strides = 2, .activation = gelu}) ==
          "Conv2D");
    CHECK(before({.filters = 6, .kernel_size = 2, .dilation_rate = {3, 2}, .groups = 2}) ==
          "Conv2D");
    CHECK(before({.filters = 3, .kernel_size = 1, .padding = same}) == "Conv2D");
    // Strides that lead exactly over the image need no zeros.
    CHECK(before({.filters = 3, .kernel_size = 2, .strides = 2, .padding = same}, {8, 6, 4}) ==
          "Conv2D");
    CHECK(before({.filters = 3, .kernel_size = 2, .strides = 2, .padding = same}, {7, 6, 4}) ==
          "BatchNorm Conv2D");
    CHECK(before({.filters = 3, .kernel_size = {1, 2}, .padding = same}) == "BatchNorm Conv2D");
    CHECK(before({.filters = 3, .kernel_size = {2, 1}, .padding = same}) == "BatchNorm Conv2D");
}

TEST_CASE("in front, through layers that the map may pass") {
    const Conv2D conv{.filters = 3, .kernel_size = 2, .activation = relu};
    const auto through = [&](const LayerDeclaration<double, Cpu>& layer, bool negative = false) {
        return folded({conv, BatchNorm{}, layer, Dropout{0.5}, Flatten{}, Dense{2}}, {7, 6, 4},
                      negative);
    };
    CHECK(through(MaxPool2D{}) == "Conv2D MaxPool2D Flatten Dense");
    CHECK(through(MaxPool2D{.pool_size = {2, 3}, .padding = same}) ==
          "Conv2D MaxPool2D Flatten Dense");
    CHECK(through(GlobalMaxPool2D{}) == "Conv2D GlobalMaxPool2D Flatten Dense");
    CHECK(through(AveragePool2D{.pool_size = {2, 3}, .padding = same}, true) ==
          "Conv2D AveragePool2D Flatten Dense");
    CHECK(through(GlobalAveragePool2D{}, true) == "Conv2D GlobalAveragePool2D Flatten Dense");
    CHECK(through(Reshape{{5, 2, 9}}) == "Conv2D Reshape Flatten Dense");
    // A negative scale turns the smallest into the largest.
    CHECK(through(MaxPool2D{}, true) == "Conv2D BatchNorm MaxPool2D Flatten Dense");
    CHECK(through(GlobalMaxPool2D{}, true) == "Conv2D BatchNorm GlobalMaxPool2D Flatten Dense");
}

TEST_CASE("what cannot be folded exactly stays") {
    const Conv2D relu_conv{.filters = 3, .kernel_size = 2, .activation = relu};
    CHECK(folded({relu_conv, BatchNorm{}}) == "Conv2D BatchNorm");
    CHECK(folded({relu_conv, BatchNorm{}, ReLU{}, Dense{2}}) == "Conv2D BatchNorm ReLU Dense");
    CHECK(folded({relu_conv, BatchNorm{}, ZeroPadding2D{}, relu_conv}) ==
          "Conv2D BatchNorm ZeroPadding2D Conv2D");
    // Another order of elements, and channels that are cut apart.
    CHECK(folded({relu_conv, BatchNorm{}, Flatten{channels_first}, Dense{2}}) ==
          "Conv2D BatchNorm Flatten Dense");
    CHECK(folded({relu_conv, BatchNorm{}, Reshape{{9, 10}}, Dense{2}}) ==
          "Conv2D BatchNorm Reshape Dense");
    CHECK(folded({Dense{4}, ReLU{}, BatchNorm{}, BatchNorm{}}) == "Dense ReLU BatchNorm BatchNorm");
}

TEST_CASE("a variance that leads to no number is left where it is seen") {
    Sequential<double> model{Input{{2}}, Dense{2}, BatchNorm{}};
    model.parameter("batch_norm/moving_variance")[1] = -1;
    CHECK(types(fold_batch_norm(model)) == "Dense BatchNorm");
}

TEST_CASE("the tutorials' networks with batch norm: what is left, and the same predictions") {
    const auto fold = [](const char* id) {
        Sequential<float> model(tutorial(id).layers);
        model.build({28, 28, 1});
        randomize<float>(model);
        for (const ParameterInfo& parameter : model.parameters()) {
            if (!parameter.name.ends_with("/kernel")) continue;
            parameter.initializer.fill(model.view(parameter.slot),
                                       RandomStream(3, RandomPurpose::initializer));
        }
        const Sequential<float> result = fold_batch_norm(model);
        const Tensor<float> x = random_uniform<float>({4, 28, 28, 1}, 7, 0, 1);
        // A dozen layers of up to 3,136 terms each: their rounding errors add up to some 1e-5.
        CHECK(largest_gap(result.predict(x), model.predict(x)) < 1e-4);
        return types(result);
    };
    CHECK(fold("cnn-bn") ==
          "Conv2D BatchNorm Conv2D MaxPool2D Conv2D Conv2D MaxPool2D Flatten Dense Dense");
    // Its convolutions are padded; the last batch norm is followed by the first Dense.
    CHECK(fold("cnn-deep") ==
          "Conv2D BatchNorm MaxPool2D Conv2D BatchNorm MaxPool2D Conv2D BatchNorm MaxPool2D Conv2D "
          "MaxPool2D Flatten Dense Dense Dense Dense");
}

TEST_CASE("the original stays as it is; device, names and other layers' parameters are kept") {
    Sequential<float> model{
        Input{{3}},       Dense{.units = 4, .activation = silu, .name = "first"},
        Dropout{0.5},     Dense{4},
        BatchNorm{},      ReLU{},
        BatchNorm{},      GELU{},
        Dense{.units = 2}};
    model.set_device(Cpu(1));
    model.set_name("mine");
    randomize<float>(model);
    const Tensor<float> before(std::as_const(model).arena());
    const Sequential<float> result = fold_batch_norm(model);
    CHECK(identical(std::as_const(model).arena(), before));
    CHECK(result.device().threads() == 1);
    CHECK(result.name() == "mine");
    CHECK(types(result) == "Dense Dense ReLU BatchNorm GELU Dense");
    CHECK(identical(result.parameter("first/kernel"),
                    std::as_const(model).parameter("first/kernel")));
    CHECK(identical(result.parameter("batch_norm/moving_mean"),
                    std::as_const(model).parameter("batch_norm_1/moving_mean")));
    // Nothing to fold: a copy.
    const Sequential<float> again = fold_batch_norm(result);
    CHECK(identical(again.arena(), result.arena()));
}

TEST_CASE("fold_batch_norm of dropouts alone, and of a model that is not built") {
    const Sequential<float> model{Input{{3}}, Dropout{0.5}};
    CHECK(types(fold_batch_norm(model)) == "Dropout");
    // An inner model has another branch, which leads to no output.
    const auto a = input({3}), b = input({3});
    const Model<float> inner({a, b}, {a | Dropout{0.5}, b | Dense{2}});
    const Model<float> idle(a, inner.apply(std::vector{a, a})[0]);
    CHECK(types(fold_batch_norm(idle)) == types(idle));
    CHECK_THROWS_AS(fold_batch_norm(Sequential<float>{Dense{1}}), ArgumentError);
    CHECK_THROWS_AS(fold_batch_norm(Sequential<float>{}), ArgumentError);
}

namespace {

using Node = Value<double, Cpu>;

/// The same for the layers between an input (7, 6, 4) and what `declare` makes of it.
template <class Declare>
std::string folded_graph(const Declare& declare) {
    const Node x = input<double, Cpu>({7, 6, 4});
    Model<double> model(x, declare(x));
    randomize(model);
    const Model<double> result = fold_batch_norm(model);
    const Tensor<double> batch = random_normal(model.input_shape().batch(3), 1);
    CHECK(largest_gap(result.predict(batch), model.predict(batch)) < 1e-12);
    return types(result);
}

}  // namespace

TEST_CASE("in a graph: only where nobody else reads what lies between the two") {
    const Conv2D conv{.filters = 4, .kernel_size = 3, .padding = same};
    const Conv2D inside{.filters = 4, .kernel_size = 3, .activation = relu};
    CHECK(folded_graph([&](Node x) { return add(x, x | conv | BatchNorm{}) | ReLU{}; }) ==
          "Conv2D Add ReLU");
    CHECK(folded_graph([&](Node x) {
              const Node y = x | conv;
              return add(y, y | BatchNorm{});
          }) == "Conv2D BatchNorm Add");
    CHECK(folded_graph([&](Node x) {
              const Node y = x | conv;
              return concatenate(y | BatchNorm{}, y | BatchNorm{});
          }) == "Conv2D BatchNorm BatchNorm Concatenate");
    // Forward: the batch norm behind which there is one reader, and two.
    CHECK(folded_graph([&](Node x) { return x | ReLU{} | BatchNorm{} | MaxPool2D{} | inside; }) ==
          "ReLU MaxPool2D Conv2D");
    CHECK(folded_graph([&](Node x) {
              const Node y = x | ReLU{} | BatchNorm{};
              return concatenate(y | inside, y | inside);
          }) == "ReLU BatchNorm Conv2D Conv2D Concatenate");
    CHECK(folded_graph([&](Node x) {
              const Node y = x | ReLU{} | BatchNorm{} | MaxPool2D{};
              return concatenate(y, y | conv);
          }) == "ReLU BatchNorm MaxPool2D Conv2D Concatenate");
    // A dropout is no reader of its own.
    CHECK(folded_graph([&](Node x) {
              const Node y = x | conv | BatchNorm{};
              return add(y | Dropout{0.5}, y);
          }) == "Conv2D Add");
    // The output of the model is read by whoever predicts: nothing goes behind it.
    CHECK(folded_graph([&](Node x) { return add(x, x) | BatchNorm{}; }) == "Add BatchNorm");
    CHECK(folded_graph([&](Node x) { return multiply(x, x) | BatchNorm{} | Dense{2}; }) ==
          "Multiply Dense");
}

TEST_CASE("in a graph: a layer that is applied twice takes no batch norm in") {
    CHECK(folded_graph([](Node x) {
              const SharedLayer<double, Cpu> conv(Conv2D{.filters = 4, .kernel_size = 1});
              return add(x | conv | BatchNorm{}, x | ReLU{} | conv);
          }) == "Conv2D ReLU BatchNorm Add");
    CHECK(folded_graph([](Node x) {
              const SharedLayer<double, Cpu> dense(Dense{.units = 4, .activation = relu});
              return add(x | BatchNorm{} | dense, x | dense);
          }) == "BatchNorm Dense Add");
    // But a batch norm that is goes wherever it can.
    CHECK(folded_graph([](Node x) {
              const SharedLayer<double, Cpu> norm(BatchNorm{});
              return add(x | Dense{4} | norm, x | ReLU{} | norm);
          }) == "ReLU Dense BatchNorm Add");  // now the ReLU is the farthest from the output
}

TEST_CASE("residual and shared models, and resnet, fold to the same predictions") {
    CHECK(fold_batch_norm(residual_model()).parameter_count() < residual_model().parameter_count());
    CHECK(types(fold_batch_norm(residual_model())) ==
          "Conv2D ReLU Conv2D Add ReLU Conv2D Conv2D Add ReLU GlobalAveragePool2D Dense");
    CHECK(types(fold_batch_norm(shared_model())) == types(shared_model()));
    auto residual = residual_model<double>();
    randomize(residual);
    const auto x = random_normal(residual.input_shape().batch(3), 1);
    CHECK(largest_gap(fold_batch_norm(residual).predict(x), residual.predict(x)) < 1e-12);
    const Model<float> resnet_without = fold_batch_norm(tutorial("resnet").build({28, 28, 1}));
    CHECK(types(resnet_without).find("BatchNorm") == std::string::npos);
}

TEST_CASE("a layer that gets a bias keeps its name") {
    const auto a = input({4});
    const Model<float> encoder(a, a | Dense{.units = 3, .use_bias = false} | BatchNorm{});
    const auto x = input({4});
    const Model<float> model(x, encoder(x) | Dense{2});
    const Model<float> folded = fold_batch_norm(model);
    REQUIRE(folded.layer_count() == 2);
    CHECK(folded.layer_name(0) == "sequential_dense");
    CHECK(folded.layer_name(1) == "dense");
}
