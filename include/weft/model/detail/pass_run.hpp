/// \file
/// PassRun: the steps of a plan, run over a batch.
#pragma once

#include "weft/core/eigen.hpp"
#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/cpu/penalty.hpp"
#include "weft/model/parameters.hpp"
#include "weft/model/workspace.hpp"

namespace weft::detail {

/// One pass over the batch x, in the memory of a workspace.
template <class Scalar, class Device>
class PassRun {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;
    using LayerPointer = std::shared_ptr<const Layer<Scalar, Device>>;

    /// mutable_state: in training, the parameters that no optimiser touches; else null.
    PassRun(std::span<const LayerPointer> layers, const Parameters<Scalar, Device>& parameters,
            Scalar* mutable_state, Workspace<Scalar, Device>& workspace, ConstView x,
            const PassOptions& options)
        : layers_(layers),
          parameters_(parameters),
          mutable_state_(mutable_state),
          workspace_(workspace),
          x_(x),
          options_(options) {}

    WEFT_COLD void forward() {
        double penalties = 0;
        for (const PlanStep& step : workspace_.plan().steps()) {
            const View y = workspace_.value(step.output, n());
            if (step.runs_forward) run(step, y);
            if (step.penalty) {
                penalties += penalty<Scalar>(device(), y, step.penalty.l1, step.penalty.l2);
            }
        }
        workspace_.set_activity_penalty(penalties);
    }

    /// After forward, and with dL/d(output) in its place.
    WEFT_COLD void backward(View gradients) {
        const auto& steps = workspace_.plan().steps();
        for (std::size_t i = steps.size(); i-- > 0;) {
            if (value(steps[i].output).needs_gradient) back(steps[i], gradients);
        }
    }

    /// A value of the plan: the input is the caller's, and so are views of it.
    ConstView read(std::size_t i) {
        if (value(i).memory == 0) return {x_.data(), value(i).shape.batch(n())};
        return workspace_.value(i, n());
    }

private:
    void run(const PlanStep& step, View y) {
        const ConstView x = read(step.input);
        if (step.is_activation) {
            activation_forward<Scalar>(device(), step.activation, x, y);
        } else {
            layers_[step.node]->forward(pass(step), x, y);
        }
    }

    void back(const PlanStep& step, View gradients) {
        const ConstView x = read(step.input), y = read(step.output);
        const View dy = workspace_.gradient(step.output, n());
        if (step.penalty) {
            const double share = 1 / static_cast<double>(n());
            add_penalty_gradient<Scalar>(device(), y, share * step.penalty.l1,
                                         share * step.penalty.l2, dy);
        }
        if (!step.runs_backward) return;
        View dx;
        if (value(step.input).needs_gradient) dx = workspace_.gradient(step.input, n());
        if (!step.is_activation) {
            Pass<Scalar, Device> with_gradients = pass(step);
            with_gradients.gradients = gradients.data();
            layers_[step.node]->backward(with_gradients, x, y, dy, dx);
        } else if (dx && needs_input(step.activation)) {
            activation_backward_from_input<Scalar>(device(), step.activation, x, dy, dx);
        } else if (dx) {
            activation_backward<Scalar>(device(), step.activation, y, dy, dx);
        }
    }

    Pass<Scalar, Device> pass(const PlanStep& step) {
        const bool is_training = workspace_.kind() == PassKind::training;
        return {.device = device(),
                .training = options_.training,
                .after = step.after,
                .before = step.before,
                .trainable = parameters_.arena().data(),
                .state = parameters_.state(),
                .mutable_state = mutable_state_,
                .saved = is_training ? workspace_.saved(step.node) : nullptr,
                .random = RandomStream(options_.seed, RandomPurpose::layer,
                                       static_cast<std::uint32_t>(step.node), options_.step)};
    }

    Device& device() { return workspace_.device(); }
    Index n() const { return x_.shape()[0]; }
    const PlanValue& value(std::size_t i) const { return workspace_.plan().values()[i]; }

    std::span<const LayerPointer> layers_;
    const Parameters<Scalar, Device>& parameters_;
    Scalar* mutable_state_;
    Workspace<Scalar, Device>& workspace_;
    ConstView x_;
    const PassOptions& options_;
};

}  // namespace weft::detail
