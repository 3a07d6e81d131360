/// \file
/// What a model does between memory of the host's and its device's.
#pragma once

#include "weft/core/staging.hpp"

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

}  // namespace weft::detail
