/// \file
/// What a model does between memory of the host's and its device's.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/kernels/device.hpp"
#include "weft/layers/parameter.hpp"

namespace weft::detail {

/// Gives a model's parameters their first values, each from a random stream of its own.
template <class Scalar, template <class, class> class Model, class Device>
WEFT_COLD void initialize(Model<Scalar, Device>& model, std::uint64_t seed) {
    kernels::require_device<Device, Scalar>();
    std::uint32_t stream = 0;
    for (const ParameterInfo& parameter : model.parameters()) {
        const RandomStream random(seed, RandomPurpose::initializer, stream++);
        write_on_host(model.device(), model.view(parameter.slot),
                      [&](auto values) { parameter.initializer.fill(values, random); });
    }
}

/// x in the memory of another device of the same kind. Host memory is everywhere the same.
template <class Scalar, class Device>
WEFT_COLD void move_to(const Device& to, const Device& from, Tensor<Scalar, Device>& x) {
    if constexpr (!Device::is_host) {
        Tensor<Scalar, Device> moved(x.shape(), to);
        copy_to_device<Scalar>(to, on_host<Scalar>(from, x), moved);
        x = std::move(moved);
    }
}

/// model.predict(x), from and to memory of the host's.
template <class Scalar, template <class, class> class Model, class Device>
Tensor<Scalar> predict_on_host(const Model<Scalar, Device>& model, TensorView<const Scalar> x) {
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
