/// \file
/// Models that are no chain, for the tests of what is done with models.
#pragma once

#include "tests/support/random_tensor.hpp"
#include "weft/weft.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// Two residual blocks, one with a projection; batch norms and dropouts.
template <class Scalar = float>
Model<Scalar> residual_model() {
    const auto conv = [](Index filters, Index strides, Index size = 3) {
        return Conv2D{.filters = filters, .kernel_size = size, .strides = strides, .padding = same};
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

/// Two images into one network, and two answers: a class and a number.
template <class Scalar = float>
Model<Scalar> two_by_two_model() {
    const auto a = input<Scalar, Cpu>({5, 4, 2}, "left"), b = input<Scalar, Cpu>({5, 4, 2});
    const auto z = input<Scalar, Cpu>({3}, "size");
    const SharedLayer<Scalar, Cpu> conv(Conv2D{.filters = 3, .kernel_size = 3, .padding = same});
    const auto x = concatenate(a | conv, b | conv) | BatchNorm{} | ReLU{};
    const auto flat = concatenate(x | GlobalAveragePool2D{} | Dropout{0.3}, z);
    return {{a, b, z},
            {flat | Dense{.units = 3, .activation = softmax, .name = "kind"},
             flat | Dense{4, relu} | BatchNorm{} | Dense{.units = 2, .name = "place"}}};
}

/// Data for two_by_two_model.
struct TwoByTwo {
    Tensor<float> left, right, size, place;
    std::vector<std::uint8_t> kind;

    explicit TwoByTwo(Index n)
        : left(random_normal<float>({n, 5, 4, 2}, 1)),
          right(random_normal<float>({n, 5, 4, 2}, 2)),
          size(random_normal<float>({n, 3}, 3)),
          place(random_normal<float>({n, 2}, 4)) {
        for (Index i = 0; i < n; ++i) kind.push_back(static_cast<std::uint8_t>(i % 3));
    }
    operator Examples<float>() const { return {{left, right, size}, {kind, place}}; }
};

/// An encoder of two outputs that is applied twice, in front of a head that is a Sequential.
template <class Scalar = float>
Model<Scalar> nested_model() {
    const auto x = input<Scalar, Cpu>({4});
    const auto y = x | Dense{5} | BatchNorm{} | ReLU{};
    Model<Scalar> encoder(x, {y | Dense{3, weft::tanh}, y | Dense{2}});
    encoder.set_name("encoder");
    const Sequential<Scalar> head{Dense{4}, BatchNorm{}, Dropout{0.2}, Dense{3, softmax}};
    const auto a = input<Scalar, Cpu>({4}, "a"), b = input<Scalar, Cpu>({4}, "b");
    const auto first = encoder.apply(std::vector{a}), second = encoder.apply(std::vector{b});
    return {{a, b},
            {head(concatenate(first[0], second[1])),
             concatenate(first[1], second[0]) | Dense{.units = 2, .name = "distance"}}};
}

/// A model with a merge in a model behind other layers; it is applied twice and is an output.
template <class Scalar = float>
Model<Scalar> inner_outputs_model() {
    const auto z = input<Scalar, Cpu>({3});
    Model<Scalar> block(z, add(z, z | Dense{3} | BatchNorm{} | Tanh{}));
    block.set_name("sequential_7");  // as if it were counted
    const Sequential<Scalar> chain{Dense{.units = 2, .activation = weft::tanh}};
    const auto x = input<Scalar, Cpu>({4}, "input_layer_4");
    const auto once = block(x | Dense{3} | BatchNorm{} | ReLU{}), twice = block(once);
    return {x, {once, chain(twice), twice, chain(once)}};
}

template <class Scalar = float>
std::vector<std::pair<std::string, Model<Scalar>>> multi_models() {
    return {{"two_by_two", two_by_two_model<Scalar>()},
            {"nested", nested_model<Scalar>()},
            {"inner_outputs", inner_outputs_model<Scalar>()}};
}

}  // namespace weft
