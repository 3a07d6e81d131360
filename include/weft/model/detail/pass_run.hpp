/// \file
/// PassRun: runs the steps of a plan over a batch.
#pragma once

#include "weft/core/eigen.hpp"
#include "weft/model/built_graph.hpp"
#include "weft/model/workspace.hpp"

namespace weft::detail {

/// One pass over a batch, with an x for each input, in the memory of a workspace.
template <class Scalar, class Device>
class PassRun {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    /// mutable_state: in training, the parameters that are not trainable; else null.
    PassRun(const BuiltGraph<Scalar, Device>& graph, const Parameters<Scalar, Device>& parameters,
            Scalar* mutable_state, Workspace<Scalar, Device>& workspace, Span<const ConstView> xs,
            const PassOptions& options)
        : graph_(graph),
          parameters_(parameters),
          mutable_state_(mutable_state),
          workspace_(workspace),
          xs_(xs),
          options_(options) {}

    /// Runs all steps; if it checks, only up to the first whose output is not finite. Returns its
    /// layer, or the number of layers if there is none.
    WEFT_COLD std::size_t forward(bool looks = false) {
        bool adds = false;
        for (const PlanStep& step : plan().steps()) {
            const View y = workspace_.value(step.output, n());
            if (step.runs_forward) run(step, y);
            if (step.penalty) {
                add_penalty<Scalar>(device(), y, step.penalty.l1, step.penalty.l2, adds,
                                    workspace_.activity_penalty().data());
                adds = true;
            }
            if (!looks || all_finite<Scalar>(device(), ConstView(y))) continue;
            // x is finite: an absorbed batch norm is the cause, if there is one.
            const PlanStep* const norm = norm_before(step);
            return norm != nullptr ? norm->layer : step.layer;
        }
        return graph_.layers.size();
    }

    /// After forward, with dL/d(output) in its place.
    WEFT_COLD void backward(View gradients) {
        const auto& steps = plan().steps();
        for (const std::size_t layer : plan().idle_layers()) {
            for (const ParameterInfo& parameter : graph_.layer_parameters(layer)) {
                const auto& [offset, shape, is_trainable] = parameter.slot;
                if (!is_trainable) continue;
                copy_elements<Scalar>(device(), ConstView(workspace_.zeros() + offset, shape),
                                      View(gradients.data() + offset, shape));
            }
        }
        for (std::size_t k = 1; k < plan().output_count(); ++k) {
            if (plan().first_with_gradient(k) == k) continue;
            const View sum = workspace_.gradient(plan().output(k), n());
            add_elements<Scalar>(device(), workspace_.output_gradient(k, n()), sum, sum);
        }
        for (std::size_t i = steps.size(); i-- > 0;) {
            if (value(steps[i].output).needs_gradient) back(steps[i], gradients);
        }
    }

    /// A value of the plan: inputs are the caller's, and so are views of them.
    WEFT_COLD ConstView read(std::size_t i) {
        if (!plan().is_of_caller(i)) return workspace_.value(i, n());
        return {xs_[value(i).memory].data(), value(i).shape.batch(n())};
    }

    /// Copies outputs that are views of the caller's memory to the workspace.
    WEFT_COLD void copy_inputs_to_outputs() {
        for (std::size_t k = 0; k < plan().output_count(); ++k) {
            const std::size_t output = plan().output(k);
            if (!plan().is_of_caller(output)) continue;
            copy_elements<Scalar>(device(), read(output), workspace_.value(output, n()));
        }
    }

private:
    WEFT_COLD void run(const PlanStep& step, View y) {
        const auto xs = read_all(step);
        if (step.is_activation()) {
            activation_forward<Scalar>(device(), step.activation, xs.front(), y);
        } else {
            layer(step).run_forward(pass(step), xs, y);
        }
    }

    WEFT_COLD void back(const PlanStep& step, View gradients) {
        const auto xs = read_all(step);
        const ConstView y = read(step.output);
        const View dy = workspace_.gradient(step.output, n());
        if (step.penalty) {
            const double share = 1 / static_cast<double>(options_.samples_of_step(n()));
            add_penalty_gradient<Scalar>(device(), y, share * step.penalty.l1,
                                         share * step.penalty.l2, dy);
        }
        if (!step.runs_backward) return;
        View* const dxs = workspace_.input_gradients();
        for (std::size_t i = 0; i < step.inputs; ++i) dxs[i] = gradient_of(step, i);
        const View& dx = dxs[0];
        if (!step.is_activation()) {
            layer(step).run_backward(pass(step, gradients), xs, y, dy, {dxs, step.inputs});
        } else if (dx && needs_input(step.activation)) {
            activation_backward_from_input<Scalar>(device(), step.activation, xs.front(), dy, dx);
        } else if (dx) {
            activation_backward<Scalar>(device(), step.activation, y, dy, dx);
        }
        add_gradients(step, gradients);
        if (norm_before(step) != nullptr) add_gradients(*norm_before(step), gradients);
    }

