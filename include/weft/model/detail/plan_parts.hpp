/// \file
/// PlanParts: the steps of a plan and the values between them, for the rules of fusion.
#pragma once

#include "weft/config.hpp"
#include "weft/model/plan_step.hpp"

#include <algorithm>
#include <vector>

namespace weft::detail {

/// Plan has functions with these names, hence the underscores.
struct PlanParts {
    // NOLINTBEGIN(readability-identifier-naming)
    std::vector<PlanStep> steps_ = {};
    std::vector<PlanInput> inputs_ = {};  ///< of all steps
    std::vector<PlanValue> values_ = {};
    std::size_t input_count_ = 0;  ///< of the graph, whose values are the first
    // NOLINTEND(readability-identifier-naming)

    Span<const PlanInput> inputs(const PlanStep& step) const {
        return {inputs_.data() + step.first_input, step.inputs};
    }

    std::size_t index(const PlanStep& step) const {
        return static_cast<std::size_t>(&step - steps_.data());
    }

    /// Whether a value lies in an input's memory, which is the caller's.
    bool is_of_caller(std::size_t value) const { return values_[value].memory < input_count_; }

    WEFT_COLD std::size_t add_value(PlanValue value) {
        value.last = values_.size();
        values_.push_back(value);
        return memory_of(value.last).last = value.last;
    }

    PlanValue& memory_of(std::size_t value) { return values_[values_[value].memory]; }

    /// The input of a step with one input, if the step is its only reader; else null.
    WEFT_COLD PlanInput* only_input(const PlanStep& step) {
        PlanInput& input = inputs_[step.first_input];
        return step.inputs == 1 && memory_of(input.value).readers == 1 ? &input : nullptr;
    }

    /// The step that writes the numbers of a value; null for an input of the graph.
    WEFT_COLD PlanStep* writer(std::size_t value) {
        const std::size_t written = values_[value].memory;
        // Binary search: steps are in the order of their outputs, and a file may have a hundred
        // thousand.
        const auto step = std::partition_point(
            steps_.begin(), steps_.end(), [&](const auto& each) { return each.output < written; });
        return step != steps_.end() && step->output == written ? &*step : nullptr;
    }

    /// Moves all values in the memory of `from` to that of `to`.
    WEFT_COLD void put_into(std::size_t PlanValue::* memory, std::size_t from, std::size_t to) {
        const std::size_t last = values_[from].last;
        for (std::size_t value = from; value <= last; ++value) {
            if (values_[value].*memory == from) values_[value].*memory = to;
        }
        values_[to].last = (std::max)(values_[to].last, last);
    }

    /// The output of a step that computes nothing lies in its input's memory.
    WEFT_COLD void put_output_into(std::size_t input, std::size_t output) {
        memory_of(input).readers = values_[output].readers;
        put_into(&PlanValue::memory, output, values_[input].memory);
        put_into(&PlanValue::gradient, output, values_[input].gradient);
    }
};

/// Whether numbers that a step would overwrite are read again: by backward of the step that wrote
/// them, or by an observer if that is another layer's.
WEFT_COLD inline bool is_read_behind(const PlanParts& plan, const PlanStep& step,
                                     Span<const PlanNode> nodes, bool is_observed) {
    const std::size_t memory = plan.values_[plan.inputs(step).front().value].memory;
    const PlanStep* last = &step;
    do {
        if (last == plan.steps_.data()) return true;
        --last;
    } while (plan.values_[last->output].memory != memory);
    const PlanNode& node = nodes[last->node];
    if (last->penalty || last->is_activation()) return true;
    // Backward of a layer with an activation of its own does not read y.
    if (last->node == step.node) return false;
    return is_observed || node.backward_reads_y || node.backward_reads_y_through_relu;
}

/// Notes the values that backward of a step reads, if it runs.
WEFT_COLD inline void find_reads(PlanStep& step, const PlanNode& node, bool is_training) {
    const bool runs = is_training && step.runs_backward, takes_input = needs_input(step.activation);
    const bool layer_reads_x = node.backward_reads_x || step.norm != PlanStep::none;
    step.backward_reads_x = runs && (step.is_activation() ? takes_input : layer_reads_x);
    // With a batch norm, x tells where the relu was 0.
    const bool layer_reads_y = step.before == linear || step.norm != PlanStep::none
                                   ? node.backward_reads_y
                                   : node.backward_reads_y_through_relu;
    step.backward_reads_y = runs && (step.is_activation() ? !takes_input : layer_reads_y);
    step.backward_reads_y |= is_training && static_cast<bool>(step.penalty);
}

}  // namespace weft::detail
