/// \file
/// A program that asks for the component io: saves a model and its weights, and loads them.
#include <weft/io/model_file.hpp>
#include <weft/weft.hpp>

int main() {
    weft::Sequential<float> model{weft::Input{{3}}, weft::Dense{2}}, copy = model;
    copy.parameter("dense/kernel")(0, 0) = 7;
    weft::save_weights(model, "model.safetensors");
    weft::load_weights(copy, "model.safetensors");
    weft::save_model(copy, "model.safetensors");
    weft::Sequential<float> loaded = weft::load_model<float>("model.safetensors");
    std::filesystem::remove("model.safetensors");
    return loaded.parameter("dense/kernel")(0, 0) == model.parameter("dense/kernel")(0, 0) ? 0 : 1;
}
