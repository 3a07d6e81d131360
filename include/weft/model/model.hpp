/// \file
/// Model: layers with their parameters, as a function of a batch.
#pragma once

#include "weft/core/eigen.hpp"
#include "weft/model/detail/on_device.hpp"
#include "weft/model/detail/pass_run.hpp"
#include "weft/model/detail/predict_batches.hpp"
#include "weft/model/model_layers.hpp"

namespace weft {

/// A graph of layers and, once built, its parameters. What trains, saves and reports a model takes
/// this; Sequential makes one.
///
/// build() fixes the input shape, infers every other, and gives the parameters their first values.
/// A copy is deep. What is moved from has no layers.
///
/// Most models have one input and one output. Of several there is a span or a vector, in their
/// order, where there is one tensor otherwise.
///
/// predict is const and may be called by any number of threads at once.
template <class Scalar = float, class Device = Cpu>
class Model : public ModelLayers<Scalar, Device> {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;
    using Layers = ModelLayers<Scalar, Device>;

    Model() = default;
    WEFT_COLD Model(const Model&) = default;
    WEFT_COLD Model(Model&&) = default;
    /// Where there is not the memory for a copy, the model stays as it was.
    WEFT_COLD Model& operator=(const Model& other) {
        return this == &other ? *this : *this = Model(other);
    }
    WEFT_COLD Model& operator=(Model&&) = default;
    WEFT_COLD ~Model() = default;

    /// Built from the graph of values between an input and an output.
    template <template <class, class> class Value>
    Model(const Value<Scalar, Device>& input, const Value<Scalar, Device>& output)
        : Model(Value<Scalar, Device>::graph({&input, 1}, {&output, 1})) {}

    /// Between several: Model model({a, b}, {c, d}).
    template <template <class, class> class Value>
    Model(std::initializer_list<Value<Scalar, Device>> inputs,
          std::initializer_list<Value<Scalar, Device>> outputs)
        : Model(Value<Scalar, Device>::graph(inputs, outputs)) {}
    template <template <class, class> class Value>
    Model(const Value<Scalar, Device>& input, std::initializer_list<Value<Scalar, Device>> outputs)
        : Model(Value<Scalar, Device>::graph({&input, 1}, outputs)) {}
    template <template <class, class> class Value>
    Model(std::initializer_list<Value<Scalar, Device>> inputs, const Value<Scalar, Device>& output)
        : Model(Value<Scalar, Device>::graph(inputs, {&output, 1})) {}
    template <template <class, class> class Value>
    Model(const std::vector<Value<Scalar, Device>>& inputs,
          const std::vector<Value<Scalar, Device>>& outputs)
        : Model(Value<Scalar, Device>::graph(inputs, outputs)) {}

    /// Of that graph; built if it declares its inputs.
    WEFT_COLD explicit Model(Graph<Scalar, Device> graph) : Layers(std::move(graph)) {
        this->build_if_declared();
    }

    /// The model as a layer of another: the value that it computes of others. Called again, it is
    /// the same layer, with the same parameters. The other model starts with copies of these.
    template <template <class, class> class Value, class... Others>
    Value<Scalar, Device> operator()(const Value<Scalar, Device>& x,
                                     const Others&... others) const {
        const auto outputs = std::ssize(this->graph().outputs);
        if (outputs != 1) {
            throw ArgumentError(concat(this->name(), ": it has ", outputs,
                                       " outputs, expected 1; apply gives all of them"));
        }
        return Value<Scalar, Device>::apply(*this, {x, others...}).front();
    }

    /// The values that it computes, where it has several outputs.
    template <template <class, class> class Value>
    std::vector<Value<Scalar, Device>> apply(std::vector<Value<Scalar, Device>> inputs) const {
        return Value<Scalar, Device>::apply(*this, std::move(inputs));
    }

    /// f(x) for a batch x (N, input_shape...), giving (N, output_shape...), or for one sample
    /// x (input_shape...), giving (output_shape...). A sample's result has the same bits alone and
    /// in any batch, for finite parameters. Throws ShapeError when x is neither.
    Tensor<Scalar, Device> predict(ConstView x) const {
        Tensor<Scalar, Device> y(
            is_one_sample(x.shape()) ? output_shape() : output_shape().batch(x.shape()[0]),
            device_);
        predict(x, y);
        return y;
    }

