/// \file
/// Plan: how a graph of layers is run, step by step.
#pragma once

#include "weft/core/error.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/layers/regularizer.hpp"
#include "weft/model/places.hpp"

#include <string>
#include <string_view>

namespace weft {

/// What a pass is for.
enum class PassKind {
    inference,  ///< forward only: outputs share memory as soon as they were read
    training,   ///< forward and backward
};

/// What a plan has to know of one node of the graph: a layer, and which values it reads.
struct PlanNode {
    std::string_view name = {};  ///< "dense_1"
    std::vector<std::size_t> inputs = {};  ///< 0: the input of the graph; i + 1: the output of node i
    Shape output_shape = {};               ///< of one sample
    bool is_view = false;
    bool is_trainable = false;              ///< has parameters that are trained
    bool absorbs_relu = false;              ///< forward can apply a relu as it stores y
    bool backs_through_relu = false;        ///< backward can take the derivative of a relu before
    bool backs_in_place = false;            ///< dx may be dy
    Activation as_activation = linear;      ///< the layer is that activation and no more
    Activation output_activation = linear;  ///< behind the layer, a step of its own
    Regularizer activity_regularizer = {};
};

/// Run once in a pass: a layer, or an activation.
struct PlanStep {
    std::size_t node = 0;  ///< whose name errors have, and whose random numbers
    bool is_activation = false;
    Activation activation = linear;  ///< of an activation
    std::size_t input = 0, output = 0;  ///< values
    Activation after = linear;   ///< of a layer: forward applies it as y is stored
    Activation before = linear;  ///< of a layer: backward takes the derivative of it, of which x is
                                 ///< the output
    bool runs_forward = true;    ///< false: the step before does
    bool runs_backward = true;   ///< false: the step behind does
    Regularizer penalty = {};    ///< on y
};

/// A batch of numbers that a step writes and others read, and its gradient.
struct PlanValue {
    Shape shape = {};            ///< of one sample
    std::size_t memory = 0;      ///< the value in whose memory it lies: it itself, or one before
    std::size_t gradient = 0;    ///< the same of its gradient
    std::size_t readers = 0;     ///< steps, of all values in the same memory
    bool needs_gradient = false;  ///< something that is trained lies before it
};

/// A graph of layers as the steps of a pass, made once from what they are, for a kind of pass.
///
/// Layers are lowered to steps one by one, and then neighbours are fused by the rules below. So
/// fusion is decided here alone, before any number is known, and a layer only says what it can do.
class Plan {
public:
    Plan() = default;

    /// takes_logits: the loss takes the input of the last activation, which is left out if nothing
    /// but the loss sees its output.
    WEFT_COLD Plan(const Shape& input, std::span<const PlanNode> nodes, PassKind kind,
                   bool takes_logits = false)
        : kind_(kind) {
        values_.push_back({.shape = input, .readers = 1});  // nobody may write into it
        of_nodes_.push_back(0);
        for (std::size_t i = 0; i < nodes.size(); ++i) lower(i, nodes[i]);
        if (takes_logits) leave_out_last_activation();
        for (PlanStep& step : steps_) {
            if (step.is_activation) fuse_forward(step, nodes);
        }
        if (kind == PassKind::training) {
            for (PlanStep& step : steps_) fuse_backward(step, nodes);
        }
        share_memory(nodes);
    }

    PassKind kind() const { return kind_; }
    const std::vector<PlanStep>& steps() const { return steps_; }
    const std::vector<PlanValue>& values() const { return values_; }

    /// The value that node i computes.
    std::size_t of_node(std::size_t i) const { return of_nodes_[i + 1]; }
    std::size_t output() const { return of_nodes_.back(); }

    /// Whether the last activation was left out, for a loss that takes its input.
    bool gives_logits() const { return gives_logits_; }

    /// The activation at the end whose input a loss may take: linear if there is none.
    WEFT_COLD Activation last_activation() const {
        if (steps_.empty() || !steps_.back().is_activation) return linear;
        const PlanStep& last = steps_.back();
        const bool is_seen = last.penalty || last.output != output();
        return is_seen ? linear : last.activation;
    }

    /// A line a step, as docs/architecture.md explains.
    WEFT_COLD std::string to_string(std::span<const PlanNode> nodes) const {
        std::string text;
        for (const PlanStep& step : steps_) {
            std::string line = std::string(nodes[step.node].name);
            if (step.is_activation) line += detail::join({" ", weft::to_string(step.activation)});
            if (step.after != linear) line += detail::join({" +", weft::to_string(step.after)});
            line += detail::join({": ", place_of(step.input), " -> ", place_of(step.output)});
            if (!step.runs_forward) line += ", forward: done";
            if (step.penalty) line += ", penalty";
            if (kind_ == PassKind::training) {
                if (!values_[step.output].needs_gradient) {
                    line += ", no backward";
                } else if (!step.runs_backward) {
                    line += ", backward: done behind";
                } else if (step.before != linear) {
                    line += detail::join({", backward through ", weft::to_string(step.before)});
                }
            }
            text += line + "\n";
        }
        return text;
    }

private:
    // ---- Lowering -------------------------------------------------------------------------------

