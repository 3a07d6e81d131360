/// \file
/// The rules by which neighbouring steps of a plan are fused. Each checks what layers can do on
/// their device.
#pragma once

#include "weft/model/detail/plan_parts.hpp"

namespace weft::detail {

/// A relu that is the only reader of a layer's output: the layer applies it as it stores y.
WEFT_COLD inline void fuse_forward(PlanParts& plan, PlanStep& step, Span<const PlanNode> nodes) {
    const PlanInput* const input = plan.only_input(step);
    if (step.activation != relu || input == nullptr) return;
    PlanStep* const before = plan.writer(input->value);
    if (before == nullptr || before->is_activation() || before->penalty) return;
    if (before->output != input->value || !nodes[before->node].absorbs_relu) return;
    before->after = relu;
    step.runs_forward = false;
}

/// A step applies the dropout of another step, whose output then lies in its input's memory.
WEFT_COLD inline void drop_for(PlanParts& plan, PlanStep& step, PlanStep& dropout,
                               std::size_t input) {
    step.dropout = plan.index(dropout);
    dropout.runs_forward = false;
    plan.put_output_into(input, dropout.output);
}

/// A batch norm that is the only reader of a layer's output, or of the relu that the layer applies:
/// the layer computes the moments of its stored output.
WEFT_COLD inline void fuse_moments(PlanParts& plan, PlanStep& step, Span<const PlanNode> nodes) {
    const PlanInput* const input = plan.only_input(step);
    if (step.is_activation() || input == nullptr || !nodes[step.node].is_norm) return;
    std::size_t value = input->value;
    PlanStep* before = plan.writer(value);
    if (before != nullptr && before->activation == relu && !before->runs_forward) {
        if (before->output != value) return;
        value = plan.inputs(*before).front().value;
        before = plan.writer(value);
    }
    if (before == nullptr || before->is_activation() || before->output != value) return;
    if (!nodes[before->node].absorbs_moments) return;
    before->norm = plan.index(step);
    step.has_moments = true;
}

/// A layer that is the only reader of a batch norm: it applies the batch norm to x as it reads x.
/// The batch norm computes nothing, so its output lies in the memory of x.
WEFT_COLD inline void fuse_norm(PlanParts& plan, PlanStep& step, Span<const PlanNode> nodes) {
    const PlanInput* const input = plan.only_input(step);
    if (step.is_activation() || input == nullptr || !nodes[step.node].absorbs_norm) return;
    PlanStep* const norm = plan.writer(input->value);
    if (norm == nullptr || norm->is_activation() || norm->output != input->value) return;
    if (!nodes[norm->node].is_norm || norm->penalty || norm + 1 != &step) return;
    const PlanInput* const x = plan.only_input(*norm);
    if (x == nullptr || plan.is_of_caller(x->value)) return;
    if (!plan.values_[x->value].needs_gradient) return;
    step.norm = plan.index(*norm);
    norm->runs_forward = norm->runs_backward = false;
    plan.put_output_into(x->value, norm->output);
}

/// Dropout that is the only reader of a layer's output: the layer applies it as it stores y.
WEFT_COLD inline void fuse_dropout(PlanParts& plan, PlanStep& step, Span<const PlanNode> nodes) {
    const PlanInput* const input = plan.only_input(step);
    if (step.is_activation() || input == nullptr || !(nodes[step.node].dropout_rate > 0)) return;
    PlanStep* const before = plan.writer(input->value);
    if (before == nullptr || before->is_activation() || before->penalty) return;
    if (before->output != input->value || !nodes[before->node].absorbs_dropout) return;
    step.runs_backward = false;
    drop_for(plan, *before, step, before->output);
}

/// Dropout behind a relu, if the layer behind applies both derivatives: the layer that applies the
/// relu applies the dropout too.
WEFT_COLD inline void fuse_relu_and_dropout(PlanParts& plan, PlanStep& step,
                                            Span<const PlanNode> nodes) {
    if (step.is_activation() || !step.runs_forward || step.runs_backward) return;
    const PlanInput* const input = plan.only_input(step);
    if (!(nodes[step.node].dropout_rate > 0) || input == nullptr) return;
    const PlanStep* const act = plan.writer(input->value);
    if (act == nullptr || act->activation != relu || act->output != input->value) return;
    if (act->runs_forward || act->runs_backward || act->penalty) return;
    PlanStep* const layer = plan.writer(plan.inputs(*act).front().value);
    if (!nodes[layer->node].absorbs_relu_and_dropout) return;
    drop_for(plan, *layer, step, act->output);
}

/// A layer that is the only reader of a relu, or of dropout behind it: it applies their derivative.
WEFT_COLD inline void fuse_backward(PlanParts& plan, PlanStep& step, Span<const PlanNode> nodes) {
    const PlanNode& node = nodes[step.node];
    const PlanInput* input = plan.only_input(step);
    if (step.is_activation() || input == nullptr) return;
    PlanStep* before = plan.writer(input->value);
    PlanStep* dropout = nullptr;
    if (before != nullptr && !before->is_activation() && nodes[before->node].dropout_rate > 0) {
        dropout = before;
        input = plan.only_input(*dropout);
        if (!node.backs_through_dropout || input == nullptr) return;
        before = plan.writer(input->value);
    }
    if (before == nullptr || before->activation != relu || before->penalty) return;
    if (!node.backs_through_relu || plan.only_input(*before) == nullptr) return;
    step.before = {relu, dropout == nullptr ? 0 : nodes[dropout->node].dropout_rate};
    before->runs_backward = false;
    if (dropout != nullptr) dropout->runs_backward = false;
}

}  // namespace weft::detail
