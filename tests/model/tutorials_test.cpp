#include "examples/fashion_mnist/models.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace weft;

namespace {

Model<float> built(const std::string& id, const Shape& input) { return tutorial(id).build(input); }

/// Type, output shape and parameters of each layer: `Dense (None, 10) 1290`.
std::string rows(const Model<float>& model) {
    std::ostringstream text;
    for (std::size_t i = 0; i < model.layer_count(); ++i) {
        Index parameters = 0;
        const std::string prefix = model.layer_name(i) + "/";
        for (const ParameterInfo& parameter : model.parameters()) {
            if (parameter.name.starts_with(prefix)) parameters += parameter.slot.shape.size();
        }
        text << model.declarations()[i].type() << " "
             << model.layer(i).output_shape().to_batch_string() << " " << parameters << "\n";
    }
    return text.str();
}

}  // namespace

TEST_CASE("the tutorials' networks have the published rows") {
    CHECK(rows(built("mlp", {28, 28})) == R"(Flatten (None, 784) 0
Dense (None, 128) 100480
Dense (None, 10) 1290
)");
    CHECK(rows(built("mlp-wide", {28, 28})) == R"(Flatten (None, 784) 0
Dense (None, 256) 200960
Dense (None, 64) 16448
Dense (None, 10) 650
)");
    CHECK(rows(built("dense-on-rows", {28, 28})) == R"(Dense (None, 28, 128) 3712
Dense (None, 28, 64) 8256
Flatten (None, 1792) 0
Dense (None, 10) 17930
)");
    CHECK(rows(built("cnn", {28, 28, 1})) == R"(Conv2D (None, 28, 28, 32) 320
MaxPool2D (None, 14, 14, 32) 0
Flatten (None, 6272) 0
Dense (None, 128) 802944
Dense (None, 10) 1290
)");
    CHECK(rows(built("mlp-deep", {28, 28})) == R"(Flatten (None, 784) 0
Dense (None, 1000) 785000
Dropout (None, 1000) 0
Dense (None, 800) 800800
Dropout (None, 800) 0
Dense (None, 500) 400500
Dropout (None, 500) 0
Dense (None, 300) 150300
Dropout (None, 300) 0
Dense (None, 200) 60200
Dropout (None, 200) 0
Dense (None, 100) 20100
Dropout (None, 100) 0
Dense (None, 50) 5050
Dense (None, 10) 510
)");
    CHECK(rows(built("cnn-deep", {28, 28, 1})) == R"(Conv2D (None, 28, 28, 64) 320
BatchNorm (None, 28, 28, 64) 256
MaxPool2D (None, 14, 14, 64) 0
Dropout (None, 14, 14, 64) 0
Conv2D (None, 14, 14, 64) 16448
BatchNorm (None, 14, 14, 64) 256
MaxPool2D (None, 7, 7, 64) 0
Dropout (None, 7, 7, 64) 0
Conv2D (None, 7, 7, 128) 32896
BatchNorm (None, 7, 7, 128) 512
MaxPool2D (None, 3, 3, 128) 0
Dropout (None, 3, 3, 128) 0
Conv2D (None, 3, 3, 128) 65664
BatchNorm (None, 3, 3, 128) 512
MaxPool2D (None, 1, 1, 128) 0
Dropout (None, 1, 1, 128) 0
Flatten (None, 128) 0
Dense (None, 1024) 132096
Dense (None, 512) 524800
Dense (None, 256) 131328
Dropout (None, 256) 0
Dense (None, 10) 2570
)");
    CHECK(rows(built("cnn-bn", {28, 28, 1})) == R"(Conv2D (None, 28, 28, 32) 320
BatchNorm (None, 28, 28, 32) 128
Conv2D (None, 28, 28, 32) 9248
BatchNorm (None, 28, 28, 32) 128
MaxPool2D (None, 14, 14, 32) 0
Dropout (None, 14, 14, 32) 0
Conv2D (None, 12, 12, 64) 18496
BatchNorm (None, 12, 12, 64) 256
Conv2D (None, 10, 10, 64) 36928
BatchNorm (None, 10, 10, 64) 256
MaxPool2D (None, 5, 5, 64) 0
Dropout (None, 5, 5, 64) 0
Flatten (None, 1600) 0
Dense (None, 512) 819712
Dropout (None, 512) 0
Dense (None, 10) 5130
)");
    CHECK(rows(built("cnn-wide", {28, 28, 1})) == R"(Conv2D (None, 28, 28, 64) 640
Conv2D (None, 28, 28, 64) 36928
MaxPool2D (None, 14, 14, 64) 0
Conv2D (None, 14, 14, 128) 73856
Conv2D (None, 12, 12, 256) 295168
MaxPool2D (None, 6, 6, 256) 0
Flatten (None, 9216) 0
Dense (None, 512) 4719104
Dropout (None, 512) 0
Dense (None, 256) 131328
Dropout (None, 256) 0
Dense (None, 10) 2570
)");
}

TEST_CASE("the tutorials' networks have the published numbers of parameters") {
    const auto counts = [](const std::string& id, const Shape& input) {
        const Model<float> model = built(id, input);
        return std::pair(model.parameter_count(),
                         model.parameter_count() - model.trainable_parameter_count());
    };
    using Counts = std::pair<Index, Index>;  // all, and those that are not trained
    CHECK(counts("mlp", {28, 28}) == Counts{101'770, 0});
    CHECK(counts("mlp-wide", {28, 28}) == Counts{218'058, 0});
    CHECK(counts("dense-on-rows", {28, 28}) == Counts{29'898, 0});
    CHECK(counts("cnn", {28, 28, 1}) == Counts{804'554, 0});
    CHECK(counts("mlp-deep", {28, 28}) == Counts{2'222'460, 0});
    CHECK(counts("cnn-deep", {28, 28, 1}) == Counts{907'658, 768});
    CHECK(counts("cnn-bn", {28, 28, 1}) == Counts{890'602, 384});
    CHECK(counts("cnn-wide", {28, 28, 1}) == Counts{5'259'594, 0});
    CHECK(counts("resnet", {28, 28, 1}) == Counts{273'754, 1568});
    for (const Tutorial& known : tutorials()) {
        CHECK(counts(known.id, known.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28}).first ==
              known.parameters);
    }

    // cnn-bn as it was published: in colour, with 100 classes.
    auto layers = tutorial("cnn-bn").layers;
    layers.back() = Dense{100, softmax};
    Sequential<float> colour(layers);
    colour.build({28, 28, 3});
    CHECK(colour.parameter_count() == 937'348);
    CHECK(colour.parameter_count() - colour.trainable_parameter_count() == 384);
}
