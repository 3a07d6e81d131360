/// \file
/// Models whose files Keras has to take, with all of weft's layers.
#pragma once

#include "weft/cpu.hpp"
#include "weft/io/layer_formats.hpp"
#include "weft/model/sequential.hpp"

#include <string>
#include <vector>

namespace weft {

/// A model's layers, not built yet.
struct ModelForKeras {
    std::string name;
    Shape input;
    std::vector<LayerDeclaration<float, Cpu>> layers;
};

/// Every layer of weft's in one model, most options at other values than their defaults.
inline ModelForKeras every_layer() {
    return {"every_layer",
            {9, 8, 2},
            {Rescaling{.scale = 0.5, .offset = -0.125},
             ZeroPadding2D{.before = {1, 0}, .after = {2, 1}},  // (12, 9, 2)
             Conv2D{.filters = 4,
                    .kernel_size = {3, 2},
                    .strides = {2, 1},
                    .padding = same,
                    .groups = 2,
                    .activation = gelu,
                    .kernel_initializer = he_normal,
                    .bias_initializer = constant(0.5),
                    .kernel_regularizer = l1_l2(0.25, 0.5),
                    .activity_regularizer = l2(0.125),
                    .kernel_constraint = max_norm(2.5),
                    .bias_constraint = non_negative,
                    .name = "first"},  // (6, 9, 4)
             BatchNorm{.momentum = 0.75, .epsilon = 0.0625},
             LeakyReLU{.negative_slope = 0.25},
             MaxPool2D{.pool_size = {2, 3}, .strides = {1, 2}},  // (5, 4, 4)
             Conv2D{.filters = 6, .kernel_size = 2, .dilation_rate = {1, 2}, .use_bias = false},
             BatchNorm{.center = false, .scale = false},  // (4, 2, 6)
             ELU{.alpha = 0.5},
             AveragePool2D{.pool_size = {2, 1}, .strides = 1, .padding = same},
             Dropout{.rate = 0.25},
             Flatten{.data_format = channels_first},
             Dense{.units = 24,
                   .activation = silu,
                   .kernel_initializer = lecun_uniform,
                   .bias_initializer = ones,
                   .bias_regularizer = l1(0.125),
                   .activity_regularizer = l1(0.5),
                   .kernel_constraint = unit_norm,
                   .bias_constraint = max_norm(1.5),
                   .name = "second"},
             Reshape{.target_shape = {2, -1, 4}},
             SiLU{},
             GlobalAveragePool2D{},
             GELU{},
             Dense{8, weft::tanh},
             Reshape{.target_shape = {1, 2, 4}},
             ReLU{},
             GlobalMaxPool2D{},
             Tanh{},
             Dense{.units = 5, .use_bias = false},
             Sigmoid{},
             Dense{3},
             Softmax{}}};
}

/// That model, and small ones, in which little lies between a wrong number and the output.
inline std::vector<ModelForKeras> models_for_keras() {
    std::vector<ModelForKeras> models{
        every_layer(),
        {"convolutions",
         {9, 8, 4},
         {Conv2D{.filters = 6, .kernel_size = {2, 3}, .padding = same, .groups = 2},
          Conv2D{.filters = 5,
                 .kernel_size = {3, 2},
                 .strides = {2, 3},
                 .padding = same,
                 .activation = leaky_relu(0.125)},
          Conv2D{.filters = 3, .kernel_size = 2, .padding = same, .dilation_rate = {2, 1}}}},
        {"max_pools",
         {9, 8, 3},
         {MaxPool2D{.pool_size = {3, 2}, .strides = {1, 2}, .padding = same},
          MaxPool2D{.pool_size = 3, .strides = 2}, GlobalMaxPool2D{}}},
        {"average_pools",
         {9, 8, 3},
         {AveragePool2D{.pool_size = {3, 2}, .strides = {2, 1}, .padding = same}, AveragePool2D{},
          GlobalAveragePool2D{}}},
        {"norms",
         {4, 3, 2},
         {BatchNorm{}, BatchNorm{.center = false}, BatchNorm{.epsilon = 1e-5, .scale = false},
          BatchNorm{.center = false, .scale = false}}},
        {"shapes",
         {3, 4, 2},
         {ZeroPadding2D{.before = {0, 1}, .after = {2, 3}}, Flatten{channels_first},
          Reshape{{8, -1}}, Dense{3}, Flatten{}}},
        {"dense_on_rows", {4, 6}, {Dense{3, elu}, BatchNorm{}, Flatten{}, Dense{2}}},
    };
    for (const Activation activation :
         {linear, relu, sigmoid, weft::tanh, softmax, leaky_relu, elu, gelu, silu}) {
        models.push_back(
            {concat("dense_", to_string(activation)), {5}, {Dense{7, activation}, Dense{3}}});
    }
    using Layers = std::vector<LayerDeclaration<float, Cpu>>;
    for (const auto& activation : Layers{LeakyReLU{.negative_slope = 0.1}, ELU{.alpha = 0.75},
                                         ReLU{}, GELU{}, SiLU{}, Sigmoid{}, Tanh{}, Softmax{}}) {
        models.push_back(
            {concat("layer_", activation.type()), {5}, {Dense{7}, activation, Dense{3}}});
    }
    return models;
}

}  // namespace weft
