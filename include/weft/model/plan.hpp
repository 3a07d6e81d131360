/// \file
/// Plan: the steps of a pass over a graph of layers.
#pragma once

#include "weft/core/error.hpp"
#include "weft/model/detail/fusion.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace weft {

/// A graph of layers as the steps of a pass, made once.
///
/// Layers are lowered to steps one by one, then neighbours are fused by the rules of
/// detail/fusion.hpp. So fusion is decided here alone, independent of numbers; a layer only
/// declares what it can do.
class Plan : detail::PlanParts {
public:
    /// outputs: values of the graph. takes_logits: for each output, whether its loss takes the
    /// input of the last activation. The activation is left out if nothing else reads its output or
    /// input.
    WEFT_COLD Plan(Span<const Shape> inputs, Span<const PlanNode> nodes,
                   Span<const std::size_t> outputs, PassKind kind,
                   const std::vector<bool>& takes_logits = {})
        : PlanParts{.input_count_ = inputs.size()}, kind_(kind), gives_logits_(outputs.size()) {
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
        for (PlanStep& step : steps_) detail::fuse_forward(*this, step, nodes);
        if (is_training(kind)) {
            for (PlanStep& step : steps_) detail::fuse_moments(*this, step, nodes);
            if (kind == PassKind::training) {
                for (PlanStep& step : steps_) detail::fuse_norm(*this, step, nodes);
                for (PlanStep& step : steps_) detail::fuse_dropout(*this, step, nodes);
            }
            for (PlanStep& step : steps_) detail::fuse_backward(*this, step, nodes);
            for (PlanStep& step : steps_) detail::fuse_relu_and_dropout(*this, step, nodes);
            for (PlanStep& step : steps_) step.runs_backward &= values_[step.output].needs_gradient;
        }
        for (const PlanStep& step : steps_) share_memory(step, nodes);
        if (is_training(kind)) sum_gradients(nodes);
        for (PlanStep& step : steps_) detail::find_reads(step, nodes[step.node], is_training(kind));
    }

    PassKind kind() const { return kind_; }
    const std::vector<PlanStep>& steps() const { return steps_; }
    const std::vector<PlanValue>& values() const { return values_; }
    using PlanParts::index;
    using PlanParts::inputs;
    using PlanParts::is_of_caller;

    /// The value that node i computes.
    std::size_t of_node(std::size_t i) const { return of_nodes_[input_count_ + i]; }

    /// The value of output k.
    std::size_t output(std::size_t k = 0) const { return outputs_[k]; }
    std::size_t output_count() const { return outputs_.size(); }

    /// Whether a value is still valid after the last step.
    WEFT_COLD bool keeps(std::size_t value) const {
        bool is_kept = kind_ == PassKind::observed || is_of_caller(value);
        for (const std::size_t output : outputs_) {
            is_kept |= values_[output].memory == values_[value].memory;
        }
        return is_kept;
    }

    /// Layers whose parameters get no gradient from any step: of inner models whose outputs are not
    /// all used.
    const std::vector<std::size_t>& idle_layers() const { return idle_layers_; }

    /// The first output that shares its gradient's memory with output k: k itself, unless two
    /// outputs are the same value. Then k's gradient is added to it.
    WEFT_COLD std::size_t first_with_gradient(std::size_t k) const {
        std::size_t first = 0;
        while (values_[outputs_[first]].gradient != values_[outputs_[k]].gradient) ++first;
        return first;
    }

    /// Whether the last activation of output k was left out, for a loss that takes its input.
    bool gives_logits(std::size_t k = 0) const { return gives_logits_[k]; }

    /// The last activation of output k, whose input a loss may take instead: linear if there is
    /// none, or if another step reads its input or output.
    WEFT_COLD Activation last_activation(std::size_t k = 0) const {
        const std::size_t step = step_of_output(k);
        return step == steps_.size() ? linear : steps_[step].activation;
    }

private:
    // ---- Lowering -------------------------------------------------------------------------------

