#include "weft/io/model_file.hpp"

#include "examples/fashion_mnist/models.hpp"
#include "tests/io/models_for_keras.hpp"
#include "tests/io/safetensors_bytes.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cfenv>
#include <thread>

using namespace weft;
namespace fs = std::filesystem;

namespace mine {

enum class Mode { add, multiply };

/// A layer that is not weft's: y = x factor or x + factor, with a parameter that is not used.
struct Scale {
    double factor = 1;
    Mode mode = Mode::multiply;
    Index width = 1;  ///< of the parameter
    std::string name = {};

    static constexpr std::string_view type = "Scale";
    friend bool operator==(const Scale&, const Scale&) = default;

    template <class Scalar, class Device>
    class Layer final : public weft::Layer<Scalar, Device> {
    public:
        Layer(const Scale& options, LayerBuilder& builder)
            : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
              factor_(static_cast<Scalar>(options.factor)),
              multiplies_(options.mode == Mode::multiply) {
            builder.add_parameter("unused", {options.width}, ones);
        }
        void forward(const Pass<Scalar, Device>&, TensorView<const Scalar, Device> x,
                     TensorView<Scalar, Device> y) const override {
            for (Index i = 0; i < x.size(); ++i) {
                y[i] = multiplies_ ? x[i] * factor_ : x[i] + factor_;
            }
        }
        void backward(const Pass<Scalar, Device>&, TensorView<const Scalar, Device>,
                      TensorView<const Scalar, Device>, TensorView<Scalar, Device>,
                      TensorView<Scalar, Device>) const override {}

    private:
        Scalar factor_;
        bool multiplies_;
    };
};

/// Found by the format through its argument.
void visit_fields(Scale& scale, LayerFields& field) {
    auto mode = static_cast<int>(scale.mode);
    field("factor", scale.factor);
    field("mode", mode);
    field("width", scale.width);
    field.require(mode == 0 || mode == 1, concat("mode is ", mode));
    scale.mode = static_cast<Mode>(mode);
}

/// y = x factor, of a type that has no field for a name.
struct Nameless {
    float factor = 1;

    static constexpr std::string_view type = "Nameless";
    friend bool operator==(const Nameless&, const Nameless&) = default;

    template <class Scalar, class Device>
    class Layer final : public weft::Layer<Scalar, Device> {
    public:
        Layer(const Nameless& options, LayerBuilder& builder)
            : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
              factor_(static_cast<Scalar>(options.factor)) {}
        void forward(const Pass<Scalar, Device>&, TensorView<const Scalar, Device> x,
                     TensorView<Scalar, Device> y) const override {
            for (Index i = 0; i < x.size(); ++i) y[i] = x[i] * factor_;
        }
        void backward(const Pass<Scalar, Device>&, TensorView<const Scalar, Device>,
                      TensorView<const Scalar, Device>, TensorView<Scalar, Device>,
                      TensorView<Scalar, Device>) const override {}

    private:
        Scalar factor_;
    };
};

void visit_fields(Nameless& layer, LayerFields& field) { field("factor", layer.factor); }

}  // namespace mine

namespace {

using Declaration = LayerDeclaration<float, Cpu>;
using Layers = std::vector<Declaration>;

Sequential<float> built(Layers layers, const Shape& input, std::uint64_t seed = 1) {
    Sequential<float> model(std::move(layers));
    model.build(input, seed);
    return model;
}

/// The model, saved and loaded.
Model<float> reloaded(const Model<float>& model, const std::vector<LayerFormat<float>>& own = {}) {
    const TemporaryFolder folder;
    save_model(model, folder.path() / "m.safetensors", own);
    return load_model<float>(folder.path() / "m.safetensors", own);
}

/// Whether the declaration of layer i comes back equal.
template <class D>
bool comes_back(const D& declaration, const Shape& input) {
    const Sequential<float> model = built({declaration}, input);
    const Sequential<float> copy = reloaded(model);
    const D* loaded = copy.declarations()[0].template get_if<D>();
    return loaded != nullptr && *loaded == declaration && copy.input_shape() == input &&
           identical(copy.arena(), model.arena());
}

/// The small model of the tests of damage; every layer of it has numbers.
Sequential<float> small_model() {
    return built({Conv2D{.filters = 2, .kernel_size = 2, .kernel_constraint = max_norm(3)},
                  BatchNorm{}, Flatten{}, Dense{2, softmax}},
                 {3, 3, 1});
}

/// The message of the IoError that loading throws, without the file's name; anything else that is
/// thrown ends the test.
std::string refusal(const fs::path& path, const std::vector<LayerFormat<float>>& own = {}) {
    try {
        load_model<float>(path, own);
    } catch (const IoError& error) {
        const std::string message = error.what();
        const std::string name = path.string() + ": ";
        return message.starts_with(name) ? message.substr(name.size()) : message;
    }
    return "nothing was thrown";
}

/// A file with a part of its header, the first `from`, replaced.
std::string with(const std::string& bytes, const std::string& from, const std::string& to) {
    const std::size_t size = header_size_of(bytes);
    std::string header = bytes.substr(8, size);
    const auto at = header.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from);
    header.replace(at, from.size(), to);
    return safetensors(header, bytes.substr(8 + size));
}

