/// \file
/// The host's way to numbers on a device: no copy where the device's memory is the host's.
#pragma once

#include "weft/core/tensor.hpp"

#include <type_traits>
#include <utility>

namespace weft {

/// The elements of x where the host can read them: x itself where the device's memory is the
/// host's, else a Tensor<Scalar> with a copy.
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

/// A tensor of the device's with the elements of the host's x.
template <class Scalar, class Device>
Tensor<Scalar, Device> on_device(const Device& device,
                                 std::type_identity_t<TensorView<const Scalar>> x) {
    Tensor<Scalar, Device> copy(x.shape(), device);
    copy_to_device<Scalar>(device, x, copy);
    return copy;
}

/// Moves x to another device of the same kind, by way of the host. It stays where it is if they
/// share memory.
template <class Scalar, class Device>
void move_tensor(Tensor<Scalar, Device>& x, const Device& from, const Device& to) {
    if constexpr (!Device::is_host) {
        if (!(from == to)) x = on_device<Scalar>(to, on_host<Scalar>(from, x));
    }
}

/// Lets write(TensorView<Scalar>) write all elements of x: into x itself where the device's memory
/// is the host's, else into zeros, which then go to the device. If it throws, they do not.
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

/// A tensor that one of host and device writes and the other then reads, again and again: one
/// tensor where the device's memory is the host's, else one on either side.
template <class Scalar, class Device>
class StagedTensor {
public:
    StagedTensor(const Shape& shape, const Device& device) : values_(shape, device) {
        if constexpr (!Device::is_host) host_ = Tensor<Scalar>(shape);
    }

    /// Where the host writes.
    TensorView<Scalar> host() {
        if constexpr (Device::is_host) {
            return {values_.data(), values_.shape()};
        } else {
            return host_;
        }
    }

    /// Brings the first n samples that the host wrote to the device.
    void send(const Device& device, Index n) {
        if constexpr (!Device::is_host) {
            copy_to_device<Scalar>(device, host_.slice(0, n), values_.slice(0, n));
        }
    }

    /// Brings all that the device has to the host.
    void fetch(const Device& device) {
        if constexpr (!Device::is_host) {
            copy_to_host<Scalar>(device, std::as_const(values_).view(), host_);
        }
    }

    const Shape& shape() const { return values_.shape(); }

    /// On the device.
    Scalar* data() { return values_.data(); }
    const Scalar* data() const { return values_.data(); }

    /// What the device reads.
    TensorView<Scalar, Device> slice(Index first, Index count) {
        return values_.slice(first, count);
    }

private:
    struct Nothing {};

    Tensor<Scalar, Device> values_;
    [[no_unique_address]] std::conditional_t<Device::is_host, Nothing, Tensor<Scalar>> host_;
};

}  // namespace weft
