/// \file
/// Layers and losses against reference cases.
#pragma once

#include "tests/support/compare.hpp"
#include "tests/support/reference.hpp"
#include "tests/support/single_layer.hpp"
#include "weft/kernels/cpu/penalty.hpp"
#include "weft/testing/evaluate_loss.hpp"

namespace weft {

/// How close to a reference value a result has to be.
struct Bound {
    double gap;
    double floor;
};

/// Keras computed in double as well, from the same bits, so that only the order of sums and the
/// last bits of exp, log and tanh differ: 2^-53 each, on a few dozen terms near 1, so 1e-15
/// absolute, to which the floor of 1e-3 lends a gap of 1e-12.
inline constexpr Bound same_in_double{1e-12, gap_floor};

/// In float the inputs themselves are rounded, by 2^-24 each, and a result of sums that cancel is
/// off by as much as their terms are: a few dozen terms near 1 give 1e-6 absolute. Hence the floor
/// of 1.
inline constexpr Bound same_in_float{1e-5, 1};

template <class Scalar>
constexpr Bound same_as_reference =
    sizeof(Scalar) == sizeof(double) ? same_in_double : same_in_float;

/// Checks y for the case's x, dx for its dy, and the gradient "d<name>" of each trainable
/// parameter, all parameters having the case's values.
template <class Scalar>
Verdict matches_reference(const LayerDeclaration<Scalar, Cpu>& declaration,
                          const ReferenceCase& expected) {
    constexpr Bound bound = same_as_reference<Scalar>;
    const auto x = reference_tensor<Scalar>(expected.at("x"));
    SingleLayer<Scalar> layer(declaration, x.shape().sample());
    const auto name_of = [](const ParameterInfo& info) {
        return info.name.substr(info.name.rfind('/') + 1);
    };
    for (const ParameterInfo& info : layer.parameters()) {
        const Tensor<Scalar> value = reference_tensor<Scalar>(expected.at(name_of(info)));
        if (value.shape() != info.slot.shape) {
            return {concat(info.name, " has shape ", info.slot.shape, ", in the reference ",
                           value.shape())};
        }
        std::ranges::copy(value, layer.parameter(info).begin());
    }

    Verdict verdict;
    const auto check = [&](const std::string& field, const auto& actual) {
        const auto value = reference_tensor(expected.at(field));
        verdict.add(field, largest_gap(actual, value, bound.floor), bound.gap);
    };
    const auto y = layer.forward(x);
    check("y", y);
    check("dx", layer.backward(x, y, reference_tensor<Scalar>(expected.at("dy"))));
    for (const ParameterInfo& info : layer.parameters()) {
        if (info.slot.trainable) check(concat("d", name_of(info)), layer.gradient(info));
    }
    return verdict;
}

/// Checks the loss of each sample, which is the mean of its rows, then the mean loss and the
/// gradient, weighted where the case has weights of its samples. A weight, below 3, scales value
/// and error alike.
template <class Scalar>
Verdict matches_reference(const LossDeclaration<Scalar, Cpu>& loss, const ReferenceCase& expected) {
    constexpr Bound bound = same_as_reference<Scalar>;
    const auto predictions = reference_tensor<Scalar>(expected.at("predictions"));
    auto result =
        evaluate_loss(loss, predictions, reference_tensor<Scalar>(expected.at("targets")));

    const Index samples = predictions.shape()[0];
    const Index rows = result.losses.size() / samples;
    Tensor<double> per_sample({samples});
    for (Index i = 0; i < result.losses.size(); ++i) {
        per_sample[i / rows] += static_cast<double>(result.losses[i]) / static_cast<double>(rows);
    }
    if (expected.has("sample_weight")) {
        Cpu cpu(1);
        const auto weights = reference_tensor<Scalar>(expected.at("sample_weight"));
        kernels::weight_rows<Scalar>(cpu, weights, result.losses, result.gradient);
    }
    Verdict verdict;
    const auto check = [&](const std::string& field, const auto& actual) {
        const auto value = reference_tensor(expected.at(field));
        verdict.add(field, largest_gap(actual, value, bound.floor), bound.gap);
    };
    check("per_sample", per_sample);
    check("dpredictions", result.gradient);
    const double loss_gap = relative_gap(result.mean(), expected.at("loss"), bound.floor);
    verdict.add("loss", Gap{loss_gap}, bound.gap);
    return verdict;
}

}  // namespace weft