/// What loading says of the small model's file with a part of its header replaced.
std::string refusal_with(const std::string& from, const std::string& to) {
    const TemporaryFolder folder;
    save_model(small_model(), folder.path() / "m");
    return refusal(folder.file("m", with(contents_of(folder.path() / "m"), from, to)));
}

}  // namespace

TEST_CASE("the tutorials' networks come back: declarations, every bit of every parameter") {
    for (const Tutorial& network : tutorials()) {
        CAPTURE(network.id);
        const Shape input = network.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
        const Model<float> model = network.build(input, 3);
        const Model<float> copy = reloaded(model);
        CHECK(copy.summary() == model.summary());
        CHECK(identical(copy.arena(), model.arena()));
        REQUIRE(copy.layer_count() == model.layer_count());
        for (std::size_t i = 0; i < model.layer_count(); ++i) {
            CAPTURE(i);
            const Declaration &a = model.declarations()[i], &b = copy.declarations()[i];
            REQUIRE(a.type() == b.type());
            const auto agree = [&]<class D>(std::type_identity<D>) {
                return a.get_if<D>() == nullptr || *a.get_if<D>() == *b.get_if<D>();
            };
            CHECK(agree(std::type_identity<Dense>()));
            CHECK(agree(std::type_identity<Conv2D>()));
            CHECK(agree(std::type_identity<BatchNorm>()));
            CHECK(agree(std::type_identity<MaxPool2D>()));
            CHECK(agree(std::type_identity<Dropout>()));
        }
        const Tensor<float> x = random_uniform<float>(input.batch(2), 5, 0, 1);
        CHECK(identical(copy.predict(x), model.predict(x)));
    }
}

TEST_CASE("every field of every layer comes back, none of them at its default") {
    CHECK(comes_back(Dense{.units = 3,
                           .activation = gelu,
                           .use_bias = true,
                           .kernel_initializer = he_normal,
                           .bias_initializer = constant(0.1),
                           .kernel_regularizer = l1(0.25),
                           .bias_regularizer = l2(0.125),
                           .activity_regularizer = l1_l2(0.1, 0.3),
                           .kernel_constraint = max_norm(2.5),
                           .bias_constraint = unit_norm,
                           .name = "my dense\\\u00e4\n\""},
                     {4}));
    CHECK(comes_back(Dense{.units = 3, .use_bias = false, .bias_constraint = non_negative}, {4}));
    CHECK(comes_back(Conv2D{.filters = 4,
                            .kernel_size = {2, 3},
                            .strides = {1, 2},
                            .padding = same,
                            .dilation_rate = {2, 1},
                            .groups = 2,
                            .activation = silu,
                            .use_bias = false,
                            .kernel_initializer = lecun_uniform,
                            .bias_initializer = ones,
                            .kernel_regularizer = l2(1e-4),
                            .bias_regularizer = l1(3),
                            .activity_regularizer = l2(0.7),
                            .kernel_constraint = unit_norm,
                            .bias_constraint = max_norm(1.0 / 3),
                            .name = "c"},
                     {5, 6, 2}));
    CHECK(
        comes_back(MaxPool2D{.pool_size = {2, 3}, .strides = {3, 1}, .padding = same, .name = "m"},
                   {5, 6, 2}));
    CHECK(comes_back(
        AveragePool2D{.pool_size = {3, 2}, .strides = {1, 2}, .padding = same, .name = "a"},
        {5, 6, 2}));
    CHECK(comes_back(GlobalMaxPool2D{"g"}, {5, 6, 2}));
    CHECK(comes_back(GlobalAveragePool2D{"g"}, {5, 6, 2}));
    CHECK(comes_back(
        BatchNorm{.momentum = 0.1, .epsilon = 1e-5, .center = false, .scale = false, .name = "b"},
        {3}));
    CHECK(comes_back(Dropout{.rate = 0.1, .name = "d"}, {3}));
    CHECK(comes_back(Flatten{.data_format = channels_first, .name = "f"}, {2, 3}));
    CHECK(comes_back(Reshape{.target_shape = {3, -1}, .name = "r"}, {6}));
    CHECK(comes_back(Rescaling{.scale = 1.0 / 255, .offset = -0.5, .name = "r"}, {6}));
    CHECK(comes_back(ZeroPadding2D{.before = {1, 2}, .after = {3, 4}, .name = "z"}, {2, 3, 1}));
    CHECK(comes_back(LeakyReLU{.negative_slope = 0.01, .name = "l"}, {3}));
    CHECK(comes_back(ELU{.alpha = 0.7, .name = "e"}, {3}));
    CHECK(comes_back(ReLU{"n"}, {3}));
    CHECK(comes_back(GELU{"n"}, {3}));
    CHECK(comes_back(SiLU{"n"}, {3}));
    CHECK(comes_back(Sigmoid{"n"}, {3}));
    CHECK(comes_back(Tanh{"n"}, {3}));
    CHECK(comes_back(Softmax{"n"}, {3}));
    CHECK(comes_back(Add{"n"}, {3}));
    CHECK(comes_back(Multiply{"n"}, {3}));
    CHECK(comes_back(Concatenate{.axis = 2, .name = "n"}, {3, 2}));
    CHECK(weft_layer_formats<float>().size() == 23);
}

