/// \file
/// Initializer: the initial values of a parameter.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/tensor_view.hpp"

#include <cmath>

namespace weft {

/// The fans of a parameter: the number of inputs that an output sums over, and the reverse. As in
/// Keras: (in, out) has fans in and out; a convolution's kernel (h, w, in, out) has h w in and h w
/// out; a vector (n) has n and n.
struct Fans {
    double in = 1;   ///< inputs of one output
    double out = 1;  ///< outputs that one input reaches
};

WEFT_COLD inline Fans fans_of(const Shape& shape) {
    if (shape.rank() == 0) return {};
    if (shape.rank() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
    double receptive_field = 1;
    for (Index axis = 0; axis < shape.rank() - 2; ++axis) {
        receptive_field *= static_cast<double>(shape[axis]);
    }
    return {receptive_field * static_cast<double>(shape[shape.rank() - 2]),
            receptive_field * static_cast<double>(shape.last())};
}

/// The initial values of a parameter: constant, or random with a variance scaled to its fans,
///
///   variance = scale / n,   n = fan_in, or (fan_in + fan_out) / 2,
///
/// uniform in (-a, a) with a = sqrt(3 variance), or normal truncated at two deviations. The
/// deviation is corrected: the variance holds after truncation. Plain data.
/// Sources: Glorot and Bengio 2010, eq. 16; He et al. 2015, eq. 10; LeCun et al. 1998.
struct Initializer {
    enum class Kind { constant, uniform, truncated_normal };
    enum class Fan { in, average };

    Kind kind = Kind::constant;  ///< the distribution
    Fan fan = Fan::in;           ///< what divides the variance
    double value = 0;            ///< the constant, or the scale of the variance

    friend bool operator==(const Initializer&, const Initializer&) = default;

    /// Fills x; element i takes number i of the random stream.
    template <class Scalar>
    void fill(TensorView<Scalar> x, const RandomStream& random) const {
        const Fans fans = fans_of(x.shape());
        const double n = fan == Fan::in ? fans.in : (fans.in + fans.out) / 2;
        const double variance = value / (std::max)(1.0, n);
        const double limit = std::sqrt(3 * variance);
        const double deviation = std::sqrt(variance) / 0.87962566103423978;
        for (Index i = 0; i < x.size(); ++i) {
            const auto index = static_cast<std::uint64_t>(i);
            double number = value;
            if (kind == Kind::uniform) number = random.uniform(index, -limit, limit);
            if (kind == Kind::truncated_normal) number = deviation * random.truncated_normal(index);
            x[i] = static_cast<Scalar>(number);
        }
    }
};

/// All elements have the same value.
constexpr Initializer constant(double value) { return {.value = value}; }

inline constexpr Initializer zeros = constant(0);
inline constexpr Initializer ones = constant(1);
inline constexpr Initializer glorot_uniform{Initializer::Kind::uniform, Initializer::Fan::average,
                                            1};
inline constexpr Initializer glorot_normal{Initializer::Kind::truncated_normal,
                                           Initializer::Fan::average, 1};
inline constexpr Initializer he_uniform{Initializer::Kind::uniform, Initializer::Fan::in, 2};
inline constexpr Initializer he_normal{Initializer::Kind::truncated_normal, Initializer::Fan::in,
                                       2};
inline constexpr Initializer lecun_uniform{Initializer::Kind::uniform, Initializer::Fan::in, 1};
inline constexpr Initializer lecun_normal{Initializer::Kind::truncated_normal, Initializer::Fan::in,
                                          1};

}  // namespace weft
