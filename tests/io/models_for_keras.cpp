// Writes the files that tests/reference/model_files.py rebuilds in Keras:
//   models_for_keras DIR     DIR/NAME.safetensors for each of models_for_keras.hpp
#include "tests/io/models_for_keras.hpp"

#include "tests/support/functional_models.hpp"
#include "tests/support/models_once.hpp"

#include "weft/io/model_file.hpp"

#include <algorithm>
#include <iostream>

namespace {

using namespace weft;

/// The model with parameters as training leaves them: none of them zero, no two alike.
Model<float> with_numbers(Model<float> model) {
    const RandomStream random(1, RandomPurpose::user);
    std::uint64_t draw = 0;
    for (const ParameterInfo& parameter : model.parameters()) {
        const bool is_positive =
            parameter.name.ends_with("/gamma") || parameter.name.ends_with("/moving_variance");
        const double least = is_positive ? 0.5 : -1;
        for (float& x : model.parameter(parameter.name)) {
            x = static_cast<float>(random.uniform(draw++, least, least + 2));
        }
    }
    return model;
}

Model<float> built(const ModelForKeras& declared) {
    Sequential<float> model(declared.layers);
    model.build(declared.input, 1);
    return with_numbers(std::move(model));
}

/// Throws ArgumentError when a layer of weft's is in none of the models.
void require_every_type(const std::vector<Model<float>>& models) {
    for (const LayerFormat<float>& format : weft_layer_formats<float>()) {
        const auto has_it = [&](const Model<float>& model) {
            const auto is_it = [&](const auto& layer) { return layer.type() == format.type(); };
            return std::ranges::any_of(model.declarations(), is_it);
        };
        if (!std::ranges::any_of(models, has_it)) {
            throw ArgumentError(concat("no model has a ", format.type()));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    try {
        const std::filesystem::path directory = argv[1];
        std::filesystem::create_directories(directory);
        std::vector<Model<float>> models;
        const auto save = [&](const std::string& name, Model<float> model) {
            save_model(model, directory / (name + ".safetensors"));
            models.push_back(std::move(model));
        };
        for (const ModelForKeras& model : models_for_keras()) save(model.name, built(model));
        for (auto& [name, model] : functional_models()) save(name, with_numbers(std::move(model)));
        for (auto& [name, model] : multi_models()) save(name, with_numbers(std::move(model)));
        require_every_type(models);
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
