/// \file
/// Plan: how a graph of layers is run, step by step.
#pragma once

#include "weft/core/error.hpp"
#include "weft/model/plan_step.hpp"

#include <string>
#include <vector>

namespace weft {

/// A graph of layers as the steps of a pass, made once from what the layers are.
///
/// Layers are lowered to steps one by one, and then neighbours are fused by the rules below. So
/// fusion is decided here alone, before any number is known, and a layer only says what it can do.
class Plan {
public:
    /// takes_logits: the loss takes the input of the last activation, which is left out if nothing
    /// else sees its output.
    WEFT_COLD Plan(const Shape& input, std::span<const PlanNode> nodes, PassKind kind,
                   bool takes_logits = false)
        : kind_(kind) {
        of_nodes_.push_back(add_value({.shape = input}));
        for (std::size_t i = 0; i < nodes.size(); ++i) lower(i, nodes[i]);
        if (takes_logits) leave_out_last_activation();
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
    std::size_t of_node(std::size_t i) const { return of_nodes_[i + 1]; }
    std::size_t output() const { return of_nodes_.back(); }

    /// Whether the last activation was left out, for a loss that takes its input.
    bool gives_logits() const { return gives_logits_; }

    /// The activation at the end whose input a loss may take: linear if there is none.
    WEFT_COLD Activation last_activation() const {
        if (steps_.empty()) return linear;
        const PlanStep& last = steps_.back();
        return last.penalty || last.output != output() ? linear : last.activation;
    }

    /// A line a step, as docs/architecture.md explains.
    WEFT_COLD std::string to_string(std::span<const PlanNode> nodes) const {
        std::string text;
        for (const PlanStep& step : steps_) {
            text += nodes[step.node].name;
            if (step.is_activation()) text += detail::join({" ", weft::to_string(step.activation)});
            if (step.after != linear) text += detail::join({" + ", weft::to_string(step.after)});
            const char* separator = ": ";
            for (const PlanInput& input : inputs(step)) {
                text += detail::join({separator, to_string(input.value)});
                separator = ", ";
            }
            text += detail::join({" -> ", to_string(step.output)});
            if (!step.runs_forward) text += "; forward is done before";
            if (kind_ == PassKind::training) {
                if (!values_[step.output].needs_gradient) {
                    text += "; no backward";
                } else if (!step.runs_backward) {
                    text += "; backward is done behind";
                } else if (step.before != linear) {
                    text += detail::join({"; backward through ", weft::to_string(step.before)});
                }
            }
            text += "\n";
        }
        return text;
    }

private:
    // ---- Lowering -------------------------------------------------------------------------------

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

    /// The step that writes the numbers of a value; null for the input of the graph.
    WEFT_COLD PlanStep* writer(std::size_t value) {
        for (PlanStep& step : steps_) {
            if (step.output == values_[value].memory) return &step;
        }
        return nullptr;
    }

    // ---- Rules of fusion ------------------------------------------------------------------------

    /// A loss takes the input of the last activation: the activation is left out.
    WEFT_COLD void leave_out_last_activation() {
        if (last_activation() == linear) return;
        of_nodes_.back() = inputs_.back().value;
        --memory_of(of_nodes_.back()).readers;
        steps_.pop_back();
        values_.pop_back();
        inputs_.pop_back();
        gives_logits_ = true;
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
        if (input == nullptr || values_[input->value].memory == 0) return;
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
    WEFT_COLD void put_into(std::size_t PlanValue::*memory, std::size_t from, std::size_t to) {
        for (PlanValue& value : values_) {
            if (value.*memory == from) value.*memory = to;
        }
    }

    /// Of the steps that read a value, the last runs backward first and writes the gradient; the
    /// others add to it, in that order. So do those that apply the same layer.
    WEFT_COLD void sum_gradients(std::span<const PlanNode> nodes) {
        std::vector<bool> is_written(values_.size()), is_layer_written(nodes.size());
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

    WEFT_COLD std::string to_string(std::size_t value) const {
        return detail::join({values_[value].shape.to_batch_string(), "@", values_[value].memory});
    }

    PassKind kind_ = PassKind::inference;
    std::vector<PlanStep> steps_;
    std::vector<PlanInput> inputs_;  ///< of all steps
    std::vector<PlanValue> values_;
    std::vector<std::size_t> of_nodes_;  ///< values: the input of the graph, then of each node
    bool gives_logits_ = false;
};

}  // namespace weft
