/// \file
/// Kernels of layers that apply the dropout behind them as they store their output.
#pragma once

#include "weft/core/random.hpp"
#include "weft/kernels/before.hpp"
#include "weft/kernels/window.hpp"

#include <cstdint>

namespace weft::kernels {

/// A dropout: its rate and random numbers, and the memory that dropout_backward reads. Kernels that
/// can tell dropped elements otherwise need not write it.
struct Dropping {
    double rate = 0;  ///< 0: nothing is dropped
    RandomStream random{0, RandomPurpose::layer};
    const std::uint32_t* at_step = nullptr;
    Index first = 0;
    std::uint8_t* kept = nullptr;

    explicit operator bool() const { return rate > 0; }
};

/// The dropout, in y.
template <class Scalar, class Device>
void drop(Device& device, const Dropping& dropping, detail::Out<Scalar, Device> y) {
    dropout_forward<Scalar>(device, dropping, y, y);
}

/// dense_forward with an activation that is elementwise, and dropout in y.
template <class Scalar, class Device>
requires(!fuses_products<Device>())
void dense_forward_dropping(Device& device, detail::In<Scalar, Device> x,
                            detail::In<Scalar, Device> w, detail::In<Scalar, Device> b,
                            Activation activation, const Dropping& dropping,
                            detail::Out<Scalar, Device> y) {
    dense_forward<Scalar>(device, x, w, b, activation, y);
    drop<Scalar>(device, dropping, y);
}

/// max_pool_forward, and dropout in y.
template <class Scalar, class Tap, class Device>
requires(!fuses_products<Device>())
void max_pool_forward_dropping(Device& device, const Window2D& window, const Dropping& dropping,
                               detail::In<Scalar, Device> x, detail::Out<Scalar, Device> y,
                               Tap* taps) {
    max_pool_forward<Scalar>(device, window, x, y, taps);
    drop<Scalar>(device, dropping, y);
}

/// Its gradient: dropout_backward on dy, in place, then max_pool_backward to dx.
template <class Scalar, class Tap, class Device>
requires(!fuses_products<Device>())
void max_pool_backward_dropping(Device& device, const Window2D& window, const Dropping& dropping,
                                detail::In<Scalar, Device> y, detail::Out<Scalar, Device> dy,
                                const Tap* taps, detail::Out<Scalar, Device> dx) {
    dropout_backward<Scalar>(device, dropping, dy, dy);
    max_pool_backward<Scalar>(device, window, y, dy, taps, dx);
}

}  // namespace weft::kernels
