/// \file
/// The nodes that a plan is made from, and its steps and values.
#pragma once

#include "weft/core/shape.hpp"
#include "weft/kernels/before.hpp"
#include "weft/layers/regularizer.hpp"

#include <string_view>

namespace weft {

/// The kind of a pass.
enum class PassKind {
    inference,  ///< forward only
    training,   ///< forward and backward
    observed,   ///< the same, with the outputs of all layers kept until backward begins
};

/// Whether a pass goes backward too.
constexpr bool is_training(PassKind kind) { return kind != PassKind::inference; }

/// One node of a graph for a plan: a layer, applied to values.
struct PlanNode {
    std::string_view name = {};             ///< "dense_1"
    std::size_t layer = 0;                  ///< another node may apply the same one
    Span<const std::size_t> inputs = {};    ///< the graph's inputs first, then its nodes
    Shape output_shape = {};                ///< of one sample
    bool is_view = false;                   ///< y is x under another shape
    bool is_trainable = false;              ///< has parameters that are trained
    bool absorbs_relu = false;              ///< forward can apply a relu as it stores y
    bool absorbs_dropout = false;           ///< and dropout, and backward its derivative
    bool absorbs_relu_and_dropout = false;  ///< forward can apply both, backward neither
    bool absorbs_moments = false;           ///< forward can compute the moments of y
    bool absorbs_norm = false;              ///< forward and backward can apply a batch norm to x
    bool is_norm = false;                   ///< the layer is a batch norm and nothing else
    bool backs_through_relu = false;        ///< backward can take the derivative of one before
    bool backs_through_dropout = false;     ///< and of one with dropout behind it
    double dropout_rate = 0;                ///< the layer is dropout and nothing else
    bool backs_in_place = false;            ///< dx may be dy
    bool backward_reads_x = true;           ///< else x may be overwritten by then
    bool backward_reads_y = true;
    bool backward_reads_y_through_relu = true;
    Activation as_activation = linear;      ///< the layer is that and nothing else
    Activation output_activation = linear;  ///< behind the layer, a step of its own
    Regularizer activity_regularizer = {};
};

/// A value that a step reads.
struct PlanInput {
    std::size_t value = 0;
    bool adds_gradient = false;  ///< backward adds dx to the gradient of later steps
};

/// Run once in a pass: a layer, or an activation.
struct PlanStep {
    std::size_t node = 0;            ///< selects the random numbers
    std::size_t layer = 0;           ///< of the node
    Activation activation = linear;  ///< of an activation; linear: a layer
    std::size_t first_input = 0, inputs = 1;
    std::size_t output = 0;       ///< value
    Activation after = linear;    ///< forward of the layer applies it as y is stored
    kernels::Before before = {};  ///< what computed x; backward applies its derivative too
    std::size_t dropout = none;   ///< the step of a dropout that the layer applies as y is stored
    std::size_t norm =
        none;  ///< the step of a batch norm that the layer takes along, or its moments
    bool has_moments = false;      ///< of a batch norm: the step before computes the moments of x
    bool runs_forward = true;      ///< false: the step before does
    bool runs_backward = true;     ///< false: the step behind does, or it is not needed
    bool backward_reads_x = true;  ///< if it runs
    bool backward_reads_y = true;
    bool adds_gradients = false;  ///< backward adds gradients of parameters to those of later steps
    Regularizer penalty = {};     ///< on y

    static constexpr auto none = static_cast<std::size_t>(-1);
    bool is_activation() const { return activation != linear; }
};

/// A batch of numbers that one step writes and others read, and its gradient.
struct PlanValue {
    Shape shape = {};             ///< of one sample
    std::size_t memory = 0;       ///< the value in whose memory it lies, if not its own
    std::size_t gradient = 0;     ///< the same of its gradient
    std::size_t readers = 0;      ///< steps that read it, or views of it
    std::size_t last = 0;         ///< no value after that one shares its memory or gradient
    bool needs_gradient = false;  ///< a trained parameter lies before it
};

}  // namespace weft
