#include "weft/layers/declaration.hpp"

#include "tests/support/allocation_counter.hpp"
#include "weft/layers/concatenate.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/layers/relu.hpp"
#include "weft/layers/reshape.hpp"
#include "weft/layers/zero_padding2d.hpp"
#include "weft/model/sequential.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// What to get wrong in Planted.
enum class Fault {
    none,
    sign_of_dx,
    half_of_dscale,
    forgotten_offset,
    accumulates,
    uses_up_saved,
    reads_missing_dx,
    nan_in_dx,
};

/// y = scale * x^2 + offset, elementwise, with x^2 saved and one fault in backward.
struct Planted {
    Fault fault = Fault::none;

    static constexpr std::string_view type = "Planted";

    template <class Scalar, class Device>
    class Layer;
};

template <class Scalar, class Device>
class Planted::Layer final : public weft::Layer<Scalar, Device> {
public:
    Layer(const Planted& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          fault_(options.fault),
          scale_(builder.add_parameter("scale", {1}, ones)),
          offset_(builder.add_parameter("offset", {1}, zeros)),
          steps_(builder.add_parameter("steps", {1}, constant(3), false)) {}

    std::size_t saved_bytes(Index batch) const override {
        return static_cast<std::size_t>(this->input_shape().batch(batch).size()) * sizeof(Scalar);
    }

    void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                 TensorView<Scalar, Device> y) const override {
        for (Index i = 0; i < x.size(); ++i) {
            const Scalar square = x[i] * x[i];
            if (pass.training) squares(pass)[i] = square;
            y[i] = pass.parameter(scale_)[0] * square + pass.parameter(offset_)[0];
        }
        if (pass.training) pass.update(steps_)[0] += 1;
    }

    void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                  TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                  TensorView<Scalar, Device> dx) const override {
        Scalar dscale = 0, doffset = 0;
        for (Index i = 0; i < x.size(); ++i) {
            dscale += dy[i] * squares(pass)[i];
            doffset += dy[i];
            if (!dx && fault_ != Fault::reads_missing_dx) continue;
            const Scalar slope = 2 * pass.parameter(scale_)[0] * x[i];
            if (dx) dx[i] = (fault_ == Fault::sign_of_dx ? -dy[i] : dy[i]) * slope;
            if (!dx && fault_ == Fault::reads_missing_dx) dscale += slope;
            dy[i] = 0;  // scratch
        }
        if (fault_ == Fault::half_of_dscale) dscale /= 2;
        if (fault_ == Fault::uses_up_saved) squares(pass)[0] = 0;
        if (fault_ == Fault::nan_in_dx && dx) dx[0] = std::numeric_limits<Scalar>::quiet_NaN();
        const Scalar before = fault_ == Fault::accumulates ? pass.gradient(scale_)[0] : 0;
        pass.gradient(scale_)[0] = before + dscale;
        if (fault_ != Fault::forgotten_offset) pass.gradient(offset_)[0] = doffset;
    }

private:
    static Scalar* squares(const Pass<Scalar, Device>& pass) {
        return reinterpret_cast<Scalar*>(pass.saved);
    }

    Fault fault_;
    ParameterSlot scale_, offset_, steps_;
};

/// Whether the gradient check of the layer with that fault complains in these words.
bool finds(Fault fault, std::string_view words) {
    return gradient_check(Planted{fault}, {2, 3}).complaint.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a declaration can be looked into, as what it is and as nothing else") {
    const LayerDeclaration<float, Cpu> declaration = Dense{.units = 3, .activation = relu};
    const LayerDeclaration<float, Cpu> copy = declaration;
    REQUIRE(copy.get_if<Dense>() != nullptr);
    CHECK(*copy.get_if<Dense>() == Dense{.units = 3, .activation = relu});
    CHECK(copy.get_if<ReLU>() == nullptr);
}

TEST_CASE("the gradient check finds every fault planted in a layer's backward") {
    CHECK(gradient_check(Planted{}, {2, 3}));
    CHECK(finds(Fault::sign_of_dx, "\n    dx: gap "));
    CHECK(finds(Fault::half_of_dscale, "planted/scale: gap "));
    CHECK(finds(Fault::forgotten_offset, "planted/offset: gap inf"));
    CHECK(finds(Fault::accumulates, "planted/scale: gap inf"));
    CHECK(finds(Fault::uses_up_saved, "gradients again: element 0"));
    CHECK(finds(Fault::reads_missing_dx, "gradients without dx: element 0"));
    CHECK(finds(Fault::nan_in_dx, "\n    dx: gap inf (element 0 of (2, 3): nan"));
}

