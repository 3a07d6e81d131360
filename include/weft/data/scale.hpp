/// \file
/// Scaling: pixels as floating-point numbers.
#pragma once

#include "weft/core/tensor.hpp"

#include <cmath>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace weft {

/// y = x / divisor, of the shape of x.
///
/// `scaled<float>(images, 255)` maps pixels to [0, 1], 255 to exactly 1, and gives the very numbers
/// of `(images / 255.0).astype("float32")` in NumPy: each quotient is correctly rounded, which
/// x * (1 / 255.f) is not. `scaled<float>(images, 1)` only converts.
/// Throws ArgumentError unless the divisor is finite and not zero.
template <std::floating_point Scalar>
Tensor<Scalar> scaled(TensorView<const std::uint8_t> x, std::type_identity_t<Scalar> divisor) {
    if (!std::isfinite(divisor) || divisor == 0) {
        throw ArgumentError(
            concat("scaled: divisor is ", divisor, ", expected a finite number other than 0"));
    }
    Tensor<Scalar> y(x.shape());
    Scalar* out = y.data();
    for (const std::uint8_t pixel : x) *out++ = static_cast<Scalar>(pixel) / divisor;
    return y;
}

}  // namespace weft
