#include "tests/support/compare.hpp"
#include "weft/io/model_file.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("networks that Keras trained and wrote give Keras's outputs") {
    const std::filesystem::path folder = WEFT_SOURCE_DIR "/tests/reference";
    using Network = std::pair<const char*, Index>;
    for (const Network& network :
         {Network{"keras_mlp", 1210}, Network{"keras_cnn", 950}, Network{"keras_cnn_bn", 680}}) {
        CAPTURE(network.first);
        const auto path = folder / concat(network.first, ".safetensors");
        const Sequential<float> model = load_model<float>(path);
        CHECK(model.parameter_count() == network.second);
        detail::SafetensorsFile file(path);
        const auto x = detail::read_tensor<float>(file, "self_test/input", model.input_shape());
        const auto expected =
            detail::read_tensor<float>(file, "self_test/output", model.output_shape());
        const Tensor<float> y = model.predict(x);
        const float largest = std::ranges::max(expected);
        REQUIRE(largest > 0.1f);
        for (Index i = 0; i < y.size(); ++i) {
            CHECK(std::abs(y[i] - expected[i]) <= 1e-5f * largest);
        }
    }
}
