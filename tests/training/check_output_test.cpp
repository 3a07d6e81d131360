#include "weft/training/detail/check_output.hpp"

#include "tests/support/captured_output.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/elu.hpp"
#include "weft/layers/gelu.hpp"
#include "weft/layers/leaky_relu.hpp"
#include "weft/layers/relu.hpp"
#include "weft/layers/rescaling.hpp"
#include "weft/layers/reshape.hpp"
#include "weft/layers/sigmoid.hpp"
#include "weft/layers/silu.hpp"
#include "weft/layers/softmax.hpp"
#include "weft/layers/tanh.hpp"
#include "weft/losses/binary_crossentropy.hpp"
#include "weft/losses/categorical_crossentropy.hpp"
#include "weft/losses/mean_squared_error.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

using AnyLayer = LayerDeclaration<float, Cpu>;
using AnyLoss = LossDeclaration<float, Cpu>;

Sequential<float> model_of(const std::vector<AnyLayer>& layers, const Shape& sample = {6}) {
    Sequential<float> model(layers);
    model.build(sample);
    return model;
}

/// "" for what fits, "hint" for what rarely is meant, "refused" for what never is.
std::string verdict(const std::vector<AnyLayer>& layers, const AnyLoss& loss,
                    const Shape& sample = {6}) {
    try {
        return detail::check_output(model_of(layers, sample), loss).empty() ? "" : "hint";
    } catch (const ArgumentError&) {
        return "refused";
    }
}

std::string complaint(const std::vector<AnyLayer>& layers, const AnyLoss& loss) {
    try {
        return detail::check_output(model_of(layers), loss);
    } catch (const ArgumentError& error) {
        return error.what();
    }
}

/// A layer of the user's own, which is not known to end in anything.
struct Own {
    static constexpr std::string_view type = "Own";
    constexpr Activation as_activation() const { return relu; }
    template <class Scalar, class Device>
    using Layer = ReLU::Layer<Scalar, Device>;
};

template <class Scalar, class Device>
class OwnLayer final : public Layer<Scalar, Device> {
public:
    template <class Options>
    OwnLayer(const Options&, LayerBuilder& builder)
        : Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()) {}
    void forward(const Pass<Scalar, Device>&, TensorView<const Scalar, Device>,
                 TensorView<Scalar, Device>) const override {}
    void backward(const Pass<Scalar, Device>&, TensorView<const Scalar, Device>,
                  TensorView<const Scalar, Device>, TensorView<Scalar, Device>,
                  TensorView<Scalar, Device>) const override {}
};

struct Unknown {
    static constexpr std::string_view type = "Unknown";
    template <class Scalar, class Device>
    using Layer = OwnLayer<Scalar, Device>;
};

template <class Scalar, class Device>
struct OwnFunction final : Loss<Scalar, Device> {
    template <class Options>
    explicit OwnFunction(const Options&) {}
    void evaluate(Device&, bool, TensorView<Scalar, Device>, TensorView<const Scalar, Device>,
                  Scalar, TensorView<Scalar, Device>, TensorView<Scalar, Device>) const override {}
};

/// A loss of the user's own, which says nothing of activations.
struct OwnLoss {
    static constexpr std::string_view type = "OwnLoss";
    template <class Scalar, class Device>
    using Function = OwnFunction<Scalar, Device>;
};

}  // namespace