TEST_CASE("the allocation counter sees operator new, plain, array and aligned" *
          doctest::skip(!AllocationCounter::available())) {
    void* volatile memory = nullptr;  // so that no allocation is optimised away
    const auto allocations = [&](const auto& call) {
        const AllocationCounter counter;
        call();
        return counter.count();
    };
    CHECK(allocations([] {}) == 0);
    CHECK(allocations([&] {
              memory = new int;
              delete static_cast<int*>(memory);
          }) == 1);
    CHECK(allocations([&] {
              memory = new int[100];
              delete[] static_cast<int*>(memory);
          }) == 1);
    CHECK(allocations([&] { memory = Tensor<float>({100}).data(); }) == 1);
}

TEST_CASE("snake_case derives names from types as Keras does") {
    CHECK(snake_case("Dense") == "dense");
    CHECK(snake_case("ReLU") == "re_lu");
    CHECK(snake_case("Conv2D") == "conv2d");
    CHECK(snake_case("MaxPool2D") == "max_pool2d");
    CHECK(snake_case("AveragePool2D") == "average_pool2d");
    CHECK(snake_case("BatchNorm") == "batch_norm");
    CHECK(snake_case("GlobalAveragePooling2D") == "global_average_pooling2d");
    CHECK(snake_case("LSTM") == "lstm");
    CHECK(snake_case("A") == "a");
    CHECK(snake_case("") == "");
    CHECK(snake_case("X~A") == "x~a");  // a sign is no letter
}

TEST_CASE("snake_case parts a capital from the word behind it, as Keras does") {
    CHECK(snake_case("PReLU") == "p_re_lu");
    CHECK(snake_case("GRUCell") == "gru_cell");
    CHECK(snake_case("Conv2DTranspose") == "conv2d_transpose");
}

TEST_CASE("ParameterList lays parameters one after another, each on a cache line of its own") {
    ParameterList list;
    const auto kernel = list.add("a/kernel", {3, 7}, glorot_uniform, true);
    const auto mean = list.add("a/mean", {5}, zeros, false);
    const auto bias = list.add("a/bias", {16}, ones, true);
    const auto scalar = list.add("b/scalar", Shape{}, zeros, true);
    const auto variance = list.add("b/variance", {0}, zeros, false);
    const auto last = list.add("b/last", {1}, zeros, false);

    CHECK(kernel.offset == 0);
    CHECK(bias.offset == 32);  // 21 elements, rounded up to 16 floats a line
    CHECK(scalar.offset == 48);
    CHECK(list.trainable_size() == 64);
    CHECK(mean.offset == 0);
    CHECK(variance.offset == 16);
    CHECK(last.offset == 16);
    CHECK(list.state_size() == 32);
    CHECK_FALSE(mean.trainable);

    REQUIRE(list.parameters().size() == 6);
    CHECK(list.parameters()[2].name == "a/bias");
    CHECK(list.parameters()[2].slot.shape == Shape{16});
    CHECK(list.parameters()[2].initializer == ones);
}

TEST_CASE("LayerBuilder names parameters after the layer and refuses in its name") {
    ParameterList list;
    LayerBuilder builder("dense_1", {28, 28}, list);
    CHECK(builder.name() == "dense_1");
    CHECK(builder.input_shape() == Shape{28, 28});
    CHECK(builder.add_parameter("kernel", {2, 3}, zeros).trainable);
    CHECK_FALSE(builder.add_parameter("moving_mean", {3}, zeros, false).trainable);
    CHECK(list.parameters()[0].name == "dense_1/kernel");
    CHECK(list.parameters()[1].name == "dense_1/moving_mean");

    builder.require(true, "units", 0, "at least 1");
    builder.require_input(true, "(None, 784)");
    CHECK_THROWS_WITH_AS(builder.require(false, "rate", 1.5, "a number in [0, 1)"),
                         "dense_1: rate is 1.5, expected a number in [0, 1)", ArgumentError);
    CHECK_THROWS_WITH_AS(builder.require_input(false, "(None, height, width, channels)"),
                         "dense_1: input has shape (None, 28, 28), expected (None, height, width, "
                         "channels)",
                         ShapeError);
}

TEST_CASE("two parameters of one name are refused") {
    ParameterList list;
    LayerBuilder builder("dense", {3}, list);
    builder.add_parameter("w", {2}, zeros);
    builder.add_parameter("v", {2}, zeros);
    CHECK_THROWS_WITH_AS(builder.add_parameter("w", {2}, zeros),
                         "dense/w: the layer has two parameters of this name", ArgumentError);
    CHECK(list.parameters().size() == 2);
}

