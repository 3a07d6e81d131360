/// \file
/// ParameterCheck: finds parameters that became NaN or infinite.
#pragma once

#include "weft/training/detail/find_non_finite.hpp"
#include "weft/training/detail/tally.hpp"

#include <string>

namespace weft::detail {

/// Checks a model's parameters; but those that are not trained only if all of them were finite at
/// the beginning.
template <class Scalar, class Device>
class ParameterCheck {
public:
    WEFT_COLD ParameterCheck(Model<Scalar, Device>& model, Device& device)
        : model_(model), was_wrong_(Shape{1}, device) {
        check(device, model_.arena(), was_wrong_.data(), nullptr);
    }

    /// Marks the tally if a parameter is not finite.
    WEFT_COLD void run(Device& device, double* wrong) const {
        check(device, model_.trainable_parameters(), wrong, nullptr);
        check(device, model_.arena(), wrong, was_wrong_.data());
    }

    /// The name of a parameter that is not finite, a trainable one if possible.
    WEFT_COLD std::string find(Device& device) const {
        const std::string trained = find_non_finite_parameter(device, model_, true);
        return trained.empty() ? find_non_finite_parameter(device, model_, false) : trained;
    }

private:
    /// Checks are rare, so threads are not worth starting: the pass declares the smallest work.
    WEFT_COLD static void check(Device& device, TensorView<const Scalar, Device> numbers,
                                double* wrong, const double* unless) {
        run_pass(device, 1, [&] {
            check_finite<Scalar>(device, numbers, mark(Wrong::parameter), wrong, unless);
        });
    }

    Model<Scalar, Device>& model_;
    Tensor<double, Device> was_wrong_;  ///< the mark of the beginning
};

}  // namespace weft::detail
