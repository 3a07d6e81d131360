// The networks of the published Fashion-MNIST tutorials, by the names docs/tutorials.md gives them.
#pragma once

#include <weft/weft.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

/// A tutorial's network and how the tutorial trains it.
struct Tutorial {
    using Layers = std::vector<weft::LayerDeclaration<float, weft::Cpu>>;

    std::string id;
    Layers layers = {};                              ///< of a network that is a chain, or
    std::function<weft::Model<float>()> graph = {};  ///< what makes one that is none
    weft::Index parameters;                          ///< as published
    weft::Index epochs;
    weft::Index batch_size = 32;
    bool is_convolutional = false;  ///< takes (28, 28, 1), not (28, 28)
    float pixel_divisor = 255;      ///< 255 maps pixels to [0, 1]; 1 leaves them as they are
    std::string optimizer = "adam";
    double learning_rate = 0;  ///< of the optimiser; 0: its default
    std::string schedule = "constant";
    double validation_share = 0;     ///< of the training set, held back and evaluated each epoch
    bool validates_on_test = false;  ///< the test set is evaluated each epoch; it decides nothing
    weft::Index patience = 0;  ///< epochs without a lower val_loss before training ends; 0: never
    bool augment = false;      ///< train on pictures changed at random (augment.hpp)

    /// The network for samples of that shape, built from the seed.
    weft::Model<float> build(const weft::Shape& sample, std::uint64_t seed = 0) const {
        weft::Model<float> model = graph ? graph() : weft::Sequential<float>(layers);
        model.build(sample, seed);
        return model;
    }
};

/// Throws ArgumentError for a name that no tutorial has.
inline Tutorial tutorial(const std::string& id);

inline Tutorial::Layers mlp_deep_layers() {
    using namespace weft;
    Tutorial::Layers layers{Flatten{}};
    for (const Index units : {1000, 800, 500, 300, 200, 100}) {
        layers.push_back(Dense{units, relu});
        layers.push_back(Dropout{0.2});
    }
    layers.push_back(Dense{50, relu});
    layers.push_back(Dense{10, softmax});
    return layers;
}

inline Tutorial::Layers cnn_deep_layers() {
    using namespace weft;
    Tutorial::Layers layers;
    for (const Index filters : {64, 64, 128, 128}) {
        layers.push_back(
            Conv2D{.filters = filters, .kernel_size = 2, .padding = same, .activation = relu});
        layers.push_back(BatchNorm{});
        layers.push_back(MaxPool2D{});
        layers.push_back(Dropout{0.3});
    }
    layers.push_back(Flatten{});
    for (const Index units : {1024, 512, 256}) layers.push_back(Dense{units, relu});
    layers.push_back(Dropout{0.5});
    layers.push_back(Dense{10, softmax});
    return layers;
}

/// Two convolutions of 3 x 3, each with a batch norm.
inline void add_convolutions(Tutorial::Layers& layers, weft::Index filters, weft::Padding padding,
                             weft::Regularizer kernel_regularizer = {}) {
    using namespace weft;
    for (int i = 0; i < 2; ++i) {
        layers.push_back(Conv2D{.filters = filters,
                                .kernel_size = 3,
                                .padding = padding,
                                .activation = relu,
                                .kernel_initializer = he_uniform,
                                .kernel_regularizer = kernel_regularizer});
        layers.push_back(BatchNorm{});
    }
}

inline Tutorial::Layers cnn_bn_layers() {
    using namespace weft;
    Tutorial::Layers layers;
    for (const auto& [filters, padding] : {std::pair<Index, Padding>{32, same}, {64, valid}}) {
        add_convolutions(layers, filters, padding);
        layers.push_back(MaxPool2D{});
        layers.push_back(Dropout{0.25});
    }
    layers.push_back(Flatten{});
    layers.push_back(Dense{.units = 512, .activation = relu, .kernel_initializer = he_uniform});
    layers.push_back(Dropout{0.5});
    layers.push_back(Dense{10, softmax});
    return layers;
}

inline Tutorial::Layers cnn_wide_layers() {
    using namespace weft;
    const auto convolution = [](Index filters, Padding padding) {
        return Conv2D{.filters = filters, .kernel_size = 3, .padding = padding, .activation = relu};
    };
    return {convolution(64, same),
            convolution(64, same),
            MaxPool2D{},
            convolution(128, same),
            convolution(256, valid),
            MaxPool2D{},
            Flatten{},
            Dense{512, relu},
            Dropout{0.5},
            Dense{256, relu},
            Dropout{0.5},
            Dense{10, softmax}};
}