TEST_CASE("each loss and last activation: what fits, what is odd and what is refused") {
    const SparseCategoricalCrossentropy sparse, sparse_logits{.from_logits = true};
    const CategoricalCrossentropy categorical, categorical_logits{.from_logits = true};
    const BinaryCrossentropy binary, binary_logits{.from_logits = true};
    const std::vector<Activation> all{linear,     relu, sigmoid, weft::tanh, softmax,
                                      leaky_relu, elu,  gelu,    silu};
    const std::string ok, hint = "hint", no = "refused";
    const std::vector<std::pair<AnyLoss, std::vector<std::string>>> table{
        // linear, relu, sigmoid, tanh, softmax, leaky_relu, elu, gelu, silu
        {sparse, {no, no, hint, no, ok, no, no, no, no}},
        {categorical, {no, no, hint, no, ok, no, no, no, no}},
        {binary, {no, no, ok, no, hint, no, no, no, no}},
        {sparse_logits, {ok, hint, no, hint, no, hint, hint, hint, hint}},
        {categorical_logits, {ok, hint, no, hint, no, hint, hint, hint, hint}},
        {binary_logits, {ok, no, no, hint, no, hint, hint, hint, hint}},
        {MeanSquaredError{}, {ok, ok, ok, ok, ok, ok, ok, ok, ok}},
        {OwnLoss{}, {ok, ok, ok, ok, ok, ok, ok, ok, ok}},
    };
    const std::vector<AnyLayer> layers{ReLU{},      Sigmoid{}, Tanh{}, Softmax{},
                                       LeakyReLU{}, ELU{},     GELU{}, SiLU{}};
    for (const auto& row : table) {
        const auto& loss = row.first;
        const auto& expected = row.second;
        for (std::size_t a = 0; a < all.size(); ++a) {
            INFO(loss.type(), " behind ", to_string(all[a]));
            const AnyLayer dense = Dense{.units = 3, .activation = all[a]};
            CHECK(verdict({dense}, loss) == expected[a]);
            // As a layer of its own, and with layers behind that change nothing of it.
            if (a > 0) CHECK(verdict({Dense{3}, layers[a - 1]}, loss) == expected[a]);
            CHECK(verdict({dense, Dropout{0.5}, Flatten{}, Reshape{{-1}}}, loss) == expected[a]);
        }
        // Of what is not known nothing is said.
        CHECK(verdict({Dense{3}, Unknown{}}, loss) == "");
        CHECK(verdict({Dense{3}, Rescaling{2}}, loss) == "");
        CHECK(verdict({Dense{3}, Unknown{}, Flatten{}}, loss) == "");
    }
    // A layer of the user's own that says what it ends in.
    CHECK(verdict({Dense{3}, Own{}}, sparse) == no);
}

TEST_CASE("softmax of one output, and one class of one, are refused") {
    const AnyLayer one = Dense{.units = 1, .activation = softmax};
    for (const AnyLoss& loss : {AnyLoss(BinaryCrossentropy{}), AnyLoss(CategoricalCrossentropy{}),
                                AnyLoss(SparseCategoricalCrossentropy{}),
                                AnyLoss(MeanSquaredError{}), AnyLoss(OwnLoss{})}) {
        CHECK(verdict({one}, loss) == "refused");
        CHECK(verdict({Dense{1}, Softmax{}}, loss) == "refused");
        CHECK(verdict({one, Reshape{{1, 1}}}, loss) == "refused");
    }
    for (const Activation activation : {linear, sigmoid, relu}) {
        const AnyLayer dense = Dense{.units = 1, .activation = activation};
        for (const bool from_logits : {false, true}) {
            CHECK(verdict({dense}, CategoricalCrossentropy{from_logits}) == "refused");
            CHECK(verdict({dense}, SparseCategoricalCrossentropy{from_logits}) == "refused");
        }
    }
    // Whose axis has several is another matter.
    CHECK(verdict({Dense{4, softmax}, Reshape{{4, 1}}}, MeanSquaredError{}) == "");
}

TEST_CASE("softmax of softmax and sigmoid of sigmoid are refused") {
    const SparseCategoricalCrossentropy sparse;
    CHECK(complaint({Dense{3, softmax}, Softmax{}}, sparse) ==
          "softmax: applies softmax to the output of softmax; remove Softmax{}");
    CHECK(verdict({Dense{3, sigmoid}, Flatten{}, Sigmoid{}}, MeanSquaredError{}) == "refused");
    CHECK(verdict({Dense{3, sigmoid}, Softmax{}}, sparse) == "");
    CHECK(verdict({Dense{3, sigmoid}, Dense{3, sigmoid}}, BinaryCrossentropy{}) == "");
}

