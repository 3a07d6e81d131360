#include "tests/support/compare.hpp"
#include "weft/io/model_file.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("networks that Keras trained and wrote give Keras's outputs") {
    const std::filesystem::path folder = WEFT_SOURCE_DIR "/tests/reference";
    for (const auto& [name, parameters] : {std::pair<const char*, Index>{"keras_mlp", 1210},
                                           {"keras_cnn", 950},
                                           {"keras_cnn_bn", 680}}) {
        CAPTURE(name);
        const auto path = folder / concat(name, ".safetensors");
        const Sequential<float> model = load_model<float>(path);
        CHECK(model.parameter_count() == parameters);
        detail::SafetensorsFile file(path);
        const auto x =
            detail::read_tensor<float, Cpu>(file, "self_test/input", model.input_shape());
        const auto expected =
            detail::read_tensor<float, Cpu>(file, "self_test/output", model.output_shape());
        const Tensor<float> y = model.predict(x);
        const float largest = std::ranges::max(expected);
        REQUIRE(largest > 0.1f);
        for (Index i = 0; i < y.size(); ++i) {
            CHECK(std::abs(y[i] - expected[i]) <= 1e-5f * largest);
        }
    }
}