TEST_CASE("every activation and initialiser comes back by name") {
    for (const Activation activation :
         {linear, relu, sigmoid, weft::tanh, softmax, leaky_relu, elu, gelu, silu}) {
        CHECK(comes_back(Dense{2, activation}, {3}));
    }
    CHECK(comes_back(Dense{2, leaky_relu(0.125)}, {3}));
    CHECK(comes_back(Dense{2, elu(0.5)}, {3}));
    for (const Initializer& initializer :
         {zeros, ones, constant(-1.5), glorot_uniform, glorot_normal, he_uniform, he_normal,
          lecun_uniform, lecun_normal}) {
        CHECK(comes_back(Dense{.units = 2, .kernel_initializer = initializer}, {3}));
    }
}

TEST_CASE("the architecture is the text that Keras took: io/keras rebuilds this very model") {
    const std::string_view accepted = R"(
{"module": "keras", "class_name": "Sequential", "config": {"name": "sequential", "layers": [
    {"class_name": "InputLayer", "config": {"batch_shape": [null, 9, 8, 2]}},
    {"class_name": "Rescaling", "config": {"scale": 0.5, "offset": -0.125}},
    {"class_name": "ZeroPadding2D", "config": {"padding": [[1, 2], [0, 1]]}},
    {"class_name": "Conv2D", "config": {"name": "first", "filters": 4, "kernel_size": [3, 2],
     "strides": [2, 1], "padding": "same", "dilation_rate": [1, 1], "groups": 2,
     "activation": "gelu", "use_bias": true,
     "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 2.0,
     "mode": "fan_in", "distribution": "truncated_normal"}},
     "bias_initializer": {"class_name": "Constant", "config": {"value": 0.5}},
     "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.25, "l2": 0.5}},
     "bias_regularizer": null, "activity_regularizer": {"class_name": "L1L2",
     "config": {"l1": 0.0, "l2": 0.125}}, "kernel_constraint": {"class_name": "MaxNorm",
     "config": {"max_value": 2.5, "axis": [0, 1, 2]}},
     "bias_constraint": {"class_name": "NonNeg", "config": {}}}},
    {"class_name": "BatchNormalization", "config": {"momentum": 0.75, "epsilon": 0.0625,
     "center": true, "scale": true}},
    {"class_name": "LeakyReLU", "config": {"negative_slope": 0.25}},
    {"class_name": "MaxPooling2D", "config": {"pool_size": [2, 3], "strides": [1, 2],
     "padding": "valid"}},
    {"class_name": "Conv2D", "config": {"filters": 6, "kernel_size": [2, 2],
     "strides": [1, 1], "padding": "valid", "dilation_rate": [1, 2], "groups": 1,
     "activation": "linear", "use_bias": false,
     "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0,
     "mode": "fan_avg", "distribution": "uniform"}},
     "bias_initializer": {"class_name": "Constant", "config": {"value": 0.0}},
     "kernel_regularizer": null, "bias_regularizer": null, "activity_regularizer": null,
     "kernel_constraint": null, "bias_constraint": null}},
    {"class_name": "BatchNormalization", "config": {"momentum": 0.99, "epsilon": 0.001,
     "center": false, "scale": false}},
    {"class_name": "ELU", "config": {"alpha": 0.5}},
    {"class_name": "AveragePooling2D", "config": {"pool_size": [2, 1], "strides": [1, 1],
     "padding": "same"}},
    {"class_name": "Dropout", "config": {"rate": 0.25}},
    {"class_name": "Flatten", "config": {"data_format": "channels_first"}},
    {"class_name": "Dense", "config": {"name": "second", "units": 24, "activation": "silu",
     "use_bias": true, "kernel_initializer": {"class_name": "VarianceScaling",
     "config": {"scale": 1.0, "mode": "fan_in", "distribution": "uniform"}},
     "bias_initializer": {"class_name": "Constant", "config": {"value": 1.0}},
     "kernel_regularizer": null, "bias_regularizer": {"class_name": "L1L2",
     "config": {"l1": 0.125, "l2": 0.0}}, "activity_regularizer": {"class_name": "L1L2",
     "config": {"l1": 0.5, "l2": 0.0}}, "kernel_constraint": {"class_name": "UnitNorm",
     "config": {"axis": [0]}}, "bias_constraint": {"class_name": "MaxNorm",
     "config": {"max_value": 1.5, "axis": [0]}}}},
    {"class_name": "Reshape", "config": {"target_shape": [2, -1, 4]}},
    {"class_name": "Activation", "config": {"activation": "silu"}},
    {"class_name": "GlobalAveragePooling2D", "config": {}},
    {"class_name": "Activation", "config": {"activation": "gelu"}},
    {"class_name": "Dense", "config": {"units": 8, "activation": "tanh", "use_bias": true,
     "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0,
     "mode": "fan_avg", "distribution": "uniform"}},
     "bias_initializer": {"class_name": "Constant", "config": {"value": 0.0}},
     "kernel_regularizer": null, "bias_regularizer": null, "activity_regularizer": null,
     "kernel_constraint": null, "bias_constraint": null}},
    {"class_name": "Reshape", "config": {"target_shape": [1, 2, 4]}},
    {"class_name": "ReLU", "config": {}},
    {"class_name": "GlobalMaxPooling2D", "config": {}},
    {"class_name": "Activation", "config": {"activation": "tanh"}},
    {"class_name": "Dense", "config": {"units": 5, "activation": "linear", "use_bias": false,
     "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0,
     "mode": "fan_avg", "distribution": "uniform"}},
     "bias_initializer": {"class_name": "Constant", "config": {"value": 0.0}},
     "kernel_regularizer": null, "bias_regularizer": null, "activity_regularizer": null,
     "kernel_constraint": null, "bias_constraint": null}},
    {"class_name": "Activation", "config": {"activation": "sigmoid"}},
    {"class_name": "Dense", "config": {"units": 3, "activation": "linear", "use_bias": true,
     "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0,
     "mode": "fan_avg", "distribution": "uniform"}},
     "bias_initializer": {"class_name": "Constant", "config": {"value": 0.0}},
     "kernel_regularizer": null, "bias_regularizer": null, "activity_regularizer": null,
     "kernel_constraint": null, "bias_constraint": null}},
    {"class_name": "Softmax", "config": {}}
]}})";
    std::string expected;
    std::ranges::copy_if(accepted, std::back_inserter(expected),
                         [](char c) { return c != ' ' && c != '\n'; });
    const ModelForKeras declared = every_layer();
    const TemporaryFolder folder;
    save_model(built(declared.layers, declared.input), folder.path() / "m");
    const detail::SafetensorsFile file(folder.path() / "m");
    CHECK(file.metadata("architecture") == expected);
}

