/// \file
/// What a training step does to parameters and gradients besides the optimiser: penalties, limits
/// and constraints.
#pragma once

#include "weft/model/sequential.hpp"
#include "weft/training/fit_options.hpp"

namespace weft::detail {

/// sum = that of the penalties on the parameters, on the device. False if there are none.
template <class Scalar, class Device>
bool sum_penalties(Device& device, const Model<Scalar, Device>& model, double* sum) {
    bool adds = false;
    for (const ParameterInfo& parameter : model.parameters()) {
        const Regularizer& r = parameter.regularizer;
        if (!r) continue;
        add_penalty<Scalar>(device, model.view(parameter.slot), r.l1, r.l2, adds, sum);
        adds = true;
    }
    return adds;
}

/// Adds the gradients of the penalties; gradients are laid out as the trainable parameters.
template <class Scalar, class Device>
void add_penalty_gradients(Device& device, const Model<Scalar, Device>& model,
                           TensorView<Scalar, Device> gradients) {
    for (const ParameterInfo& parameter : model.parameters()) {
        const ParameterSlot& slot = parameter.slot;
        const Regularizer& r = parameter.regularizer;
        if (!r) continue;
        add_penalty_gradient<Scalar>(device, model.view(slot), r.l1, r.l2,
                                     {gradients.data() + slot.offset, slot.shape});
    }
}

/// Limits the gradients.
template <class Scalar, class Device>
void clip_gradients(Device& device, const GradientClipping& limits,
                    TensorView<Scalar, Device> gradients) {
    if (limits.value > 0) clip_values<Scalar>(device, gradients, limits.value);
    if (limits.global_norm > 0) clip_norm<Scalar>(device, gradients, limits.global_norm);
}

/// Projects the parameters onto their constraints; none if a number went wrong.
template <class Scalar, class Device>
void apply_constraints(Device& device, Model<Scalar, Device>& model, const double* wrong) {
    for (const ParameterInfo& parameter : model.parameters()) {
        if (parameter.constraint.kind == Constraint::Kind::none) continue;
        auto w = model.view(parameter.slot);
        // A bias is one vector, not one for each of its numbers.
        if (w.shape().rank() == 1) w = w.reshape({w.size(), 1});
        switch (parameter.constraint.kind) {
            case Constraint::Kind::none:
                break;
            case Constraint::Kind::max_norm:
                limit_column_norms<Scalar>(device, w, parameter.constraint.max_value, wrong);
                break;
            case Constraint::Kind::non_negative:
                make_non_negative<Scalar>(device, w, wrong);
                break;
            case Constraint::Kind::unit_norm:
                limit_column_norms<Scalar>(device, w, 0, wrong);
                break;
        }
    }
}

}  // namespace weft::detail