TEST_CASE("images: convolutions, pools and batch norms at the end") {
    const Shape image{6, 6, 2};
    const AnyLoss loss = SparseCategoricalCrossentropy{},
                  logits = SparseCategoricalCrossentropy{true};
    CHECK(verdict({Conv2D{3, 3}, GlobalAveragePool2D{}}, loss, image) == "refused");
    CHECK(verdict({Conv2D{3, 3}, GlobalMaxPool2D{}}, logits, image) == "");
    CHECK(verdict({Conv2D{.filters = 3, .kernel_size = 3, .activation = softmax},
                   AveragePool2D{.pool_size = 4}, Flatten{}},
                  loss, image) == "");
    CHECK(verdict({Conv2D{3, 3}, BatchNorm{}}, loss, image) == "refused");
    CHECK(verdict({Conv2D{3, 3}, BatchNorm{}}, logits, image) == "");
    CHECK(verdict({Flatten{}}, loss, image) == "");
}

TEST_CASE("the message names the layer and the line to write instead") {
    const Dense dense{3};
    const SparseCategoricalCrossentropy sparse, sparse_logits{.from_logits = true};
    const auto with = [](Activation activation) { return Dense{3, activation}; };
    CHECK(
        complaint({Dense{5}, dense}, sparse) ==
        "SparseCategoricalCrossentropy: takes probabilities, but dense_1 has no activation; write "
        ".activation = softmax in dense_1, or .from_logits = true in the loss");
    CHECK(complaint({with(softmax)}, sparse_logits) ==
          "SparseCategoricalCrossentropy: takes logits, with .from_logits, but dense ends in "
          "softmax; write .activation = linear in dense, or .from_logits = false in the loss");
    CHECK(complaint({dense, Softmax{}}, sparse_logits) ==
          "SparseCategoricalCrossentropy: takes logits, with .from_logits, but softmax ends in "
          "softmax; write no Softmax{}, or .from_logits = false in the loss");
    CHECK(complaint({with(relu)}, CategoricalCrossentropy{}) ==
          "CategoricalCrossentropy: takes probabilities, but dense ends in relu; write .activation "
          "= softmax in dense");
    CHECK(complaint({dense, ReLU{}}, BinaryCrossentropy{}) ==
          "BinaryCrossentropy: takes probabilities, but re_lu ends in relu; write Sigmoid{} in the "
          "place of re_lu");
    CHECK(complaint({dense, BatchNorm{}}, BinaryCrossentropy{}) ==
          "BinaryCrossentropy: takes probabilities, but batch_norm has no activation; write "
          "Sigmoid{} behind batch_norm, or .from_logits = true in the loss");
    CHECK(complaint({with(sigmoid)}, sparse) ==
          "SparseCategoricalCrossentropy: takes probabilities of mutually exclusive classes, "
          "but dense ends in sigmoid; write .activation = softmax in dense, or "
          "BinaryCrossentropy{} as the loss for independent classes");
    CHECK(
        complaint({with(softmax)}, BinaryCrossentropy{}) ==
        "BinaryCrossentropy: takes an independent probability from each output, but dense ends in "
        "softmax; write .activation = sigmoid in dense, or CategoricalCrossentropy{} as the "
        "loss");
    CHECK(complaint({Dense{1, softmax}}, BinaryCrossentropy{}) ==
          "dense: softmax of one output is always 1, so nothing is learnt; write .activation = "
          "sigmoid in dense");
    CHECK(complaint({Dense{1, sigmoid}}, sparse) ==
          "SparseCategoricalCrossentropy: takes an output for each of several classes, but dense "
          "gives (None, 1); write BinaryCrossentropy{} as the loss");
}

