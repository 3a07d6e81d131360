/// \file
/// ParameterCheck: whether parameters became numbers that are not finite.
#pragma once

#include "weft/training/detail/find_non_finite.hpp"
#include "weft/training/detail/tally.hpp"

#include <string>

namespace weft::detail {

/// Looks through a model's parameters, but not through those that no optimiser touches if some of
/// them were not finite at the beginning.
template <class Scalar, class Device>
class ParameterCheck {
public:
    WEFT_COLD ParameterCheck(Model<Scalar, Device>& model, Device& device)
        : model_(model), was_wrong_(Shape{1}, device) {
        check(device, model_.arena(), was_wrong_.data(), nullptr);
    }

    /// Marks those that are not finite.
    WEFT_COLD void run(Device& device, double* wrong) const {
        check(device, model_.trainable_parameters(), wrong, nullptr);
        check(device, model_.arena(), wrong, was_wrong_.data());
    }

    /// The name of one, a trainable one if there is.
    WEFT_COLD std::string find(Device& device) const {
        const std::string trained = find_non_finite_parameter(device, model_, true);
        return trained.empty() ? find_non_finite_parameter(device, model_, false) : trained;
    }

private:
    /// Threads are not worth their start, so seldom is it looked for: the pass is as small as they
    /// come.
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