TEST_CASE("a model in double, and shapes of one sample from none to four axes") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    const Sequential<double> model{Input{{2, 1, 3, 2}}, Dense{3}, Flatten{}, Dense{2}};
    save_model(model, path);
    CHECK(identical(load_model<double>(path).arena(), model.arena()));
    CHECK(refusal(path) ==
          "holds numbers of type F64, not F32: load_model<float> reads F32, "
          "load_model<double> F64");
    const Sequential<float> scalar = built({ReLU{}}, {});
    CHECK(reloaded(scalar).input_shape() == Shape{});
}

TEST_CASE("a layer that is not weft's comes back when its type is named, and only then") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    const mine::Scale scale{.factor = 0.1, .mode = mine::Mode::add, .width = 3, .name = "shift"};
    const Sequential<float> model = built({Dense{2}, scale, mine::Scale{}}, {3});
    CHECK_THROWS_WITH_AS(save_model(model, path),
                         "save_model: layers of type Scale are not weft's; name the type: "
                         "save_model(model, path, {Scale{}})",
                         ArgumentError);
    save_model(model, path, {mine::Scale{}});
    const Sequential<float> copy = load_model<float>(path, {mine::Scale{}});
    REQUIRE(copy.declarations()[1].get_if<mine::Scale>() != nullptr);
    CHECK(*copy.declarations()[1].get_if<mine::Scale>() == scale);
    CHECK(copy.layer_name(2) == "scale");
    CHECK(refusal(path) ==
          "layer 2, Scale: its type is unknown; name it: load_model(path, {Scale{}})");
    const std::string bytes = contents_of(path);
    folder.file("m", with(bytes, R"(\"mode\":0)", R"(\"mode\":7)"));
    CHECK(refusal(path, {mine::Scale{}}) == "layer 2, Scale: mode is 7");
}

TEST_CASE("a layer without a field for its name keeps the one that set_name gave it") {
    using mine::Nameless;
    Layers layers{Nameless{2}, Nameless{3}};
    layers[1].set_name("mine");
    const Sequential<float> renamed = built(layers, {3});
    const TemporaryFolder folder;
    save_model(renamed, folder.path() / "m", {Nameless{}});
    const Model<float> copy = load_model<float>(folder.path() / "m", {Nameless{}});
    CHECK(copy.summary() == renamed.summary());
    CHECK(copy.summary().find("mine (Nameless)") != std::string::npos);
    CHECK(copy.declarations()[0].get_if<Nameless>()->factor == 2);
}

TEST_CASE("a loaded model can be trained, copied and saved again to the same bytes") {
    const TemporaryFolder folder;
    const Sequential<float> model = small_model();
    save_model(model, folder.path() / "a");
    Sequential<float> copy = load_model<float>(folder.path() / "a");
    save_model(copy, folder.path() / "b");
    CHECK(contents_of(folder.path() / "a") == contents_of(folder.path() / "b"));
    Trainer trainer(copy, {.loss = MeanSquaredError{}});
    const auto x = random_normal<float>({8, 3, 3, 1}, 1), y = random_normal<float>({8, 2}, 2);
    trainer.fit(x, y, {.epochs = 1, .verbosity = Verbosity::silent});
    CHECK_FALSE(identical(std::as_const(copy).arena(), model.arena()));
}