TEST_CASE("fit and evaluate refuse what never is meant, before anything changes") {
    const auto x = random_normal<float>({8, 6}, 1);
    const std::vector<int> labels(8, 1);
    Sequential model{Dense{5, relu}, Dense{3}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    CHECK_THROWS_AS(trainer.fit(x, labels), ArgumentError);
    CHECK_FALSE(model.is_built());
    model.build({6});
    CHECK_THROWS_AS(trainer.evaluate(x, labels), ArgumentError);
}

TEST_CASE("hints are given once, and are in the history") {
    const auto x = random_normal<float>({8, 6}, 1);
    const std::vector<int> labels(8, 1);
    Sequential model{Dense{3, sigmoid}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    const FitOptions<float> options{.epochs = 2, .verbosity = Verbosity::silent};
    const History first = trainer.fit(x, labels, options);
    REQUIRE(first.hints.size() == 1);
    CHECK(first.hints[0] == complaint({Dense{3, sigmoid}}, SparseCategoricalCrossentropy{}));
    CHECK(trainer.fit(x, labels, options).hints.empty());
    model.build({6}, 1);
    CHECK(trainer.fit(x, labels, options).hints.size() == 1);
}

TEST_CASE("hints are printed, and wait for a batch of finite numbers") {
    auto x = random_normal<float>({8, 6}, 1);
    const std::vector<int> labels(8, 1);
    Sequential model{Dense{3, sigmoid}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    x[7] = std::numeric_limits<float>::infinity();
    const FitOptions<float> options{.verbosity = Verbosity::line};
    std::string printed = captured_output([&] { trainer.fit(x, labels, options); });
    CHECK(printed.find("Hint: ") == std::string::npos);
    x[7] = 0;
    printed = captured_output([&] { trainer.fit(x, labels, options); });
    const std::string hint = complaint({Dense{3, sigmoid}}, SparseCategoricalCrossentropy{});
    CHECK(printed.find("Hint: " + hint + "\n") != std::string::npos);
}

TEST_CASE("pixels of 0 to 255 get a hint where the model does not scale them") {
    auto pixels = random_integers<float>({8, 8, 8}, 1, 0, 255);
    pixels[0] = 255;
    const auto hint = [&](const std::vector<AnyLayer>& layers, const Tensor<float>& x) {
        return detail::check_input<float, Cpu>(model_of(layers, x.shape().sample()), x.view());
    };
    const std::vector<AnyLayer> plain{Flatten{}, Dense{3, softmax}};
    CHECK(hint(plain, pixels) ==
          "the inputs reach 255, as pixels of 8 bits do, and most models learn better from 0 ... "
          "1; write scaled<float>(x, 255), or Rescaling{1.0 / 255} as the first layer");
    CHECK(hint({Reshape{{8, 8, 1}}, Conv2D{3, 3}, Flatten{}, Dense{3, softmax}}, pixels) != "");
    CHECK(hint({Dropout{0.1}, Flatten{}, Dense{3, softmax}}, pixels) != "");
    // Scaled by the model, or by something that is not known.
    for (const AnyLayer& first :
         {AnyLayer(Rescaling{1.0 / 255}), AnyLayer(BatchNorm{}), AnyLayer(Unknown{})}) {
        CHECK(hint({first, Flatten{}, Dense{3, softmax}}, pixels) == "");
    }
    Tensor<float> x = pixels;
    for (float& value : x) value /= 255;
    CHECK(hint(plain, x) == "");
    for (float& value : x) value = 2 * value - 1;
    CHECK(hint(plain, x) == "");
    for (float& value : x) value *= 255;  // from -255 on
    CHECK(hint(plain, x) == "");
    x = pixels;
    x[3] = 256;
    CHECK(hint(plain, x) == "");
    CHECK(hint(plain, random_integers<float>({8, 8, 8}, 1, 0, 9)) == "");  // counts
    CHECK(hint({Dense{3, softmax}}, random_uniform<float>({8, 63}, 1, 200, 255)) == "");

    Sequential model(plain);
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    const FitOptions<float> options{.verbosity = Verbosity::silent};
    CHECK(trainer.fit(pixels, std::vector<int>(8, 1), options).hints ==
          std::vector<std::string>{hint(plain, pixels)});
    CHECK(trainer.fit(pixels, std::vector<int>(8, 1), options).hints.empty());
}
