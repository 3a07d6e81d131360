/// \file
/// Arguments of optimiser kernels, the same on every device.
#pragma once

#include "weft/kernels/tally.hpp"

namespace weft::kernels {

/// The step of an update: its numbers, on the device, and the place in the tally that stops it.
/// With a factor, also on the device, each gradient is multiplied by it first.
template <class Numbers>
struct DeviceStep {
    const Numbers* numbers;
    const double* wrong = nullptr;
    const double* factor = nullptr;

    constexpr bool is_stopped() const { return kernels::is_stopped(wrong); }
};

/// The numbers of one step of SGD that do not differ between parameters.
template <class Scalar>
struct SGDStep {
    Scalar learning_rate;
    Scalar momentum = 0;
};

/// The numbers of one Adam step that do not differ between parameters.
template <class Scalar>
struct AdamStep {
    Scalar alpha;   ///< learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)
    Scalar rate_1;  ///< 1 - beta_1, subtracted in double: it would lose digits in float
    Scalar rate_2;  ///< 1 - beta_2, likewise
    Scalar epsilon;
    Scalar decay = 0;  ///< learning_rate * weight_decay, of AdamW
};

/// The numbers of one RMSprop step that do not differ between parameters.
template <class Scalar>
struct RMSpropStep {
    Scalar learning_rate;
    Scalar rate;  ///< 1 - rho, subtracted in double
    Scalar momentum;
    Scalar epsilon;
};

}  // namespace weft::kernels
