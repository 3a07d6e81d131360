/// \file
/// Penalties, limits of gradients, and constraints: the parts of a training step beside the
/// optimiser.
#pragma once

#include "weft/core/span.hpp"
#include "weft/kernels/fused.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/fit_options.hpp"

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

/// Projects the parameters onto their constraints; does nothing if a number was not finite.
template <class Scalar, class Device>
void apply_constraints(Device& device, Model<Scalar, Device>& model, const double* wrong) {
    for (const ParameterInfo& parameter : model.parameters()) {
        const Constraint::Kind kind = parameter.constraint.kind;
        if (kind == Constraint::Kind::none) continue;
        auto w = model.view(parameter.slot);
        // A bias is one vector; its norm is not taken per element.
        if (w.shape().rank() == 1) w = w.reshape({w.size(), 1});
        if (kind == Constraint::Kind::non_negative) {
            make_non_negative<Scalar>(device, w, wrong);
        } else {  // a norm of at most max_value, or of 1
            const double limit =
                kind == Constraint::Kind::max_norm ? parameter.constraint.max_value : 0;
            limit_column_norms<Scalar>(device, w, limit, wrong);
        }
    }
}

}  // namespace weft::detail
