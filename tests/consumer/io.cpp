/// \file
/// A program that asks for the component io: saves the weights of a model and loads them.
#include <weft/io/weights.hpp>
#include <weft/weft.hpp>

int main() {
    weft::Sequential<float> model{weft::Input{{3}}, weft::Dense{2}}, copy = model;
    copy.parameter("dense/kernel")(0, 0) = 7;
    weft::save_weights(model, "model.safetensors");
    weft::load_weights(copy, "model.safetensors");
    std::filesystem::remove("model.safetensors");
    return copy.parameter("dense/kernel")(0, 0) == model.parameter("dense/kernel")(0, 0) ? 0 : 1;
}
