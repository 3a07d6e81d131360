/// \file
/// The numbers that optimiser kernels take, the same on every device.
#pragma once

namespace weft::kernels {

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