TEST_CASE("Pass finds a parameter, its gradient and its state by the slot") {
    ParameterList list;
    const auto mean = list.add("a/mean", {2}, zeros, false);
    const auto kernel = list.add("a/kernel", {3}, zeros, true);
    const auto bias = list.add("a/bias", {2}, zeros, true);
    auto trainable = random_normal({list.trainable_size()}, 1);
    auto state = random_normal({list.state_size()}, 2);
    auto gradients = random_normal({list.trainable_size()}, 3);
    Cpu device(1);
    const Pass<double, Cpu> pass{.device = device,
                                 .training = true,
                                 .trainable = trainable.data(),
                                 .state = state.data(),
                                 .mutable_state = state.data(),
                                 .gradients = gradients.data()};
    CHECK(pass.parameter(kernel).data() == trainable.data());
    CHECK(pass.parameter(bias).data() == trainable.data() + 16);
    CHECK(pass.parameter(bias).shape() == Shape{2});
    CHECK(pass.parameter(mean).data() == state.data());
    CHECK(pass.gradient(bias).data() == gradients.data() + 16);
    CHECK(pass.update(mean).data() == state.data());
}

TEST_CASE("LayerDeclaration knows the type and who gave the name") {
    const LayerDeclaration<float, Cpu> unnamed = Dense{.units = 3};
    CHECK(unnamed.type() == "Dense");
    CHECK(unnamed.name() == "dense");
    CHECK_FALSE(unnamed.named());
    const LayerDeclaration<float, Cpu> named = Dense{.units = 3, .name = "head"};
    CHECK(named.type() == "Dense");
    CHECK(named.name() == "head");
    CHECK(named.named());
    CHECK_FALSE(LayerDeclaration<float, Cpu>(Planted{}).named());  // a declaration without a name
}

TEST_CASE("a declaration builds any number of layers, on its own copy of the options") {
    Dense dense{.units = 3};
    const LayerDeclaration<double, Cpu> declaration = dense;
    dense.units = 99;
    for (const Index features : {4, 5}) {
        ParameterList list;
        LayerBuilder builder("any", {features}, list);
        CHECK(declaration.build(builder)->output_shape() == Shape{3});
        CHECK(list.parameters()[0].slot.shape == Shape{features, 3});
    }
}

TEST_CASE("only declarations declare layers") {
    CHECK(DeclaresLayer<Dense, float, Cpu>);
    CHECK(DeclaresLayer<ReLU, double, Cpu>);
    CHECK(DeclaresLayer<Planted, double, Cpu>);
    CHECK_FALSE(DeclaresLayer<int, float, Cpu>);
    CHECK_FALSE(DeclaresLayer<Shape, float, Cpu>);
}

TEST_CASE("a model gives the layers Keras's names, and the users' where they gave one") {
    const Sequential<float> model{Input{{6}},
                                  Dense{.units = 5},
                                  ReLU{},
                                  Dense{.units = 4, .name = "middle"},
                                  Dense{.units = 3},
                                  ReLU{.name = "rectify"},
                                  Dense{.units = 2}};
    const std::array names{"dense", "re_lu", "middle", "dense_1", "rectify", "dense_2"};
    for (std::size_t i = 0; i < names.size(); ++i) CHECK(model.layer_name(i) == names[i]);
    CHECK(model.parameters()[2].name == "middle/kernel");
    CHECK(model.parameters()[7].name == "dense_2/bias");
}

TEST_CASE("a name that the user gave twice, or gave after it was taken, is refused") {
    using Model = Sequential<float>;
    CHECK_THROWS_WITH_AS((Model{Input{{6}}, Dense{.units = 5, .name = "a"}, ReLU{.name = "a"}}),
                         "model: two layers are named a", ArgumentError);
    CHECK_THROWS_WITH_AS((Model{Input{{6}}, ReLU{}, ReLU{}, Dense{.units = 1, .name = "re_lu_1"}}),
                         "model: two layers are named re_lu_1", ArgumentError);
    const Model model{Input{{6}}, Dense{.units = 5, .name = "dense"}, Dense{.units = 3}};
    CHECK(model.layer_name(1) == "dense_1");
}

TEST_CASE("a layer's own state is updated in training, and by copies apart") {
    SingleLayer<double> layer(Planted{}, {3});
    const auto x = random_normal({2, 3}, 2);
    CHECK(layer.parameter("steps")[0] == 3);
    layer.forward(x);
    SingleLayer<double> copy = layer;
    copy.forward(x);
    CHECK(layer.parameter("steps")[0] == 4);
    CHECK(copy.parameter("steps")[0] == 5);
    layer.training = false;
    layer.forward(x);
    CHECK(layer.parameter("steps")[0] == 4);
}

