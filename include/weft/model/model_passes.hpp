/// \file
/// ModelPasses: passes over a batch, one by one.
#pragma once

#include "weft/model/detail/pass_run.hpp"
#include "weft/model/model_layers.hpp"

namespace weft {

/// The part of a Model that training runs: forward and backward over a batch, in a workspace.
template <class Scalar, class Device>
class ModelPasses : public ModelLayers<Scalar, Device> {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;
    using Layers = ModelLayers<Scalar, Device>;

    /// Runs the layers over the batch x (N, input_shape...), N up to the workspace's capacity. The
    /// result (N, output_shape...) is in the workspace until the next pass. They are logits if the
    /// workspace's plan leaves out the last activation.
    WEFT_COLD View forward(Workspace<Scalar, Device>& workspace, ConstView x,
                           const PassOptions& options = {}) const {
        forward(workspace, {&x, 1}, options);
        return this->prediction(workspace, x.shape()[0]);
    }

    /// The same, also in training, where layers may update parameters that are not trainable.
    WEFT_COLD View forward(Workspace<Scalar, Device>& workspace, ConstView x,
                           const PassOptions& options) {
        forward(workspace, {&x, 1}, options);
        return this->prediction(workspace, x.shape()[0]);
    }

    /// The same for several inputs or outputs: prediction(workspace, N, k) is output k.
    WEFT_COLD void forward(Workspace<Scalar, Device>& workspace, Span<const ConstView> xs,
                           const PassOptions& options = {}) const {
        if (options.training) {
            throw ArgumentError("model: a pass in training, of a model that is const");
        }
        run_forward(workspace, xs, options, nullptr);
    }
    WEFT_COLD void forward(Workspace<Scalar, Device>& workspace, Span<const ConstView> xs,
                           const PassOptions& options) {
        run_forward(workspace, xs, options, mutable_state(options));
    }

    /// The same up to the first layer whose output is not finite; returns that layer, or
    /// layer_count() if all are finite. It waits for the device after each layer.
    WEFT_COLD std::size_t forward_to_non_finite(Workspace<Scalar, Device>& workspace,
                                                Span<const ConstView> xs,
                                                const PassOptions& options) {
        return run_forward(workspace, xs, options, mutable_state(options), true);
    }

    /// Output k of a batch of n samples after forward.
    View prediction(Workspace<Scalar, Device>& workspace, Index n, std::size_t k = 0) const {
        detail::require_index("output", k, workspace.plan().output_count());
        return workspace.value(workspace.plan().output(k), n);
    }

    /// The place to write dL/d(output k) of a batch of n before backward: (n, output_shape...).
    View output_gradient(Workspace<Scalar, Device>& workspace, Index n, std::size_t k = 0) const {
        detail::require_index("output", k, workspace.plan().output_count());
        return workspace.output_gradient(k, n);
    }

    /// After a training forward over x with the same options, and with dL/d(output) in each
    /// output_gradient(): writes the gradient of every trainable parameter to `gradients`, laid out
    /// as trainable_parameters(). Computes no gradient of x. The outputs of layers are then no
    /// longer valid.
    WEFT_COLD void backward(Workspace<Scalar, Device>& workspace, ConstView x,
                            const PassOptions& options, View gradients) {
        backward(workspace, Span<const ConstView>(&x, 1), options, gradients);
    }
    WEFT_COLD void backward(Workspace<Scalar, Device>& workspace, Span<const ConstView> xs,
                            const PassOptions& options, View gradients) {
        require_pass(workspace, xs, true);
        const Shape expected{parameters_.trainable_size()};
        if (gradients.size() < expected[0])
            detail::require_shape("gradients have", gradients.shape(), expected);
        run_pass(workspace.device(), 2 * this->work(xs.front().shape()[0]),
                 [&] { pass(workspace, xs, options, mutable_state(options)).backward(gradients); });
    }

    /// The output of node i of the graph, layer i of a chain, in the forward pass over x just run
    /// in the workspace: of any node after an observed pass, else of an output of the model. If the
    /// layer's own relu is fused into it, the output is the relu's. Throws ArgumentError for an
    /// output whose memory may have been reused.
    WEFT_COLD ConstView output(Workspace<Scalar, Device>& workspace, ConstView x,
                               std::size_t i) const {
        return output(workspace, Span<const ConstView>(&x, 1), i);
    }
    WEFT_COLD ConstView output(Workspace<Scalar, Device>& workspace, Span<const ConstView> xs,
                               std::size_t i) const {
        detail::require_index("node", i, built().nodes.size());
        if (!workspace.plan().keeps(workspace.plan().of_node(i))) {
            throw ArgumentError(
                detail::join({"model: the output of ", this->layer_name(built().nodes[i].layer),
                              " is not kept; make_workspace for PassKind::observed keeps all"}));
        }
        return pass(workspace, xs, {}, nullptr).read(workspace.plan().of_node(i));
    }

    /// A workspace for batches of up to `capacity` samples. Its passes leave out the
    /// last_activation() of outputs whose entry in takes_logits is true. takes_logits may be
    /// shorter than the outputs, or empty. Throws ArgumentError for more entries.
    Workspace<Scalar, Device> make_workspace(Index capacity, PassKind kind,
                                             bool takes_logits = false) const {
        return make_workspace(capacity, kind, std::vector<bool>(1, takes_logits));
    }
    WEFT_COLD Workspace<Scalar, Device> make_workspace(
        Index capacity, PassKind kind, const std::vector<bool>& takes_logits) const {
        return {built().make_plan(kind, takes_logits),
                built().layers,
                built().names,
                built().input_shapes.size(),
                parameters_.trainable_size(),
                marks_.build(),
                device_,
                capacity};
    }

    /// The last activation of output k, whose input a loss may take instead. linear if there is
    /// none, or if another reader needs its input or output.
    Activation last_activation(std::size_t k = 0) const {
        detail::require_index("output", k, built().outputs.size());
        return built().plan->last_activation(k);
    }

protected:
    using Layers::Layers;

    using Layers::built;
    using Layers::built_;
    using Layers::device_;
    using Layers::marks_;
    using Layers::parameters_;

private:
    Scalar* mutable_state(const PassOptions& options) {
        return options.training ? parameters_.state() : nullptr;
    }

    detail::PassRun<Scalar, Device> pass(Workspace<Scalar, Device>& workspace,
                                         Span<const ConstView> xs, const PassOptions& options,
                                         Scalar* mutable_state) const {
        return {*built_, parameters_, mutable_state, workspace, xs, options};
    }

    WEFT_COLD void require_pass(const Workspace<Scalar, Device>& workspace,
                                Span<const ConstView> xs, bool training) const {
        const auto& inputs = built().input_shapes;
        if (xs.size() != inputs.size()) detail::refuse_inputs(xs.size(), inputs.size());
        for (std::size_t k = 0; k < xs.size(); ++k) {
            workspace.require_pass(marks_.build(), inputs[k], xs[k].shape(), training);
        }
    }

    WEFT_COLD std::size_t run_forward(Workspace<Scalar, Device>& workspace,
                                      Span<const ConstView> xs, const PassOptions& options,
                                      Scalar* mutable_state, bool looks = false) const {
        require_pass(workspace, xs, options.training);
        auto run = pass(workspace, xs, options, mutable_state);
        std::size_t found = 0;
        run_pass(workspace.device(), this->work(xs.front().shape()[0]), [&] {
            found = run.forward(looks);
            run.copy_inputs_to_outputs();
        });
        return found;
    }
};

}  // namespace weft
