/// \file
/// Prediction from and to host memory, for models on other devices.
#pragma once

#include "weft/core/staging.hpp"

#include <span>
#include <vector>

namespace weft::detail {

/// model.predict(x), from and to host memory. Nothing is copied where the device's memory is that.
template <class Scalar, template <class, class> class Of, class Device>
Tensor<Scalar> predict_on_host(const Of<Scalar, Device>& model, TensorView<const Scalar> x) {
    if constexpr (Device::is_host) {
        Tensor<Scalar> y(model.prediction_shape(x.shape()));
        model.predict(TensorView<const Scalar, Device>(x.data(), x.shape()),
                      TensorView<Scalar, Device>(y.data(), y.shape()));
        return y;
    } else {
        const Device& device = model.device();
        const auto predict = [&](TensorView<const Scalar> part) {
            const Tensor<Scalar, Device> input = on_device<Scalar>(device, part);
            const Tensor<Scalar, Device> output = model.predict(input.view());
            return Tensor<Scalar>(on_host<Scalar>(device, output));
        };
        // Part by part: all of x may exceed the device's memory.
        constexpr Index at_once = 8192;
        const bool are_many = x.shape().rank() > 0 && x.shape()[0] > at_once &&
                              x.shape().sample() == model.input_shape();
        if (!are_many) return predict(x);
        const Index samples = x.shape()[0];
        Tensor<Scalar> y(model.output_shape().batch(samples));
        for (Index first = 0; first < samples; first += at_once) {
            const Tensor<Scalar> part =
                predict(x.slice(first, (std::min)(at_once, samples - first)));
            std::copy(part.begin(), part.end(), y.slice(first, part.shape()[0]).begin());
        }
        return y;
    }
}

/// The same for several inputs or outputs. Copies them, also where the device's memory is the host's.
template <class Scalar, template <class, class> class Of, class Device>
WEFT_COLD std::vector<Tensor<Scalar>> predict_on_host(
    const Of<Scalar, Device>& model, const std::vector<TensorView<const Scalar>>& xs) {
    std::vector<Tensor<Scalar, Device>> inputs;
    std::vector<TensorView<const Scalar, Device>> views;
    for (const TensorView<const Scalar>& x : xs) {
        inputs.push_back(on_device<Scalar>(model.device(), x));
        views.push_back(std::as_const(inputs.back()));
    }
    std::vector<Tensor<Scalar>> ys;
    for (const auto& output : model.predict(std::move(views))) {
        copy_to_host<Scalar>(model.device(), output, ys.emplace_back(output.shape()));
    }
    return ys;
}

}  // namespace weft::detail