TEST_CASE("what a layer throws names the layer") {
    const auto message = [](const LayerDeclaration<float, Cpu>& declaration, const Shape& sample) {
        try {
            Sequential<float> model(std::vector{declaration});
            model.build(sample);
            (void)model.predict(Tensor<float>(sample));
        } catch (const ShapeError& error) {
            return std::string(error.what());
        } catch (const ArgumentError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const Index most = std::numeric_limits<Index>::max();
    CHECK(message(Dense{.units = most}, {3}).starts_with("dense: shape (3, "));
    CHECK(message(Dense{.units = most / 64, .name = "head"}, {3}).starts_with("head/kernel: "));
    CHECK(message(ZeroPadding2D{Extent2D{1 << 30}}, {1, 1, 1}) ==
          "zero_padding2d: output shape (2147483649, 2147483649, 1) is larger than memory can "
          "hold");
    CHECK(message(ZeroPadding2D{Extent2D{1 << 30}}, {1, 1, 9})
              .starts_with("zero_padding2d: shape (2147483649, 2147483649, 9) has too many"));
    CHECK(message(MaxPool2D{.pool_size = {5000, 5000}}, {5000, 5000, 1}) ==
          "max_pool2d: the window has 25000000 elements, expected at most 16777216");
    CHECK(message(Dense{.units = 0}, {3}) == "dense: units is 0, expected at least 1");
    CHECK(message(Dense{.units = most, .name = "shape"}, {3}).starts_with("shape: shape (3, "));
}

TEST_CASE("sizes too large to compute with are refused, and the layer named") {
    const auto message = [](const LayerDeclaration<float, Cpu>& declaration, const Shape& sample,
                            std::size_t inputs = 1) {
        const std::vector<Shape> shapes(inputs, sample);
        ParameterList list;
        LayerBuilder builder("a", shapes, list);
        try {
            declaration.build(builder);
        } catch (const ShapeError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const Index most = std::numeric_limits<Index>::max(), held = most >> 20;
    const std::string input =
        concat("a: input shape (", most, ", 1, 1) is larger than memory can hold");
    for (const LayerDeclaration<float, Cpu>& layer :
         {LayerDeclaration<float, Cpu>(Dense{.units = 3}),
          {Flatten{}},
          {Concatenate{.axis = 1}},
          {Conv2D{.filters = 3, .kernel_size = 2}},
          {ReLU{}},
          {ZeroPadding2D{}},
          {MaxPool2D{.pool_size = 2, .strides = 3, .padding = same}},
          {Reshape{{-1}}}}) {
        INFO(layer.type());
        CHECK(message(layer, {most, 1, 1}) == input);
    }
    CHECK(message(ZeroPadding2D{}, {0, most, 1}) ==
          concat("a: input shape (0, ", most, ", 1) is larger than memory can hold"));
    CHECK(message(ReLU{}, {held}).empty());
    CHECK(message(ReLU{}, {held + 1}) ==
          concat("a: input shape (", held + 1, ",) is larger than memory can hold"));
    CHECK(message(Dense{.units = held + 1}, {0, 1}) ==
          concat("a: output shape (0, ", held + 1, ") is larger than memory can hold"));
    CHECK(message(Conv2D{.filters = most, .kernel_size = 1}, {2, 1, 1})
              .starts_with("a: shape (2, 1, "));
    CHECK(message(Conv2D{.filters = most, .kernel_size = 2}, {2, 2, 1})
              .starts_with("a: shape (2, 2, 1, "));
    CHECK(message(Conv2D{.filters = most / 16, .kernel_size = 1}, {1, 1, 1})
              .starts_with("a/kernel: shape (1, 1, 1, "));
    CHECK(message(Reshape{{most, 2, -1}}, {6}).starts_with("a: shape (9223372036854775807, 2, 1)"));
    CHECK(message(Reshape{{most, 2}}, {6}).starts_with("a: shape (9223372036854775807, 2) has"));
    CHECK(message(Concatenate{}, {held}, 2) ==
          concat("a: output shape (", 2 * held, ",) is larger than memory can hold"));
}

TEST_CASE("parameters too many to count are refused") {
    ParameterList list;
    const Index most = std::numeric_limits<Index>::max();
    CHECK_THROWS_AS(list.add("a/kernel", {most}, zeros, true), Error);
    ParameterList second;
    second.add("a/kernel", {most / 64}, zeros, true);
    CHECK_THROWS_AS((second.add("b/kernel", {most / 64 + 1}, zeros, true)), Error);
}
