/// \file
/// Plan: how a graph of layers is run, step by step.
#pragma once

#include "weft/core/contains.hpp"
#include "weft/core/error.hpp"
#include "weft/model/plan_step.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace weft {

/// A graph of layers as the steps of a pass, made once from what the layers are.
///
/// Layers are lowered to steps one by one, and then neighbours are fused by the rules below. So
/// fusion is decided here alone, before any number is known, and a layer only says what it can do.
class Plan {
public:
    /// outputs: values of the graph. takes_logits, of each output: its loss takes the input of the
    /// last activation, which is left out if nothing else sees its output or its input.
    WEFT_COLD Plan(std::span<const Shape> inputs, std::span<const PlanNode> nodes,
                   std::span<const std::size_t> outputs, PassKind kind,
                   const std::vector<bool>& takes_logits = {})
        : kind_(kind), input_count_(inputs.size()), gives_logits_(outputs.size()) {
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            of_nodes_.push_back(add_value({.shape = inputs[k], .memory = k, .gradient = k}));
        }
        const std::vector<bool> is_needed = find_needed(nodes, outputs);
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (is_needed[i]) {
                lower(i, nodes[i]);
            } else {
                of_nodes_.push_back(of_nodes_[nodes[i].inputs.front()]);  // looked at by nobody
            }
        }
        for (const std::size_t output : outputs) {
            outputs_.push_back(of_nodes_[output]);
            ++memory_of(outputs_.back()).readers;
        }
        for (std::size_t k = 0; k < takes_logits.size(); ++k) {
            if (takes_logits[k]) leave_out_last_activation(k);
        }
        for (PlanStep& step : steps_) fuse_forward(step, nodes);
        if (kind == PassKind::training) {
            for (PlanStep& step : steps_) fuse_backward(step, nodes);
            for (PlanStep& step : steps_) step.runs_backward &= values_[step.output].needs_gradient;
        }
        for (const PlanStep& step : steps_) share_memory(step, nodes);
        if (kind == PassKind::training) sum_gradients(nodes);
    }

    PassKind kind() const { return kind_; }
    const std::vector<PlanStep>& steps() const { return steps_; }
    const std::vector<PlanValue>& values() const { return values_; }

    std::span<const PlanInput> inputs(const PlanStep& step) const {
        return std::span(inputs_).subspan(step.first_input, step.inputs);
    }

    /// The value that node i computes.
    std::size_t of_node(std::size_t i) const { return of_nodes_[input_count_ + i]; }

    /// Output k.
    std::size_t output(std::size_t k = 0) const { return outputs_[k]; }
    std::size_t output_count() const { return outputs_.size(); }

    /// Layers whose parameters no step has a gradient of: of models of which not all outputs are
    /// used.
    const std::vector<std::size_t>& idle_layers() const { return idle_layers_; }

    /// Whether a value lies in the memory of an input: the caller's.
    bool is_of_caller(std::size_t value) const { return values_[value].memory < input_count_; }

    /// The output whose gradient lies where that of output k does, the first of them: k, unless two
    /// outputs are the same numbers. Then that of k is added to it.
    WEFT_COLD std::size_t first_with_gradient(std::size_t k) const {
        std::size_t first = 0;
        while (values_[outputs_[first]].gradient != values_[outputs_[k]].gradient) ++first;
        return first;
    }

    /// Whether the activation of output k was left out, for a loss that takes its input.
    bool gives_logits(std::size_t k = 0) const { return gives_logits_[k]; }

    /// The activation that output k comes out of, whose input a loss may take: linear if there is
    /// none, or somebody else reads the one or the other.
    WEFT_COLD Activation last_activation(std::size_t k = 0) const {
        const std::size_t step = step_of_output(k);
        return step == steps_.size() ? linear : steps_[step].activation;
    }