    /// Adds gradients that backward of a step wrote separately.
    WEFT_COLD void add_gradients(const PlanStep& step, View gradients) {
        for (std::size_t i = 0; i < step.inputs; ++i) {
            const PlanInput input = plan().inputs(step)[i];
            if (!input.adds_gradient) continue;
            const View sum = workspace_.gradient(input.value, n());
            add_elements<Scalar>(device(), gradient_of(step, i), sum, sum);
        }
        if (!step.adds_gradients) return;
        for (const ParameterInfo& parameter : graph_.layer_parameters(step.layer)) {
            const auto& [offset, shape, is_trainable] = parameter.slot;
            if (!is_trainable) continue;
            const View added(workspace_.gradients_of_shared() + offset, shape);
            const View sum(gradients.data() + offset, shape);
            add_elements<Scalar>(device(), added, sum, sum);
        }
    }

    /// The memory where backward of a step writes dx of an input: none, its place, or separate
    /// memory whose numbers are added later.
    WEFT_COLD View gradient_of(const PlanStep& step, std::size_t i) {
        const PlanInput input = plan().inputs(step)[i];
        if (!value(input.value).needs_gradient) return {};
        const View gradient = workspace_.gradient(input.value, n());
        if (!input.adds_gradient) return gradient;
        auto* beside = reinterpret_cast<Scalar*>(workspace_.added(index(step)));
        for (std::size_t k = 0; k < i; ++k) {
            const PlanInput other = plan().inputs(step)[k];
            if (other.adds_gradient) beside += value(other.value).shape.batch(n()).size();
        }
        return {beside, gradient.shape()};
    }

    WEFT_COLD Span<const ConstView> read_all(const PlanStep& step) {
        ConstView* const xs = workspace_.inputs();
        for (std::size_t i = 0; i < step.inputs; ++i) xs[i] = read(plan().inputs(step)[i].value);
        return {xs, step.inputs};
    }

    /// gradients: in backward, the gradients of all parameters.
    WEFT_COLD Pass<Scalar, Device> pass(const PlanStep& step, View gradients = {}) {
        const bool is_training = weft::is_training(workspace_.kind());
        return {.device = device(),
                .training = options_.training,
                .after = step.after,
                .before = options_.training ? step.before : step.before.activation,
                .dropping = dropping(step),
                .norm = normalizing(step, gradients),
                .has_moments = step.has_moments,
                .trainable = parameters_.arena().data(),
                .state = parameters_.state(),
                .mutable_state = mutable_state_,
                .gradients = gradients_of(step, gradients),
                .saved = is_training ? workspace_.saved(index(step)) : nullptr,
                .random = random(step),
                .step = options_.step_on_device,
                .first_sample = options_.first_sample};
    }

    WEFT_COLD RandomStream random(const PlanStep& step) const {
        return {options_.seed, RandomPurpose::layer, static_cast<std::uint32_t>(step.node),
                options_.step};
    }

    WEFT_COLD kernels::Dropping dropping(const PlanStep& step) {
        if (step.dropout == PlanStep::none || !options_.training) return {};
        const PlanStep& dropout = plan().steps()[step.dropout];
        return {.rate = graph_.nodes[dropout.node].dropout_rate,
                .random = random(dropout),
                .at_step = options_.step_on_device,
                .first = options_.first_sample * value(step.output).shape.size(),
                .kept = reinterpret_cast<std::uint8_t*>(workspace_.saved(step.dropout))};
    }

    /// The batch norm that the layer absorbs, or, in training, whose moments it computes; outside
    /// training the moments are given.
    WEFT_COLD kernels::Normalizing<Scalar> normalizing(const PlanStep& step, View gradients) {
        if (step.norm == PlanStep::none) return {};
        if (!options_.training && norm_before(step) == nullptr) return {};
        const PlanStep& norm = plan().steps()[step.norm];
        Pass<Scalar, Device> of_norm = pass(norm, gradients);
        of_norm.has_moments = norm.has_moments && norm_before(step) != nullptr;
        return layer(norm).normalizing(of_norm);
    }

    /// The batch norm that the layer applies to x; null if there is none.
    const PlanStep* norm_before(const PlanStep& step) const {
        const bool is_before = step.norm != PlanStep::none && step.norm < index(step);
        return is_before ? &plan().steps()[step.norm] : nullptr;
    }

    Scalar* gradients_of(const PlanStep& step, View gradients) {
        if (!gradients) return nullptr;
        return step.adds_gradients ? workspace_.gradients_of_shared() : gradients.data();
    }

    const Plan& plan() const { return workspace_.plan(); }
    std::size_t index(const PlanStep& step) const { return plan().index(step); }
    const Layer<Scalar, Device>& layer(const PlanStep& step) const {
        return *graph_.layers[step.layer];
    }
    Device& device() { return workspace_.device(); }
    Index n() const { return xs_.front().shape()[0]; }
    const PlanValue& value(std::size_t i) const { return plan().values()[i]; }

    const BuiltGraph<Scalar, Device>& graph_;
    const Parameters<Scalar, Device>& parameters_;
    Scalar* mutable_state_;
    Workspace<Scalar, Device>& workspace_;
    Span<const ConstView> xs_;
    const PassOptions& options_;
};

}  // namespace weft::detail
