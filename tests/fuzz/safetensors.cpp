// safetensors files: of weights, and of whole models.
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/mutate_safetensors.hpp"
#include "weft/io/model_file.hpp"
#include "weft/model/functional.hpp"

#include <vector>

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
    return weft::fuzz::mutate_safetensors(data, size, max_size, seed);
}

namespace weft::fuzz {

namespace {

using Declaration = LayerDeclaration<float, Cpu>;

Sequential<float> built(std::vector<Declaration> layers, const Shape& input) {
    Sequential<float> model(std::move(layers));
    model.build(input);
    return model;
}

/// What weights are loaded into.
const Sequential<float>& some_model() {
    static const Sequential<float> model = built({BatchNorm{}, Dense{2}}, {3});
    return model;
}

}  // namespace

void read(const std::filesystem::path& path, Bytes) {
    try_to([&] { load_model<float>(path); });
    try_to([&] {
        const auto model =
            load_model<float>(path, {}, {.self_test = false, .allow_non_finite = true});
        std::vector<Tensor<float>> xs;
        for (const Shape& shape : model.input_shapes()) xs.emplace_back(shape.batch(1));
        model.predict({xs.begin(), xs.end()});
    });
    try_to([&] {
        auto model = some_model();
        load_weights(model, path);
    });
    try_to([&] {
        auto model = some_model();
        load_weights(model, path, {.allow_non_finite = true});
    });
    try_to([&] {
        auto model = some_model();
        load_matching_weights(model, path);
    });
}

/// A convolution may make much of a small image: require_plausible.
std::size_t memory_limit(Bytes bytes) { return (std::size_t{1} << 20) + 8 * 1024 * bytes.size(); }

void write_seeds(const std::filesystem::path& folder) {
    save_weights(some_model(), folder / "weights");
    const auto save = [&](const char* name, std::vector<Declaration> layers, const Shape& input) {
        save_model(built(std::move(layers), input), folder / name);
    };
    save("dense", {Dense{.units = 2, .activation = gelu, .kernel_constraint = max_norm(3)}}, {3});
    save("regularized", {Dense{.units = 1, .kernel_regularizer = l1_l2(0.1, 0.2)}}, {2});
    save("initialized", {Dense{.units = 2, .bias_initializer = constant(3)}, Softmax{}}, {2, 2});
    save("conv", {Conv2D{.filters = 2, .kernel_size = 2, .strides = 2, .padding = same}},
         {3, 3, 2});
    save("grouped",
         {Conv2D{.filters = 2, .kernel_size = {1, 2}, .dilation_rate = {1, 2}, .groups = 2}},
         {2, 4, 2});
    save("max_pool", {MaxPool2D{}, BatchNorm{}, Dropout{0.5}, Flatten{}}, {4, 4, 1});
    save("average_pool", {AveragePool2D{.pool_size = 3, .padding = same}, Reshape{{2, 2}}},
         {4, 4, 1});
    save("global_pool", {GlobalAveragePool2D{}, ELU{}, SiLU{}}, {2, 2, 3});
    save("global_max_pool", {ZeroPadding2D{1}, GlobalMaxPool2D{}, Tanh{}}, {2, 1, 1});
    const auto x = input({2, 3});
    const SharedLayer<float, Cpu> shared(Dense{3});
    const auto y = x | shared;
    save_model(Model(x, add(x, y, y | ReLU{}) | Dense{1}), folder / "add");
    save_model(Model(x, concatenate(multiply(y | shared, x), y | BatchNorm{})), folder / "shared");
    const auto z = input({3}, "z");
    Model part({x, z}, {concatenate(y | Flatten{}, z), z | Dense{2}});
    part.set_name("part");
    save_model(part, folder / "several");
    const auto once = part.apply(std::vector{x, z});
    const Sequential<float> head{Dense{2}, ReLU{}};
    save_model(Model({x, z}, {part.apply(std::vector{x, z})[0], head(once[1]), x}),
               folder / "nested");
    save("elementwise", {Rescaling{0.5}, ReLU{}, LeakyReLU{}, Sigmoid{}, GELU{}}, {2});
}

}  // namespace weft::fuzz
