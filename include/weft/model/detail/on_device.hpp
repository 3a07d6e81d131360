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
        Tensor<Scalar, Device> input(x.shape(), model.device());
        copy_to_device<Scalar>(model.device(), x, input);
        const Tensor<Scalar, Device> output = model.predict(std::as_const(input).view());
        Tensor<Scalar> y(output.shape());
        copy_to_host<Scalar>(model.device(), output, y);
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