    /// The same for what as_view takes: a row-major Eigen matrix (N, features), or a vector
    /// (features). On another device than the CPU from and to memory of the host's, tensors too.
    template <NoViewAs<ConstView> X>
    Tensor<Scalar> predict(const X& x) const {
        return detail::predict_on_host(*this, as_view_of<Scalar>(x));
    }

    /// The same into memory of the caller's, which must not overlap x. Repeated, it allocates
    /// nothing.
    WEFT_COLD void predict(ConstView x, View y) const {
        const bool one = is_one_sample(x.shape());
        const Index samples = one ? 1 : x.shape()[0];
        const Shape expected = one ? output_shape() : output_shape().batch(samples);
        detail::require_shape("the output has", y.shape(), expected);
        if (samples == 0) return;
        const ConstView xs = x.reshape(input_shape().batch(samples));
        const View ys = y.reshape(output_shape().batch(samples));
        detail::predict_batches<Scalar, Device>(*this, pool_, {&xs, 1}, {&ys, 1});
    }

    /// All outputs for batches of all inputs, of as many samples each. Throws ArgumentError or
    /// ShapeError, which names the input, for other numbers or shapes.
    std::vector<Tensor<Scalar, Device>> predict(std::vector<ConstView> xs) const {
        const Index samples = detail::require_inputs(this->input_shapes(), xs, *this);
        std::vector<Tensor<Scalar, Device>> outputs;
        std::vector<View> ys;
        for (const Shape& shape : this->output_shapes()) {
            ys.push_back(outputs.emplace_back(shape.batch(samples), device_));
        }
        predict(std::span<const ConstView>(xs), ys);
        return outputs;
    }

    /// The same for predict({x1, x2}); of one input predict({x}), where predict(x) gives a tensor.
    std::vector<Tensor<Scalar, Device>> predict(std::initializer_list<ConstView> xs) const {
        return predict(std::vector<ConstView>(xs));
    }

    /// The same into memory of the caller's. Repeated, it allocates nothing.
    void predict(std::span<const ConstView> xs, std::span<const View> ys) const {
        const Index samples = detail::require_inputs(this->input_shapes(), xs, *this);
        detail::require_outputs(this->output_shapes(), ys, samples, *this);
        if (samples > 0) detail::predict_batches<Scalar, Device>(*this, pool_, xs, ys);
    }

    /// Runs the layers over the batch x (N, input_shape...), N up to the workspace's capacity. The
    /// result (N, output_shape...) lies in the workspace until the next pass: logits, if its plan
    /// gives them.
    WEFT_NOINLINE View forward(Workspace<Scalar, Device>& workspace, ConstView x,
                               const PassOptions& options = {}) const {
        forward(workspace, {&x, 1}, options);
        return this->prediction(workspace, x.shape()[0]);
    }

    /// The same, also in training, where layers may update parameters that are not trainable.
    WEFT_NOINLINE View forward(Workspace<Scalar, Device>& workspace, ConstView x,
                               const PassOptions& options) {
        forward(workspace, {&x, 1}, options);
        return this->prediction(workspace, x.shape()[0]);
    }

    /// The same for several inputs or outputs: prediction(workspace, N, k) is output k.
    WEFT_NOINLINE void forward(Workspace<Scalar, Device>& workspace, std::span<const ConstView> xs,
                               const PassOptions& options = {}) const {
        if (options.training) {
            throw ArgumentError("model: a pass in training, of a model that is const");
        }
        run_forward(workspace, xs, options, nullptr);
    }
    WEFT_NOINLINE void forward(Workspace<Scalar, Device>& workspace, std::span<const ConstView> xs,
                               const PassOptions& options) {
        run_forward(workspace, xs, options, mutable_state(options));
    }

    /// Output k of a batch of n samples after forward.
    View prediction(Workspace<Scalar, Device>& workspace, Index n, std::size_t k = 0) const {
        detail::require_index("output", k, workspace.plan().output_count());
        return workspace.value(workspace.plan().output(k), n);
    }

    /// Where dL/d(output k) of a batch of n belongs before backward: (n, output_shape...).
    View output_gradient(Workspace<Scalar, Device>& workspace, Index n, std::size_t k = 0) const {
        detail::require_index("output", k, workspace.plan().output_count());
        return workspace.output_gradient(k, n);
    }