private:
    // ---- Lowering -------------------------------------------------------------------------------

    /// Whether outputs are computed from what a node does. Notes layers of which no node is.
    WEFT_COLD std::vector<bool> find_needed(std::span<const PlanNode> nodes,
                                            std::span<const std::size_t> outputs) {
        std::vector<bool> is_needed(nodes.size()), is_layer_needed(nodes.size());
        const auto need = [&](std::size_t value) {
            if (value >= input_count_) is_needed[value - input_count_] = true;
        };
        for (const std::size_t output : outputs) need(output);
        for (std::size_t i = nodes.size(); i-- > 0;) {
            if (!is_needed[i]) continue;
            is_layer_needed[nodes[i].layer] = true;
            for (const std::size_t input : nodes[i].inputs) need(input);
        }
        for (const PlanNode& node : nodes) {
            const bool is_known = detail::contains(idle_layers_, node.layer);
            if (!is_layer_needed[node.layer] && !is_known) idle_layers_.push_back(node.layer);
        }
        return is_needed;
    }

    WEFT_COLD std::size_t add_value(PlanValue value) {
        values_.push_back(value);
        return values_.size() - 1;
    }

    WEFT_COLD void lower(std::size_t i, const PlanNode& node) {
        Activation activation = node.output_activation;
        const bool is_activation = node.as_activation != linear;
        std::size_t value = of_nodes_[node.inputs.front()];
        if (node.is_view) {
            // No step: the same numbers under another shape.
            PlanValue view = values_[value];
            view.shape = node.output_shape;
            value = add_value(view);
        } else if (is_activation) {
            activation = node.as_activation;
        } else {
            const std::size_t first = inputs_.size();
            for (const std::size_t input : node.inputs) inputs_.push_back({of_nodes_[input]});
            value = add_step({.node = i,
                              .layer = node.layer,
                              .first_input = first,
                              .inputs = node.inputs.size()},
                             node);
        }
        if (activation != linear) {
            inputs_.push_back({value});
            value = add_step({.node = i,
                              .layer = node.layer,
                              .activation = activation,
                              .first_input = inputs_.size() - 1},
                             node);
        }
        if (!node.is_view || activation != linear) {
            steps_.back().penalty = node.activity_regularizer;
        }
        of_nodes_.push_back(value);
    }

    WEFT_COLD std::size_t add_step(PlanStep step, const PlanNode& node) {
        PlanValue value{.shape = node.output_shape,
                        .memory = values_.size(),
                        .gradient = values_.size(),
                        .needs_gradient = node.is_trainable && !step.is_activation()};
        for (const PlanInput& input : inputs(step)) {
            ++memory_of(input.value).readers;
            value.needs_gradient |= values_[input.value].needs_gradient;
        }
        step.output = add_value(value);
        steps_.push_back(step);
        return step.output;
    }

    PlanValue& memory_of(std::size_t value) { return values_[values_[value].memory]; }

    /// What a step with one input reads, where it alone does; null otherwise.
    WEFT_COLD PlanInput* only_input(const PlanStep& step) {
        PlanInput& input = inputs_[step.first_input];
        return step.inputs == 1 && memory_of(input.value).readers == 1 ? &input : nullptr;
    }

    /// The step that writes the numbers of a value; null for an input of the graph.
    WEFT_COLD PlanStep* writer(std::size_t value) {
        for (PlanStep& step : steps_) {
            if (step.output == values_[value].memory) return &step;
        }
        return nullptr;
    }

    // ---- Rules of fusion ------------------------------------------------------------------------

    /// A loss takes the input of the last activation: the activation is left out.
    WEFT_COLD void leave_out_last_activation(std::size_t k) {
        const std::size_t step = step_of_output(k);
        if (step == steps_.size()) return;
        const std::size_t logits = inputs_[steps_[step].first_input].value;
        std::replace(of_nodes_.begin(), of_nodes_.end(), outputs_[k], logits);
        outputs_[k] = logits;  // in the place of the activation as reader
        steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(step));
        gives_logits_[k] = true;
    }

    /// The activation that alone reads what it does, for output k alone; the number of steps if
    /// there is none.
    WEFT_COLD std::size_t step_of_output(std::size_t k) const {
        std::size_t s = 0;
        while (s < steps_.size() && steps_[s].output != outputs_[k]) ++s;
        if (s == steps_.size()) return s;
        const PlanStep& step = steps_[s];
        const PlanValue& input = values_[inputs_[step.first_input].value];
        const bool is_alone =
            values_[step.output].readers == 1 && values_[input.memory].readers == 1;
        return step.is_activation() && !step.penalty && is_alone ? s : steps_.size();
    }

    /// A relu that alone reads what a layer computes: the layer applies it as it stores y.
    WEFT_COLD void fuse_forward(PlanStep& step, std::span<const PlanNode> nodes) {
        const PlanInput* const input = only_input(step);
        if (step.activation != relu || input == nullptr) return;
        PlanStep* const before = writer(input->value);
        if (before == nullptr || before->is_activation() || before->penalty) return;
        if (before->output != input->value || !nodes[before->node].absorbs_relu) return;
        before->after = relu;
        step.runs_forward = false;
    }

    /// A layer that alone reads what a relu computes: it takes the derivative of the relu.
    WEFT_COLD void fuse_backward(PlanStep& step, std::span<const PlanNode> nodes) {
        const PlanInput* const input = only_input(step);
        if (step.is_activation() || input == nullptr) return;
        PlanStep* const before = writer(input->value);
        if (before == nullptr || before->activation != relu || before->penalty) return;
        if (!nodes[step.node].backs_through_relu || only_input(*before) == nullptr) return;
        step.before = relu;
        before->runs_backward = false;
    }

    /// A step that alone reads a value may write over it, and over its gradient, as far as nobody
    /// needs it afterwards.
    WEFT_COLD void share_memory(const PlanStep& step, std::span<const PlanNode> nodes) {
        const PlanInput* const input = only_input(step);
        if (input == nullptr || is_of_caller(input->value)) return;
        const bool is_training = kind_ == PassKind::training;
        if (is_training && (step.is_activation() || nodes[step.node].backs_in_place)) {
            put_into(&PlanValue::gradient, step.output, values_[input->value].gradient);
        }
        // Backward of a layer with an activation of its own does not read y.
        const PlanStep* const before = writer(input->value);
        const bool is_own = before != nullptr && before->node == step.node;
        const bool needs_x = is_training && (needs_input(step.activation) || !is_own);
        if (step.is_activation() && (!needs_x || !step.runs_forward)) {
            memory_of(input->value).readers = values_[step.output].readers;
            put_into(&PlanValue::memory, step.output, values_[input->value].memory);
        }
    }

    /// All values that lie in the memory of `from` lie in that of `to`.
    WEFT_COLD void put_into(std::size_t PlanValue::* memory, std::size_t from, std::size_t to) {
        for (PlanValue& value : values_) {
            if (value.*memory == from) value.*memory = to;
        }
    }

    /// Of the steps that read a value, the last runs backward first and writes the gradient; the
    /// others add to it, in that order; all add to what the loss wrote for an output. So do those
    /// that apply the same layer.
    WEFT_COLD void sum_gradients(std::span<const PlanNode> nodes) {
        std::vector<bool> is_written(values_.size()), is_layer_written(nodes.size());
        for (const std::size_t output : outputs_) is_written[values_[output].gradient] = true;
        for (std::size_t s = steps_.size(); s-- > 0;) {
            PlanStep& step = steps_[s];
            if (!values_[step.output].needs_gradient) continue;
            for (std::size_t i = 0; i < step.inputs; ++i) {
                PlanInput& input = inputs_[step.first_input + i];
                const auto& [shape, memory, gradient, readers, needs_gradient] =
                    values_[input.value];
                const bool is_in_place = gradient == values_[step.output].gradient;
                if (!needs_gradient || is_in_place) continue;
                input.adds_gradient = is_written[gradient];
                is_written[gradient] = true;
            }
            const std::size_t layer = nodes[step.node].layer;
            if (step.is_activation() || !nodes[step.node].is_trainable) continue;
            step.adds_gradients = is_layer_written[layer];
            is_layer_written[layer] = true;
        }
    }

    PassKind kind_ = PassKind::inference;
    std::vector<PlanStep> steps_;
    std::vector<PlanInput> inputs_;  ///< of all steps
    std::vector<PlanValue> values_;
    std::size_t input_count_;            ///< of the graph, whose values are the first
    std::vector<std::size_t> of_nodes_;  ///< values: the inputs of the graph, then of each node
    std::vector<std::size_t> outputs_;   ///< values
    std::vector<bool> gives_logits_;     ///< of outputs
    std::vector<std::size_t> idle_layers_;
};

}  // namespace weft
