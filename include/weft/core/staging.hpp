/// \file
/// Copies between host and device, left out where the device's memory is the host's.
#pragma once

#include "weft/core/tensor.hpp"

#include <type_traits>
#include <utility>

namespace weft {

/// The elements of x, readable by the host: a view of x if the device's memory is the host's, else
/// a copy in a Tensor<Scalar>.
template <class Scalar, class Device>
auto on_host(const Device& device, std::type_identity_t<TensorView<const Scalar, Device>> x) {
    if constexpr (Device::is_host) {
        return TensorView<const Scalar>(x.data(), x.shape());
    } else {
        Tensor<Scalar> copy(x.shape());
        copy_to_host<Scalar>(device, x, copy);
        return copy;
    }
}

/// A copy of the host's x in the device's memory.
template <class Scalar, class Device>
Tensor<Scalar, Device> on_device(const Device& device,
                                 std::type_identity_t<TensorView<const Scalar>> x) {
    Tensor<Scalar, Device> copy(x.shape(), device);
    copy_to_device<Scalar>(device, x, copy);
    return copy;
}

/// Moves x to another device of the same type, by way of the host. Does nothing if both share
/// memory.
template <class Scalar, class Device>
void move_tensor(Tensor<Scalar, Device>& x, const Device& from, const Device& to) {
    if constexpr (!Device::is_host) {
        if (!(from == to)) x = on_device<Scalar>(to, on_host<Scalar>(from, x));
    }
}

/// Calls write(TensorView<Scalar>), which fills x. If the device's memory is the host's, it gets x
/// itself; else a tensor of zeros, which is then copied to x unless write throws.
template <class Scalar, class Device, class Write>
void write_on_host(const Device& device, TensorView<Scalar, Device> x, const Write& write) {
    if constexpr (Device::is_host) {
        write(TensorView<Scalar>(x.data(), x.shape()));
    } else {
        Tensor<Scalar> values(x.shape());
        write(values.view());
        copy_to_device<Scalar>(device, values, x);
    }
}

/// A tensor that host and device exchange repeatedly: one writes it, the other reads it. One tensor
/// if the device's memory is the host's, else one on each side.
template <class Scalar, class Device>
class StagedTensor {
public:
    StagedTensor(const Shape& shape, const Device& device) : values_(shape, device) {
        if constexpr (!Device::is_host) host_ = Tensor<Scalar>(shape);
    }

    /// The host's side.
    TensorView<Scalar> host() {
        if constexpr (Device::is_host) {
            return {values_.data(), values_.shape()};
        } else {
            return host_;
        }
    }

    /// The tensor, where the host's is the device's; else null.
    Tensor<Scalar>* shared() {
        if constexpr (std::is_convertible_v<decltype(&values_), Tensor<Scalar>*>) {
            return &values_;
        } else {
            return nullptr;
        }
    }

    /// Copies the first n samples from host to device.
    void send(const Device& device, Index n) {
        if constexpr (!Device::is_host) {
            copy_to_device<Scalar>(device, host_.slice(0, n), values_.slice(0, n));
        }
    }

    /// Copies all samples from device to host.
    void fetch(const Device& device) {
        if constexpr (!Device::is_host) {
            copy_to_host<Scalar>(device, std::as_const(values_).view(), host_);
        }
    }

    const Shape& shape() const { return values_.shape(); }

    /// The device's side.
    Scalar* data() { return values_.data(); }
    const Scalar* data() const { return values_.data(); }

    /// Samples [first, first + count) on the device.
    TensorView<Scalar, Device> slice(Index first, Index count) {
        return values_.slice(first, count);
    }

private:
    struct Nothing {};

    Tensor<Scalar, Device> values_;
    [[no_unique_address]] std::conditional_t<Device::is_host, Nothing, Tensor<Scalar>> host_;
};

}  // namespace weft