TEST_CASE("eight threads predict with one loaded model: the bits that one thread gives") {
    Sequential<float> model = reloaded(
        built({Conv2D{.filters = 6, .kernel_size = 3, .padding = same}, BatchNorm{}, ReLU{},
               MaxPool2D{}, Conv2D{.filters = 5, .kernel_size = 2, .activation = relu},
               Dropout{0.5}, Flatten{}, Dense{7, softmax}},
              {9, 10, 2}));
    const Tensor<float> x = random_uniform<float>({50, 9, 10, 2}, 0, -1, 1);
    model.set_device(Cpu(1));
    const Tensor<float> expected = model.predict(x);
    model.set_device(Cpu());
    const Sequential<float>& shared = model;
    std::array<int, 8> wrong{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t) {
        threads.emplace_back([&, t] {
            for (int repeat = 0; repeat < 10; ++repeat) {
                wrong[t] += !identical(shared.predict(x), expected);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == std::array<int, 8>{});
}

TEST_CASE("weights of a model's file go into a declared model") {
    const TemporaryFolder folder;
    const Sequential<float> model = small_model();
    save_model(model, folder.path() / "m");
    Sequential<float> other = model;
    std::ranges::fill(other.arena(), 0.0f);
    load_weights(other, folder.path() / "m");
    CHECK(
        identical(std::as_const(other).parameter("dense/kernel"), model.parameter("dense/kernel")));
}

TEST_CASE("what cannot be saved is refused before the old file is touched") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    CHECK_THROWS_AS(save_model(Sequential<float>{Dense{1}}, path), ArgumentError);
    CHECK_THROWS_WITH_AS(
        save_model(built({mine::Scale{.factor = std::numeric_limits<double>::infinity()}}, {2}),
                   path, {mine::Scale{}}),
        "save_model: JSON has no number for inf", ArgumentError);
    CHECK_THROWS_WITH_AS(save_model(built({ReLU{"\xff"}}, {2}), path),
                         "save_model: a name is not UTF-8 text", ArgumentError);
    CHECK_THROWS_AS(
        save_model(built({mine::Scale{.name = "self_test"}}, {2}), path, {mine::Scale{}}), Error);
    CHECK_FALSE(fs::exists(path));
}

TEST_CASE("the self-test finds parameters that are not those that were saved") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    save_model(small_model(), path);
    std::string bytes = contents_of(path);
    const std::string fails = "fails its self-test: the output differs from that saved by ";
    // The sign of the first weight of the convolution.
    std::string damaged = bytes;
    char& sign_byte = damaged[8 + header_size_of(bytes) + 3];
    sign_byte = static_cast<char>(sign_byte ^ 0x80);
    folder.file("m", damaged);
    CHECK(refusal(path).starts_with(fails + "weft " WEFT_VERSION));
    CHECK_NOTHROW(load_model<float>(path, {}, {.self_test = false}));
    // Of another build: the same, but for the last bits.
    const auto other_build = [&](const std::string& file) {
        return with(file, "weft 0", "WEFT 0");
    };
    folder.file("m", other_build(damaged));
    CHECK(refusal(path).starts_with(fails + "WEFT "));
    std::string last_bit = bytes;
    last_bit[last_bit.size() - 4] = static_cast<char>(last_bit[last_bit.size() - 4] ^ 1);
    folder.file("m", last_bit);
    CHECK(refusal(path).starts_with(fails));
    folder.file("m", other_build(last_bit));
    CHECK(refusal(path) == "nothing was thrown");
}

TEST_CASE("equal bits are asked for only of a build that is the same in every part") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    save_model(small_model(), path);
    const std::string bytes = contents_of(path);
    const std::string build(detail::SafetensorsFile(path).metadata("build"));
    REQUIRE(build == detail::build_text<float, Cpu>());
    std::string last_bit = bytes, wrong = bytes;
    last_bit[last_bit.size() - 4] = static_cast<char>(last_bit[last_bit.size() - 4] ^ 1);
    char& sign_byte = wrong[8 + header_size_of(bytes) + 3];
    sign_byte = static_cast<char>(sign_byte ^ 0x80);
    const auto loads = [&](const std::string& file, const std::string& by) {
        folder.file("m", with(file, build, by));
        return refusal(path) == "nothing was thrown";
    };
    // One part after another is another's: version, instruction set, compiler, Eigen, its options,
    // C library, arithmetic.
    std::size_t parts = 0;
    for (std::size_t begin = 0; begin < build.size(); ++parts) {
        const std::size_t end = std::min(build.find(", ", begin), build.size());
        std::string other = build;
        other[end - 1] = other[end - 1] == '1' ? '2' : '1';
        CAPTURE(other);
        CHECK(loads(bytes, other));
        CHECK(loads(last_bit, other));
        CHECK_FALSE(loads(wrong, other));
        begin = end + 2;
    }
    CHECK(parts >= 7);
    for (const char* part :
         {"weft " WEFT_VERSION, instruction_set, "Eigen 3.", "EIGEN_FAST_MATH ", "arithmetic "}) {
        CHECK(build.find(part) != std::string::npos);
    }
    CHECK(build.find("openmp") == std::string::npos);  // threads decide nothing
    // As builds before this one described themselves, and as none does.
    for (const std::string& other : {concat("weft " WEFT_VERSION ", ", build_description),
                                     build + ", fast math", std::string()}) {
        CAPTURE(other);
        CHECK(loads(bytes, other));
        CHECK(loads(last_bit, other));
        CHECK_FALSE(loads(wrong, other));
    }
    // What is known to be the same, where the C library says which it is.
    CHECK(loads(bytes, build));
    CHECK(loads(last_bit, build) == detail::c_library().empty());
    CHECK_FALSE(loads(wrong, build));
}

