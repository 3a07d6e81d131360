// The networks of the published Fashion-MNIST tutorials, by the names docs/tutorials.md gives them.
#pragma once

#include <weft/weft.hpp>

#include <string>
#include <vector>

/// A tutorial's network and how the tutorial trains it.
struct Tutorial {
    std::string id;
    std::string description;
    std::vector<weft::LayerDeclaration<float, weft::Cpu>> layers;
    weft::Index parameters;  ///< as published
    weft::Index epochs;
    weft::Index batch_size;
    float pixel_divisor;  ///< 255 maps pixels to [0, 1]; 1 leaves them as they are
};

inline std::vector<Tutorial> tutorials() {
    using namespace weft;
    return {
        {"mlp",
         "Flatten, Dense 128, Dense 10",
         {Flatten{}, Dense{128, relu}, Dense{10, softmax}},
         101'770,
         5,
         32,
         255},
        {"mlp-wide",
         "Flatten, Dense 256, 64, 10",
         {Flatten{}, Dense{256, relu}, Dense{64, relu}, Dense{10, softmax}},
         218'058,
         30,
         32,
         255},
        {"dense-on-rows",
         "Dense 128 and 64 on each image row, Flatten, Dense 10; pixels not scaled",
         {Dense{128, relu}, Dense{64, relu}, Flatten{}, Dense{10, softmax}},
         29'898,
         10,
         32,
         1},
    };
}