    /// Whether outputs depend on each node. Notes layers without such a node.
    WEFT_COLD std::vector<bool> find_needed(Span<const PlanNode> nodes,
                                            Span<const std::size_t> outputs) {
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
            if (is_layer_needed[node.layer]) continue;
            idle_layers_.push_back(node.layer);
            is_layer_needed[node.layer] = true;  // noted
        }
        return is_needed;
    }

    WEFT_COLD void lower(std::size_t i, const PlanNode& node) {
        Activation activation = node.output_activation;
        const bool is_activation = node.as_activation != linear;
        std::size_t value = of_nodes_[node.inputs.front()];
        if (node.is_view) {
            // No step: the same numbers with another shape.
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

    // ---- Rules of fusion ------------------------------------------------------------------------

    /// If a loss takes the input of the last activation, the activation is left out.
    WEFT_COLD void leave_out_last_activation(std::size_t k) {
        const std::size_t step = step_of_output(k);
        if (step == steps_.size()) return;
        const std::size_t logits = inputs_[steps_[step].first_input].value;
        std::replace(of_nodes_.begin(), of_nodes_.end(), outputs_[k], logits);
        outputs_[k] = logits;  // in the place of the activation as reader
        steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(step));
        gives_logits_[k] = true;
    }

    /// The activation that computes output k, if nothing else reads its input or output; the number
    /// of steps if there is none.
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

    /// A step that is the only reader of a value may overwrite it, and its gradient, if nothing
    /// needs them afterwards.
    WEFT_COLD void share_memory(const PlanStep& step, Span<const PlanNode> nodes) {
        const PlanInput* const input = only_input(step);
        if (input == nullptr || is_of_caller(input->value)) return;
        const bool is_training = weft::is_training(kind_);
        if (is_training && (step.is_activation() || nodes[step.node].backs_in_place)) {
            put_into(&PlanValue::gradient, step.output, values_[input->value].gradient);
        }
        const bool needs_x =
            is_training && (needs_input(step.activation) ||
                            is_read_behind(*this, step, nodes, kind_ == PassKind::observed));
        if (step.is_activation() && (!needs_x || !step.runs_forward)) {
            memory_of(input->value).readers = values_[step.output].readers;
            put_into(&PlanValue::memory, step.output, values_[input->value].memory);
        }
    }

    /// Of the steps that read a value, the last runs backward first and writes the gradient; the
    /// others add to it in that order. For an output, all add to the loss's gradient. Likewise for
    /// gradients of a layer that is applied several times.
    WEFT_COLD void sum_gradients(Span<const PlanNode> nodes) {
        std::vector<bool> is_written(values_.size()), is_layer_written(nodes.size());
        for (const std::size_t output : outputs_) is_written[values_[output].gradient] = true;
        for (std::size_t s = steps_.size(); s-- > 0;) {
            PlanStep& step = steps_[s];
            if (!values_[step.output].needs_gradient) continue;
            for (std::size_t i = 0; i < step.inputs; ++i) {
                PlanInput& input = inputs_[step.first_input + i];
                const PlanValue& value = values_[input.value];
                const bool is_in_place = value.gradient == values_[step.output].gradient;
                if (!value.needs_gradient || is_in_place) continue;
                input.adds_gradient = is_written[value.gradient];
                is_written[value.gradient] = true;
            }
            const std::size_t layer = nodes[step.node].layer;
            if (step.is_activation() || !nodes[step.node].is_trainable) continue;
            step.adds_gradients = is_layer_written[layer];
            is_layer_written[layer] = true;
        }
    }

    PassKind kind_ = PassKind::inference;
    std::vector<std::size_t> of_nodes_;  ///< values: the inputs of the graph, then of each node
    std::vector<std::size_t> outputs_;   ///< values
    std::vector<bool> gives_logits_;     ///< of outputs
    std::vector<std::size_t> idle_layers_;
};

}  // namespace weft