TEST_CASE("the check of arithmetic sees what no description of the build can") {
    const auto check = [] { return detail::compute_arithmetic_check<float, Cpu>(); };
    const std::uint32_t usual = check();
    CHECK(check() == usual);
    REQUIRE(std::fesetround(FE_UPWARD) == 0);
    const std::uint32_t upward = check();
    REQUIRE(std::fesetround(FE_TONEAREST) == 0);
    CHECK(upward != usual);
    CHECK(check() == usual);
    CHECK(detail::compute_arithmetic_check<double, Cpu>() != usual);
}

TEST_CASE("a parameter that is not finite is refused by name, unless told otherwise") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    Sequential<float> model = small_model();
    for (const float value :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
        model.parameter("batch_norm/moving_mean")[1] = value;
        save_model(model, path);
        CHECK(refusal(path) ==
              "batch_norm/moving_mean holds a NaN or an infinity; load_model(path, "
              "{}, {.allow_non_finite = true}) takes it");
        const Sequential<float> copy = load_model<float>(path, {}, {.allow_non_finite = true});
        CHECK(identical(copy.arena(), std::as_const(model).arena()));
    }
}

TEST_CASE("a newer format, and what is no model, are refused") {
    CHECK(refusal_with(R"("format_version":"1")", R"("format_version":"2")") ==
          "has format version 2, expected at most 1 for weft " WEFT_VERSION
          "; a newer weft reads it");
    for (const char* version : {"", "1.5", "-1", "0", "x", "99999999999"}) {
        CHECK(refusal_with(R"("format_version":"1")",
                           concat(R"("format_version":")", version, "\"")) ==
              concat("has the unknown format version ", version));
    }
    const std::string none =
        "is not a model that save_model wrote; load_weights reads weights alone";
    CHECK(refusal_with(R"("format":"weft")", R"("format":"pt")") == none);
    CHECK(refusal_with(R"("architecture":)", R"("architectura":)") == none);
    const TemporaryFolder folder;
    save_weights(small_model(), folder.path() / "w");
    CHECK(refusal(folder.path() / "w") == none);
    CHECK(refusal_with(R"("format":"weft")", R"("format":1)") ==
          "its metadata format is not a text");
}

