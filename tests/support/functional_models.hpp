/// \file
/// Models that are no chain, for the tests of what is done with models.
#pragma once

#include "weft/weft.hpp"

#include <string>
#include <utility>
#include <vector>

namespace weft {

/// Two residual blocks, one with a projection; batch norms and dropouts.
template <class Scalar = float>
Model<Scalar> residual_model() {
    const auto conv = [](Index filters, Index strides, Index size = 3) {
        return Conv2D{
            .filters = filters, .kernel_size = size, .strides = strides, .padding = same};
    };
    const auto x = input<Scalar, Cpu>({6, 5, 2});
    auto y = x | conv(3, 1) | BatchNorm{} | ReLU{};
    y = add(y, y | conv(3, 1) | BatchNorm{} | Dropout{0.3}) | ReLU{};
    y = add(y | conv(4, 2) | BatchNorm{}, y | conv(4, 2, 1) | BatchNorm{}) | ReLU{};
    return {x, y | GlobalAveragePool2D{} | Dropout{0.5} | Dense{3, softmax}};
}

/// A layer that is applied three times, and all merges.
template <class Scalar = float>
Model<Scalar> shared_model() {
    const auto x = input<Scalar, Cpu>({2, 3});
    const SharedLayer<Scalar, Cpu> tower(
        Dense{.units = 3, .activation = weft::tanh, .name = "tower"});
    const auto once = x | tower, twice = once | tower;
    const auto rows = merge<Scalar, Cpu>(Concatenate{.axis = 1, .name = "rows"}, {x, twice, once});
    const auto all = concatenate(multiply(x, once), x | Dense{4, silu} | Dense{3} | tower, x);
    return {x, concatenate(rows | Flatten{}, all | Flatten{}) | Dense{3, softmax}};
}

template <class Scalar = float>
std::vector<std::pair<std::string, Model<Scalar>>> functional_models() {
    return {{"residual", residual_model<Scalar>()}, {"shared", shared_model<Scalar>()}};
}

}  // namespace weft
