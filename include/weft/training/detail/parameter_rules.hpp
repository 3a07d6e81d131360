/// \file
/// Penalties, limits of gradients, and constraints: the parts of a training step beside the
/// optimiser.
#pragma once

#include "weft/core/span.hpp"
#include "weft/kernels/fused.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/fit_options.hpp"

#include <array>
#include <vector>

namespace weft::detail {

/// The penalties on a model's parameters, in the order of the parameters and their gradients.
template <class Scalar>
class Penalties {
public:
    template <class Device>
    WEFT_COLD explicit Penalties(const Model<Scalar, Device>& model)
        : of_(model.parameters().size()) {
        for (const ParameterInfo& parameter : model.parameters()) {
            const Regularizer& r = parameter.regularizer;
            if (!r) continue;
            const auto x = model.view(parameter.slot);
            of_[count_++] = {x.data(), x.size(), r.l1, r.l2, parameter.slot.offset};
        }
    }

    Span<const kernels::Penalty<Scalar>> all() const { return {of_.data(), count_}; }

private:
    std::vector<kernels::Penalty<Scalar>> of_;
    std::size_t count_ = 0;
};

/// Whether a device can leave the limit on the norm of gradients to the update, as a factor; this is
/// optional.
template <class Device, class Scalar>
concept LeavesFactor = requires(Device& device, TensorView<Scalar, Device> gradients,
                                const kernels::GradientClipping& limits,
                                Span<const kernels::Penalty<Scalar>> penalties,
                                TensorView<double, Device> tally, double* factor) {
    finish_gradients<Scalar>(device, gradients, penalties, limits, 0.0, tally, factor);
};

/// Makes gradients ready for the update, as finish_gradients does. Returns where their factor is, if
/// the update is to multiply by it; else null.
template <class Scalar, class Device>
const double* prepare_gradients(Device& device, TensorView<Scalar, Device> gradients,
                                Span<const kernels::Penalty<Scalar>> penalties,
                                const TrainerOptions<Scalar, Device>& options, double mark,
                                TensorView<double, Device> tally) {
    const auto& limits = options.clipping;
    if constexpr (LeavesFactor<Device, Scalar>) {
        if (limits.global_norm > 0 && options.optimizer->takes_factor()) {
            double* const factor = tally.data() + kernels::TallyPlaces::gradient_factor;
            finish_gradients<Scalar>(device, gradients, penalties, limits, mark, tally, factor);
            return factor;
        }
    }
    finish_gradients<Scalar>(device, gradients, penalties, limits, mark, tally);
    return nullptr;
}

/// Whether a device can apply several constraints at once; this is optional.
template <class Device, class Scalar>
concept ConstrainsAtOnce =
    requires(Device& device, Span<const kernels::ConstrainedParameter<Scalar>> parameters,
             const double* wrong) { constrain<Scalar>(device, parameters, wrong); };

/// The constraint on w, as numbers. A vector is one column: its norm is not taken per element.
template <class Scalar, class Device>
kernels::ConstrainedParameter<Scalar> constrained(TensorView<Scalar, Device> w,
                                                  const Constraint& constraint) {
    const bool limits_norms = constraint.kind != Constraint::Kind::non_negative;
    // A norm of at most max_value, or of 1.
    const double limit = constraint.kind == Constraint::Kind::max_norm ? constraint.max_value : 0;
    const Index columns = w.shape().rank() == 1 ? 1 : w.shape().last();
    return {w.data(), columns == 0 ? 0 : w.size() / columns, columns, limits_norms, limit};
}

/// The same as apply_constraints, some constraints at once.
template <class Scalar, class Device>
WEFT_COLD void constrain_at_once(Device& device, Model<Scalar, Device>& model,
                                 const double* wrong) {
    using Constrained = kernels::ConstrainedParameter<Scalar>;
    std::array<Constrained, 16> some;
    std::size_t count = 0;
    const auto run = [&] {
        constrain<Scalar>(device, Span<const Constrained>(some.data(), count), wrong);
        count = 0;
    };
    for (const ParameterInfo& parameter : model.parameters()) {
        if (parameter.constraint.kind == Constraint::Kind::none) continue;
        some[count++] = constrained(model.view(parameter.slot), parameter.constraint);
        if (count == some.size()) run();
    }
    run();
}

/// Projects the parameters onto their constraints; does nothing if a number was not finite.
template <class Scalar, class Device>
void apply_constraints(Device& device, Model<Scalar, Device>& model, const double* wrong) {
    if constexpr (ConstrainsAtOnce<Device, Scalar>) {
        return constrain_at_once<Scalar>(device, model, wrong);
    }
    for (const ParameterInfo& parameter : model.parameters()) {
        if (parameter.constraint.kind == Constraint::Kind::none) continue;
        const auto of = constrained(model.view(parameter.slot), parameter.constraint);
        const TensorView<Scalar, Device> w(of.w, {of.rows, of.columns});
        if (of.limits_norms) {
            limit_column_norms<Scalar>(device, w, of.limit, wrong);
        } else {
            make_non_negative<Scalar>(device, w, wrong);
        }
    }
}

}  // namespace weft::detail