TEST_CASE("an architecture that does not hold is refused with layer and field") {
    const auto field = [](const std::string& name, const std::string& from, const std::string& to) {
        return refusal_with("\\\"" + name + "\\\":" + from, "\\\"" + name + "\\\":" + to);
    };
    CHECK(field("units", "2", R"(\"2\")") == "layer 4, Dense: units is not a whole number");
    CHECK(field("units", "2", "0") == "layer 4, Dense: units is 0, expected at least 1");
    CHECK(field("units", "2", "9999999") == "is too small for the parameters of layer 4, Dense");
    CHECK(field("units", "2", "3") ==
          "dense/kernel has shape (8, 2), expected (8, 3); dense/bias "
          "has shape (2,), expected (3,)");
    CHECK(field("filters", "2", "1e3") == "layer 1, Conv2D: filters is not a whole number");
    CHECK(field("kernel_size", "[2,2]", "[2,2,2]") ==
          "layer 1, Conv2D: kernel_size is not two numbers");
    CHECK(field("kernel_size", "[2,2]", "[9,2]").find("height and width of at least") !=
          std::string::npos);
    CHECK(field("kernel_size", "[2,2]", "[9223372036854775807,2]").find("kernel_size is") !=
          std::string::npos);
    CHECK(field("padding", R"(\"valid\")", R"(\"full\")") ==
          "layer 1, Conv2D: padding is full, expected valid or same");
    CHECK(field("use_bias", "true", "1") == "layer 1, Conv2D: use_bias is neither true nor false");
    CHECK(field("class_name", R"(\"MaxNorm\")", R"(\"MinNorm\")") ==
          "layer 1, Conv2D: kernel_constraint: is of unknown type MinNorm");
    CHECK(field("axis", "[0,1,2]", "[0,1]") ==
          "layer 1, Conv2D: kernel_constraint: has a norm over other axes than weft's");
    CHECK(field("mode", R"(\"fan_avg\")", R"(\"fan\")") ==
          "layer 1, Conv2D: kernel_initializer: has an unknown mode fan");
    CHECK(field("data_format", R"(\"channels_last\")", R"(\"last\")") ==
          "layer 3, Flatten: data_format is last, expected channels_last or channels_first");
    CHECK(field("epsilon", "0.001", R"(0.001,\"fused\":true)") ==
          "layer 2, BatchNormalization: has a field fused, which its type does not have");
    CHECK(field("epsilon", "0.001", "1e999").find("is not JSON") != std::string::npos);
    CHECK(field("epsilon", "0.001", R"(1,\"epsilon\":2)") ==
          "its architecture cannot be read as JSON: it has epsilon twice");
    CHECK(field("epsilon", "0.001", std::string(200'000, '[')) ==
          "its architecture cannot be read as JSON: it nests deeper than 64 levels");
    CHECK(field("batch_shape", "[null,3,3,1]", "[null,3,3,3037000500,3037000500]").find("shape") !=
          std::string::npos);
    CHECK(field("batch_shape", "[null,3,3,1]", "[3,3,1]") ==
          "layer 0, InputLayer: is not an InputLayer with a batch_shape");
    CHECK(field("batch_shape", "[null,3,3,1]", "[null,9,1]") ==
          "self_test/input has shape (3, 3, 1), expected (9, 1)");
    CHECK(field("class_name", R"(\"Flatten\")", R"(\"Flattem\")") ==
          "layer 3, Flattem: its type is unknown; name it: load_model(path, "
          "{Flattem{}})");
    CHECK(field("class_name", R"(\"Sequential\")", R"(\"Subclassed\")") ==
          "its architecture is not that of a Sequential or Functional");
    CHECK(field("class_name", R"(\"Sequential\")", R"(\"Functional\")") ==
          "layer 0: has other fields than module, class_name, config, name and inbound_nodes");
}

TEST_CASE("a part of an architecture that has another type than its place wants is refused") {
    const auto refused = [](const std::string& from, const std::string& to,
                            const std::string& complaint) {
        CAPTURE(to);
        const std::string message = refusal_with(from, to);
        CHECK_MESSAGE(message.starts_with(complaint), message);
    };
    const std::string sequential = "its architecture is not that of a Sequential";
    const std::string first = R"(\"layers\":[{\"class_name\":\"InputLayer\")";
    refused(R"(\"class_name\":\"Sequential\")", R"(\"class_name\":7)", sequential);
    refused(R"(\"class_name\":\"Sequential\")", R"(\"class\":\"Sequential\")", sequential);
    refused(R"(\"layers\":[)", R"(\"layers\":7,\"others\":[)", sequential);
    refused(R"(\"layers\":[)", R"(\"layers\":[],\"others\":[)", sequential);
    refused(R"(\"layers\":[)", R"(\"others\":[)", sequential);
    const std::string other_fields = "layer 0 of its architecture has other fields than";
    refused(first, R"(\"layers\":[{\"class_name\":7)", other_fields);
    refused(first, R"(\"layers\":[{\"type\":\"InputLayer\")", other_fields);
    refused(first, R"(\"layers\":[{\"more\":1,\"class_name\":\"InputLayer\")", other_fields);
    refused(first, R"(\"layers\":[7,{\"class_name\":\"InputLayer\")", other_fields);
    const std::string no_input = "layer 0, InputLayer: is not an InputLayer with a batch_shape";
    const std::string batch_shape = R"(\"batch_shape\":[null,3,3,1])";
    for (const char* shape : {"7", "null", "[]", "[1,3,3,1]", "[null,3,3,1.5]", "[null,3,3,null]",
                              R"([null,3,3,\"1\"])", "[null,1,1,1,1,1,1,1,1,1]"}) {
        refused(batch_shape, concat(R"(\"batch_shape\":)", shape), no_input);
    }
    refused(batch_shape, R"(\"batch_shape\":[null,3,3,1],\"more\":1)", no_input);
    refused(batch_shape, R"(\"shape\":[null,3,3,1])", no_input);
    refused(batch_shape, R"(\"batch_shape\":[null,3,3,-1])", "layer 0, InputLayer: ");
    refused(R"(\"epsilon\":0.001)", R"(\"epsilon\":\"0.001\")",
            "layer 2, BatchNormalization: epsilon is not a number");
    refused(R"(\"epsilon\":0.001)", R"(\"epsilon\":true)",
            "layer 2, BatchNormalization: epsilon is not a number");
    refused(R"(\"epsilon\":0.001)", R"(\"epsilon\":0)",
            "layer 2, BatchNorm: epsilon is 0, expected a positive number");
    const std::string constraint = R"(\"kernel_constraint\":{\"class_name\":\"MaxNorm\")";
    const std::string in_constraint =
        "layer 1, Conv2D: kernel_constraint has other fields than class_name and config";
    refused(constraint, R"(\"kernel_constraint\":{\"class_name\":7)", in_constraint);
    refused(constraint, R"(\"kernel_constraint\":{\"type\":\"MaxNorm\")", in_constraint);
    refused(constraint, R"(\"kernel_constraint\":{\"more\":1,\"class_name\":\"MaxNorm\")",
            in_constraint);
    refused(R"(\"use_bias\":true)", R"(\"use_bias\":null)", "layer 1, Conv2D: use_bias is neither");
    refused(R"(\"padding\":\"valid\")", R"(\"padding\":0)",
            "layer 1, Conv2D: padding is not a text");
}

TEST_CASE("padding that is not two pairs of whole numbers is refused; without it, it is 1") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    save_model(built({ZeroPadding2D{}, Flatten{}}, {2, 2, 1}), path);
    const std::string bytes = contents_of(path);
    for (const char* padding :
         {"1", "[[1,1]]", "[[1,1],[1,1],[1,1]]", "[1,1]", "[[1,1],1]", "[[1,1],[1]]",
          "[[1,1],[1,1,1]]", "[[1.5,1],[1,1]]", "[[1,1],[1,true]]", "[[1,null],[1,1]]"}) {
        CAPTURE(padding);
        folder.file("m", with(bytes, "[[1,1],[1,1]]", padding));
        CHECK(refusal(path).starts_with("layer 1, ZeroPadding2D: padding is not "));
    }
    folder.file("m", with(bytes, R"(\"padding\":[[1,1],[1,1]])", ""));
    CHECK(load_model<float>(path).output_shape() == Shape{16});
}

TEST_CASE("the self-test takes what is not finite for equal, but not for a number") {
    const float infinite = std::numeric_limits<float>::infinity(), none = std::nanf("");
    const Tensor<float> numbers({3}, {1, 2, 3}), odd({3}, {1, none, 3}),
        more({3}, {1, infinite, 3});
    const auto agrees = [](const Tensor<float>& y, const Tensor<float>& expected) {
        return detail::agrees<float>(y, expected);
    };
    CHECK(agrees(numbers, numbers));
    CHECK(agrees(odd, odd));
    CHECK(agrees(odd, more));
    CHECK_FALSE(agrees(odd, numbers));
    CHECK_FALSE(agrees(numbers, odd));
    CHECK_FALSE(agrees(numbers, more));
    CHECK_FALSE(agrees(Tensor<float>({3}, {1.1f, none, 3}), odd));
    CHECK(agrees(Tensor<float>({3}, {1.0001f, none, 3}), odd));
}

TEST_CASE("layers that would make much of little are refused before memory is taken for it") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    save_model(built({ZeroPadding2D{}, Flatten{}}, {2, 2, 1}), path);
    const std::string bytes = contents_of(path);
    for (const char* padding : {"[[9999999,0],[0,1]]", "[[1073741824,0],[0,1073741824]]",
                                "[[9223372036854775807,1],[1,1]]"}) {
        CAPTURE(padding);
        folder.file("m", with(bytes, "[[1,1],[1,1]]", padding));
        CHECK(refusal(path) != "nothing was thrown");
    }
}

TEST_CASE("more layers than anyone builds are refused before they are built") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "m";
    save_model(built({ReLU{}}, {2}), path);
    const std::string relu_layer = R"({\"class_name\":\"ReLU\",\"config\":{}})";
    std::string many = relu_layer;
    for (int i = 0; i < 10'000; ++i) many += "," + relu_layer;
    folder.file("m", with(contents_of(path), relu_layer, many));
    CHECK(refusal(path) == "its architecture has more than 10000 layers");
}

TEST_CASE("any byte flipped, any end cut off: a typed error or a model, and little memory") {
    const TemporaryFolder folder;
    save_model(small_model(), folder.path() / "m");
    const std::string whole = contents_of(folder.path() / "m");
    std::size_t refused = 0, loaded = 0;
    const AllocationCounter whole_counter;
    load_model<float>(folder.path() / "m");
    const std::int64_t usual = whole_counter.bytes();  // 0 where they are not counted
    const auto check = [&](const std::string& bytes) {
        const fs::path path = folder.file("damaged", bytes);
        const AllocationCounter counter;
        try {
            load_model<float>(path);
            ++loaded;
        } catch (const IoError&) {
            ++refused;
        }
        CHECK(counter.bytes() < 2 * usual + 1);
    };
    for (std::size_t i = 0; i < whole.size(); ++i) {
        CAPTURE(i);
        for (const int mask : {0x01, 0x10, 0xff}) {
            std::string bytes = whole;
            bytes[i] = static_cast<char>(bytes[i] ^ mask);
            CHECK_NOTHROW(check(bytes));
        }
        CHECK_NOTHROW(check(whole.substr(0, i)));
    }
    // What is still a model: another name of the build, say, or a space more.
    CHECK(refused > 20 * loaded);
    CHECK(loaded > 0);
}

TEST_CASE("a file that is all header takes memory in proportion to its size") {
    const TemporaryFolder folder;
    const std::size_t size = 1'000'000;
    const auto filled = [&](const std::string& begin, const std::string& unit) {
        std::string json = begin;
        while (json.size() < size) json += unit;
        return folder.file("m", safetensors(json, ""));
    };
    using Text = std::pair<std::string, std::string>;
    for (const Text& text :
         {Text{"{\"a\":[", "1,"}, Text{"{\"a\":[", "[],"}, Text{"{\"a\":[", "{},"},
          Text{"{\"a\":[", "\"\","}, Text{"", "["}, Text{"{\"", "a"}, Text{"{\"a\":", "1"}}) {
        CAPTURE(text.first + text.second);
        const fs::path path = filled(text.first, text.second);
        const AllocationCounter counter;
        CHECK(refusal(path).find("JSON") != std::string::npos);
        CHECK(counter.bytes() < 64 * static_cast<std::int64_t>(size));
    }
}
