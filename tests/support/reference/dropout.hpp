/// \file
/// Dropout by its definition: the same bits are kept on every device.
#pragma once

#include "tests/support/reference/device.hpp"
#include "weft/kernels/dropping.hpp"

namespace weft::kernels {

/// y_i = x_i / (1 - rate) if kept, else 0. With first + i = 64 q + 16 k + b, element i is kept if
/// word k of block 16 q + b of the random stream is at least rate 2^32, rounded down.
template <class Scalar>
void dropout_forward(Reference&, const Dropping& dropping, TensorView<const Scalar, Reference> x,
                     TensorView<Scalar, Reference> y) {
    const auto& [rate, stream, at_step, first, kept] = dropping;
    const RandomStream random = at_step == nullptr ? stream : stream.at_step(*at_step);
    const auto share = static_cast<Wide<Scalar>>(1 - rate);
    const auto threshold = static_cast<std::uint32_t>(rate * 0x1p32);
    for (Index i = 0; i < x.size(); ++i) {
        const Index at = first + i, q = at / 64, k = at % 64 / 16, b = at % 16;
        const auto words = random.block(static_cast<std::uint64_t>(16 * q + b));
        kept[i] = words[static_cast<std::size_t>(k)] >= threshold ? 1 : 0;
        y[i] = kept[i] != 0 ? static_cast<Scalar>(wide(x[i]) / share) : Scalar(0);
    }
}

/// dx_i = dy_i / (1 - rate) where kept, else 0.
template <class Scalar>
void dropout_backward(Reference&, const Dropping& dropping, TensorView<const Scalar, Reference> dy,
                      TensorView<Scalar, Reference> dx) {
    const auto share = static_cast<Wide<Scalar>>(1 - dropping.rate);
    for (Index i = 0; i < dy.size(); ++i) {
        dx[i] = dropping.kept[i] != 0 ? static_cast<Scalar>(wide(dy[i]) / share) : Scalar(0);
    }
}

}  // namespace weft::kernels
