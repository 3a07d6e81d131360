/// \file
/// What a model does between memory of the host's and its device's.
#pragma once

#include "weft/core/staging.hpp"

#include <span>
#include <vector>

namespace weft::detail {

/// model.predict(x), from and to memory of the host's.
template <class Scalar, template <class, class> class Of, class Device>
Tensor<Scalar> predict_on_host(const Of<Scalar, Device>& model, TensorView<const Scalar> x) {
    if constexpr (std::same_as<Device, Cpu>) {
        return model.predict(x);
    } else {
        // A part after the other: all of x may be more than the device has memory for.
        constexpr Index at_once = 8192;
        const bool are_many = x.shape().rank() > 0 && x.shape()[0] > at_once &&
                              x.shape().sample() == model.input_shape();
        const Index samples = are_many ? x.shape()[0] : 1, most = are_many ? at_once : 1;
        Tensor<Scalar> y;
        for (Index first = 0; first < samples; first += most) {
            const auto part = are_many ? x.slice(first, (std::min)(most, samples - first)) : x;
            Tensor<Scalar, Device> input(part.shape(), model.device());
            copy_to_device<Scalar>(model.device(), part, input);
            const Tensor<Scalar, Device> output = model.predict(std::as_const(input).view());
            if (first == 0) {
                y = Tensor<Scalar>(are_many ? output.shape().sample().batch(samples)
                                            : output.shape());
            }
            copy_to_host<Scalar>(model.device(), output,
                                 are_many ? y.slice(first, output.shape()[0]) : y.view());
        }
        return y;
    }
}

/// The same for several inputs or outputs.
template <class Scalar, template <class, class> class Of, class Device>
WEFT_COLD std::vector<Tensor<Scalar>> predict_on_host(
    const Of<Scalar, Device>& model, const std::vector<TensorView<const Scalar>>& xs) {
    if constexpr (std::same_as<Device, Cpu>) {
        return model.predict(xs);
    } else {
        std::vector<Tensor<Scalar, Device>> inputs;
        std::vector<TensorView<const Scalar, Device>> views;
        for (const TensorView<const Scalar>& x : xs) {
            copy_to_device<Scalar>(model.device(), x,
                                   inputs.emplace_back(x.shape(), model.device()));
            views.push_back(std::as_const(inputs.back()));
        }
        std::vector<Tensor<Scalar>> ys;
        for (const auto& output : model.predict(std::move(views))) {
            copy_to_host<Scalar>(model.device(), output, ys.emplace_back(output.shape()));
        }
        return ys;
    }
}

}  // namespace weft::detail
