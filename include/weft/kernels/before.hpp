/// \file
/// Kernels of layers that also apply the derivative of the step before. Devices whose products can
/// do it in the same launch overload them, and declare it.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/kernels/convolution.hpp"

#include <type_traits>

namespace weft::kernels {

/// The steps that computed the input x of a layer:  x = act(z),  or a relu with dropout behind it,
/// x = m relu(z) / (1 - rate),  where m is 0 or 1.
struct Before {
    Activation activation;
    double dropout_rate;

    constexpr Before(Activation function = linear, double rate = 0)
        : activation(function), dropout_rate(rate) {}
    friend bool operator==(const Before&, const Before&) = default;

    constexpr double scale() const { return 1 / (1 - dropout_rate); }
};

/// Whether products of the device compute the steps before them in the same launch.
template <class Device>
constexpr bool fuses_products() {
    if constexpr (requires { Device::fuses_products; }) {
        return Device::fuses_products;
    } else {
        return false;
    }
}

/// Whether max pooling of the device computes a batch norm before it and dropout behind it in its
/// own passes.
template <class Device>
constexpr bool fuses_pools() {
    if constexpr (requires { Device::fuses_pools; }) {
        return Device::fuses_pools;
    } else {
        return fuses_products<Device>();
    }
}

namespace detail {
/// Views whose device follows from another argument, so arguments that convert to them are
/// accepted.
template <class Scalar, class Device>
using In = std::type_identity_t<TensorView<const Scalar, Device>>;
template <class Scalar, class Device>
using Out = std::type_identity_t<TensorView<Scalar, Device>>;
}  // namespace detail

/// dx = dL/dz from dx = dL/dx, for the step that computed x: for a relu, dx / (1 - rate) where
/// x > 0, else 0.
template <class Scalar, class Device>
void back_through(Device& device, const Before& before, detail::In<Scalar, Device> x,
                  detail::Out<Scalar, Device> dx) {
    if (!dx || before.activation == linear) return;
    if (before.dropout_rate > 0) {
        scale_and_offset<Scalar>(device, dx, static_cast<Scalar>(before.scale()), Scalar(0), dx);
    }
    activation_backward<Scalar>(device, before.activation, x, dx, dx);
}

/// dense_backward, with back_through applied to dx.
template <class Scalar, class Device>
requires(!fuses_products<Device>())
void dense_backward_through(Device& device, const Before& before, detail::In<Scalar, Device> x,
                            detail::In<Scalar, Device> w, detail::In<Scalar, Device> dz,
                            detail::Out<Scalar, Device> dw, detail::Out<Scalar, Device> db,
                            detail::Out<Scalar, Device> dx) {
    dense_backward<Scalar>(device, x, w, dz, dw, db, dx);
    back_through<Scalar>(device, before, x, dx);
}

/// convolution_filter_gradient; and if dx is wanted, convolution_input_gradient, with back_through
/// applied to dx.
template <class Scalar, class Device>
requires(!fuses_products<Device>())
void convolution_backward_through(Device& device, const Before& before, const Convolution& c,
                                  detail::In<Scalar, Device> x, detail::In<Scalar, Device> w,
                                  detail::In<Scalar, Device> g, detail::Out<Scalar, Device> dw,
                                  detail::Out<Scalar, Device> db, detail::Out<Scalar, Device> dx) {
    convolution_filter_gradient<Scalar>(device, c, x, g, dw, db);
    if (!dx) return;
    convolution_input_gradient<Scalar>(device, c, g, w, dx);
    back_through<Scalar>(device, before, x, dx);
}

}  // namespace weft::kernels
