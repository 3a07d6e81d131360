/// \file
/// What a floating-point type has besides its numbers.
#pragma once

#include <limits>

namespace weft {

template <class Scalar = double>
inline constexpr Scalar not_a_number = std::numeric_limits<Scalar>::quiet_NaN();

template <class Scalar = double>
inline constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();

/// The gap between 1 and the next number.
template <class Scalar>
inline constexpr double eps = static_cast<double>(std::numeric_limits<Scalar>::epsilon());

}  // namespace weft
