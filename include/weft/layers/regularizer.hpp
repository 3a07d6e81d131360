/// \file
/// Regularizer: a penalty on the size of numbers.
#pragma once

namespace weft {

/// The penalty  l1 sum |x| + l2 sum x^2,  added to the loss; gradient l1 sign(x) + 2 l2 x.
/// For a parameter it counts once per batch; for the outputs of a layer it is divided by the batch
/// size, as in Keras.
struct Regularizer {
    double l1 = 0;  ///< finite, at least 0
    double l2 = 0;  ///< finite, at least 0

    constexpr explicit operator bool() const { return l1 != 0 || l2 != 0; }
    friend bool operator==(const Regularizer&, const Regularizer&) = default;
};

constexpr Regularizer l1(double factor = 0.01) { return {factor, 0}; }
constexpr Regularizer l2(double factor = 0.01) { return {0, factor}; }
constexpr Regularizer l1_l2(double l1 = 0.01, double l2 = 0.01) { return {l1, l2}; }

}  // namespace weft
