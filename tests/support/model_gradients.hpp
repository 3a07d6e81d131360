/// \file
/// The gradients of a whole model against central differences, on any device.
#pragma once

#include "tests/support/special_values.hpp"
#include "weft/core/staging.hpp"
#include "weft/model/model.hpp"
#include "weft/testing/gradient_check.hpp"

#include <algorithm>

namespace weft {

/// Whether the gradients of all parameters are central differences of L = sum(r f(x)), for three
/// samples and random parameters.
template <class Device>
Verdict has_numerical_gradients(Model<double, Device>& model) {
    using View = TensorView<const double, Device>;
    constexpr Index samples = 3;
    constexpr PassOptions in_training{.training = true, .seed = 4, .step = 5};
    const Device& device = model.device();
    const auto x = on_device<double>(device, random_normal(model.input_shape().batch(samples), 1));
    const auto r = random_normal(model.output_shape().batch(samples), 3);
    const Shape shape = model.trainable_parameters().shape();
    Tensor<double> parameters = random_normal(shape, 2, 0.6);
    auto workspace = model.make_workspace(samples, PassKind::training);
    const auto outputs = [&] {
        copy_to_device<double>(device, parameters, model.trainable_parameters());
        return Tensor<double>(
            on_host<double>(device, model.forward(workspace, View(x), in_training)));
    };
    outputs();
    copy_to_device<double>(device, r, model.output_gradient(workspace, samples));
    Tensor<double> not_written(shape);
    std::ranges::fill(not_written, not_a_number<double>);
    auto gradients = on_device<double>(device, not_written);
    model.backward(workspace, View(x), in_training, gradients);
    const Tensor<double> ours(on_host<double>(device, View(gradients)));
    Verdict verdict;
    for (const ParameterInfo& parameter : model.parameters()) {
        const auto& [offset, parameter_shape, is_trainable] = parameter.slot;
        if (!is_trainable) continue;
        const auto expected =
            numerical_gradient({parameters.data() + offset, parameter_shape}, r, outputs);
        const TensorView<const double> gradient(ours.data() + offset, parameter_shape);
        verdict.add(parameter.name, largest_gap(gradient, expected), gradient_tolerance);
    }
    return verdict;
}

}  // namespace weft
