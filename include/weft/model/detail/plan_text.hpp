/// \file
/// A plan as text.
#pragma once

#include "weft/model/plan.hpp"

namespace weft::detail {

/// One line per step; docs/architecture.md explains it.
WEFT_COLD inline std::string plan_text(const Plan& plan, Span<const PlanNode> nodes) {
    const auto value = [&](std::size_t i) {
        const PlanValue& found = plan.values()[i];
        return join({found.shape.to_batch_string(), "@", static_cast<Index>(found.memory)});
    };
    std::string text;
    for (const PlanStep& step : plan.steps()) {
        text += nodes[step.node].name;
        if (step.is_activation()) text += join({" ", to_string(step.activation)});
        if (step.after != linear) text += join({" + ", to_string(step.after)});
        if (step.dropout != PlanStep::none) text += " + dropout";
        if (step.norm != PlanStep::none) {
            const bool is_before = step.norm < plan.index(step);
            text += is_before ? " + batch norm of x" : " + moments";
        }
        const char* separator = ": ";
        for (const PlanInput& input : plan.inputs(step)) {
            text += join({separator, value(input.value)});
            separator = ", ";
        }
        text += join({" -> ", value(step.output)});
        if (!step.runs_forward) text += "; forward is done before";
        if (is_training(plan.kind())) {
            if (!plan.values()[step.output].needs_gradient) {
                text += "; no backward";
            } else if (!step.runs_backward) {
                text += "; backward is done behind";
            } else if (step.before != linear) {
                text += join({"; backward through ", to_string(step.before.activation)});
                if (step.before.dropout_rate > 0) text += " and dropout";
            }
        }
        text += "\n";
    }
    return text;
}

}  // namespace weft::detail