    void lower(std::size_t i, const PlanNode& node) {
        std::size_t value = of_nodes_[node.inputs.front()];
        Activation activation = node.output_activation;
        if (node.is_view) {
            // No step: the same numbers under another shape.
            PlanValue view = values_[value];
            view.shape = node.output_shape;
            values_.push_back(view);
            value = values_.size() - 1;
        } else if (node.as_activation != linear) {
            activation = node.as_activation;
        } else {
            value = add_step({.node = i, .input = value}, node);
        }
        if (activation != linear) {
            value = add_step(
                {.node = i, .is_activation = true, .activation = activation, .input = value}, node);
        }
        const bool has_step = !node.is_view || activation != linear;
        if (has_step) steps_.back().penalty = node.activity_regularizer;
        of_nodes_.push_back(value);
    }

    std::size_t add_step(PlanStep step, const PlanNode& node) {
        const std::size_t output = values_.size();
        ++values_[values_[step.input].memory].readers;
        values_.push_back({.shape = node.output_shape,
                           .memory = output,
                           .gradient = output,
                           .needs_gradient = values_[step.input].needs_gradient ||
                                             (node.is_trainable && !step.is_activation)});
        step.output = output;
        steps_.push_back(step);
        return output;
    }

    /// The step that writes the memory of a value; null for the input of the graph.
    PlanStep* writer(std::size_t value) {
        for (PlanStep& step : steps_) {
            if (step.output == values_[value].memory) return &step;
        }
        return nullptr;
    }

    bool has_one_reader(std::size_t value) const {
        return values_[values_[value].memory].readers == 1;
    }

    // ---- Rules of fusion ------------------------------------------------------------------------

    /// A loss takes the input of the last activation: the activation is left out.
    void leave_out_last_activation() {
        if (last_activation() == linear) return;
        const std::size_t input = steps_.back().input;
        --values_[values_[input].memory].readers;
        of_nodes_.back() = input;
        steps_.pop_back();
        values_.pop_back();
        gives_logits_ = true;
    }

    /// A relu that alone reads what a layer computes: the layer applies it as it stores y.
    void fuse_forward(PlanStep& step, std::span<const PlanNode> nodes) {
        PlanStep* const before = writer(step.input);
        if (step.activation != relu || before == nullptr || before->is_activation) return;
        if (before->output != step.input || !has_one_reader(step.input) || before->penalty) return;
        if (!nodes[before->node].absorbs_relu) return;
        before->after = relu;
        step.runs_forward = false;
    }

    /// A layer that alone reads what a relu computes: it takes the derivative of the relu.
    void fuse_backward(PlanStep& step, std::span<const PlanNode> nodes) {
        PlanStep* const before = writer(step.input);
        if (step.is_activation || before == nullptr || !before->is_activation) return;
        if (before->activation != relu || !has_one_reader(step.input) || before->penalty) return;
        if (!nodes[step.node].backs_through_relu) return;
        step.before = relu;
        before->runs_backward = false;
    }

    /// Values in the memory of the one before, where nobody else reads it.
    void share_memory(std::span<const PlanNode> nodes) {
        for (const PlanStep& step : steps_) {
            if (values_[step.input].memory == 0 || !has_one_reader(step.input)) continue;
            const PlanStep* const before = writer(step.input);
            // A layer's own activation may write over what the layer computed: backward of the
            // layer does not read it.
            const bool is_own = before != nullptr && before->node == step.node;
            const bool is_needed = step.runs_forward && kind_ == PassKind::training &&
                                   (needs_input(step.activation) || !is_own);
            if (kind_ == PassKind::training &&
                (step.is_activation || nodes[step.node].backs_in_place)) {
                put_into(&PlanValue::gradient, step.output, values_[step.input].gradient);
            }
            if (step.is_activation && !is_needed) {
                const std::size_t to = values_[step.input].memory;
                values_[to].readers = values_[step.output].readers;
                put_into(&PlanValue::memory, step.output, to);
            }
        }
    }

    /// All values that lie in the memory of `from` lie in that of `to`.
    void put_into(std::size_t PlanValue::*memory, std::size_t from, std::size_t to) {
        for (PlanValue& value : values_) {
            if (value.*memory == from) value.*memory = to;
        }
    }

    std::string place_of(std::size_t value) const {
        const std::size_t memory = values_[value].memory;
        return concat(values_[value].shape.to_batch_string(), "@", memory);
    }

    PassKind kind_ = PassKind::inference;
    std::vector<PlanStep> steps_;
    std::vector<PlanValue> values_;
    std::vector<std::size_t> of_nodes_;  ///< values: the input of the graph, then of each node
    bool gives_logits_ = false;
};

}  // namespace weft