    /// After a training forward over x with the same options, and with dL/d(output) in each
    /// output_gradient(): the gradient of every trainable parameter into `gradients`, laid out as
    /// trainable_parameters(). No gradient of x is computed. The outputs of layers are no longer
    /// there then.
    WEFT_COLD void backward(Workspace<Scalar, Device>& workspace, ConstView x,
                            const PassOptions& options, View gradients) {
        backward(workspace, std::span<const ConstView>(&x, 1), options, gradients);
    }
    WEFT_COLD void backward(Workspace<Scalar, Device>& workspace, std::span<const ConstView> xs,
                            const PassOptions& options, View gradients) {
        require_pass(workspace, xs, true);
        const Shape expected{parameters_.trainable_size()};
        if (gradients.size() < expected[0])
            detail::require_shape("gradients have", gradients.shape(), expected);
        run_pass(workspace.device(), 2 * this->work(xs.front().shape()[0]),
                 [&] { pass(workspace, xs, options, mutable_state(options)).backward(gradients); });
    }

    /// The output of node i of the graph, layer i of a chain, in the forward pass over x just run
    /// in the workspace. Of a training workspace any layer; of an inference workspace the last.
    /// That of a layer behind which a relu of its own is fused is the relu's.
    WEFT_COLD ConstView output(Workspace<Scalar, Device>& workspace, ConstView x,
                               std::size_t i) const {
        return output(workspace, std::span<const ConstView>(&x, 1), i);
    }
    WEFT_COLD ConstView output(Workspace<Scalar, Device>& workspace, std::span<const ConstView> xs,
                               std::size_t i) const {
        detail::require_index("node", i, built().nodes.size());
        return pass(workspace, xs, {}, nullptr).read(workspace.plan().of_node(i));
    }

    /// A workspace for batches of up to `capacity` samples. The passes in it leave out the
    /// last_activation() of the outputs that takes_logits has true for: those of all outputs, or of
    /// the first ones, which may be none. Throws ArgumentError for more.
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

    /// The activation that output k comes out of, in place of which a loss may take its input.
    /// linear where there is none, or something else sees the one or the other.
    Activation last_activation(std::size_t k = 0) const {
        detail::require_index("output", k, built().outputs.size());
        return built().plan->last_activation(k);
    }

    using Layers::input_shape;
    using Layers::output_shape;

protected:
    WEFT_COLD explicit Model(std::vector<Declaration> declarations) {
        for (Declaration& declaration : declarations) graph_.append(std::move(declaration));
    }

private:
    bool is_one_sample(const Shape& x) const {
        return detail::is_one_sample(x, input_shape(), built().names.front());
    }

    Scalar* mutable_state(const PassOptions& options) {
        return options.training ? parameters_.state() : nullptr;
    }

    detail::PassRun<Scalar, Device> pass(Workspace<Scalar, Device>& workspace,
                                         std::span<const ConstView> xs, const PassOptions& options,
                                         Scalar* mutable_state) const {
        return {*built_, parameters_, mutable_state, workspace, xs, options};
    }

    WEFT_COLD void require_pass(const Workspace<Scalar, Device>& workspace,
                                std::span<const ConstView> xs, bool training) const {
        const auto& inputs = built().input_shapes;
        if (xs.size() != inputs.size()) detail::refuse_inputs(xs.size(), inputs.size());
        for (std::size_t k = 0; k < xs.size(); ++k) {
            workspace.require_pass(marks_.build(), inputs[k], xs[k].shape(), training);
        }
    }

    WEFT_COLD void run_forward(Workspace<Scalar, Device>& workspace, std::span<const ConstView> xs,
                               const PassOptions& options, Scalar* mutable_state) const {
        require_pass(workspace, xs, options.training);
        auto run = pass(workspace, xs, options, mutable_state);
        run_pass(workspace.device(), this->work(xs.front().shape()[0]), [&] {
            run.forward();
            run.copy_inputs_to_outputs();
        });
    }

    using Layers::built;
    using Layers::built_;
    using Layers::device_;
    using Layers::graph_;
    using Layers::marks_;
    using Layers::parameters_;
    using Layers::pool_;
};

}  // namespace weft