/// No tutorial's, but a network for pictures that are changed at random: three pairs of
/// convolutions, and the mean over the image instead of wide dense layers. Its pictures differ in
/// each epoch and its weights are kept small, so it needs no dropout.
inline Tutorial::Layers cnn_augmented_layers() {
    using namespace weft;
    Tutorial::Layers layers;
    for (const Index filters : {32, 64, 128}) {
        add_convolutions(layers, filters, same, l2(0.00025));
        layers.push_back(filters < 128 ? Tutorial::Layers::value_type(MaxPool2D{})
                                       : GlobalAveragePool2D{});
    }
    layers.push_back(Dense{10, softmax});
    return layers;
}

/// ResNet-20 of He et al. 2015, section 4.2, for pictures of one channel: three stages of three
/// blocks of two convolutions, around which their input goes straight on. Where a stage halves the
/// image and doubles the filters, it goes through a convolution of 1 x 1 (option B).
inline weft::Model<float> resnet() {
    using namespace weft;
    const auto convolution = [](Index filters, Index size, Index strides = 1) {
        return Conv2D{.filters = filters,
                      .kernel_size = size,
                      .strides = strides,
                      .padding = same,
                      .use_bias = false,
                      .kernel_initializer = he_normal,
                      .kernel_regularizer = l2(0.00005)};
    };
    const Value x = input({28, 28, 1});
    Value y = x | convolution(16, 3) | BatchNorm{} | ReLU{};
    for (const Index filters : {16, 32, 64}) {
        for (int block = 0; block < 3; ++block) {
            const bool is_change = block == 0 && filters > 16;
            const Value start = y;
            y = y | convolution(filters, 3, is_change ? 2 : 1) | BatchNorm{} | ReLU{};
            y = y | convolution(filters, 3) | BatchNorm{};
            y = add(y, is_change ? start | convolution(filters, 1, 2) | BatchNorm{} : start);
            y = y | ReLU{};
        }
    }
    return {x, y | GlobalAveragePool2D{} | Dense{10, softmax}};
}

inline std::vector<Tutorial> tutorials() {
    using namespace weft;
    return {
        {.id = "mlp",
         .layers = {Flatten{}, Dense{128, relu}, Dense{10, softmax}},
         .parameters = 101'770,
         .epochs = 5},
        {.id = "mlp-wide",
         .layers = {Flatten{}, Dense{256, relu}, Dense{64, relu}, Dense{10, softmax}},
         .parameters = 218'058,
         .epochs = 30},
        {.id = "dense-on-rows",
         .layers = {Dense{128, relu}, Dense{64, relu}, Flatten{}, Dense{10, softmax}},
         .parameters = 29'898,
         .epochs = 10,
         .pixel_divisor = 1},
        {.id = "cnn",
         .layers = {Conv2D{.filters = 32, .kernel_size = 3, .padding = same, .activation = relu},
                    MaxPool2D{}, Flatten{}, Dense{128, relu}, Dense{10, softmax}},
         .parameters = 804'554,
         .epochs = 5,
         .is_convolutional = true,
         .validates_on_test = true},
        {.id = "mlp-deep",
         .layers = mlp_deep_layers(),
         .parameters = 2'222'460,
         .epochs = 500,
         .batch_size = 500,
         .validation_share = 0.2,
         .patience = 50},
        {.id = "cnn-deep",
         .layers = cnn_deep_layers(),
         .parameters = 907'658,
         .epochs = 500,
         .batch_size = 500,
         .is_convolutional = true,
         .validation_share = 0.2,
         .patience = 50},
        {.id = "cnn-bn",
         .layers = cnn_bn_layers(),
         .parameters = 890'602,
         .epochs = 30,
         .is_convolutional = true,
         .optimizer = "sgd",
         .schedule = "cosine"},
        {.id = "cnn-wide",
         .layers = cnn_wide_layers(),
         .parameters = 5'259'594,
         .epochs = 10,
         .batch_size = 100,
         .is_convolutional = true},
        {.id = "cnn-augmented",
         .layers = cnn_augmented_layers(),
         .parameters = 289'514,
         .epochs = 25,
         .batch_size = 64,
         .is_convolutional = true,
         .optimizer = "sgd",
         .learning_rate = 0.05,
         .schedule = "cosine",
         .augment = true},
        {.id = "resnet",
         .graph = resnet,
         .parameters = 273'754,
         .epochs = 25,
         .batch_size = 64,
         .is_convolutional = true,
         .optimizer = "sgd",
         .learning_rate = 0.05,
         .schedule = "cosine",
         .augment = true},
    };
}

inline Tutorial tutorial(const std::string& id) {
    const auto all = tutorials();
    const auto found = std::ranges::find(all, id, &Tutorial::id);
    if (found == all.end()) throw weft::ArgumentError("no tutorial is named " + id);
    return *found;
}
