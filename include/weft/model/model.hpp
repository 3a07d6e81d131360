/// \file
/// Model: layers with their parameters, as a function of a batch.
#pragma once

#include "weft/core/eigen.hpp"
#include "weft/model/detail/on_device.hpp"
#include "weft/model/detail/predict_batches.hpp"
#include "weft/model/model_passes.hpp"

namespace weft {

/// A graph of layers and, once built, its parameters. Training, saving and reports take a Model;
/// Sequential is one way to make it.
///
/// build() fixes the input shape, infers all others, and initialises the parameters. A copy is
/// deep. A moved-from model has no layers.
///
/// Most models have one input and one output. For several, functions take and return spans or
/// vectors of tensors, in the model's order.
///
/// predict is const and may be called by any number of threads at once.
template <class Scalar = float, class Device = Cpu>
class Model : public ModelPasses<Scalar, Device> {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;
    using Passes = ModelPasses<Scalar, Device>;

    Model() = default;
    WEFT_COLD Model(const Model&) = default;
    WEFT_COLD Model(Model&&) = default;
    /// If there is not enough memory for a copy, the model is unchanged.
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

    /// From a graph; built if it declares its inputs.
    WEFT_COLD explicit Model(Graph<Scalar, Device> graph, const Device& device = Device())
        : Passes(std::move(graph), device) {
        this->build_if_declared();
    }

    /// Built for inputs of the given shapes, whatever the graph declares.
    WEFT_COLD Model(Graph<Scalar, Device> graph, const Device& device,
                    Span<const Shape> input_shapes)
        : Passes(std::move(graph), device) {
        this->build(input_shapes);
    }

    /// The model as a layer of another: the value that it computes from others. Called again, it is
    /// the same layer, with the same parameters. The other model starts with copies of these.
    template <template <class, class> class Value, class... Others>
    Value<Scalar, Device> operator()(const Value<Scalar, Device>& x,
                                     const Others&... others) const {
        const auto outputs = std::ssize(this->graph().outputs);
        if (outputs != 1) {
            throw ArgumentError(detail::join({this->name(), ": it has ", outputs,
                                              " outputs, expected 1; apply gives all of them"}));
        }
        return Value<Scalar, Device>::apply(*this, {x, others...}).front();
    }

    /// The values of all outputs.
    template <template <class, class> class Value>
    std::vector<Value<Scalar, Device>> apply(std::vector<Value<Scalar, Device>> inputs) const {
        return Value<Scalar, Device>::apply(*this, std::move(inputs));
    }

    /// The shape of predict(x) for x of the given shape. Throws ShapeError as predict does.
    Shape prediction_shape(const Shape& x) const {
        return is_one_sample(x) ? output_shape() : output_shape().batch(x[0]);
    }

    /// f(x) for a batch x (N, input_shape...), giving (N, output_shape...), or for one sample
    /// x (input_shape...), giving (output_shape...). A sample's result has the same bits alone and
    /// in any batch, for finite parameters. Throws ShapeError when x is neither.
    Tensor<Scalar, Device> predict(ConstView x) const {
        Tensor<Scalar, Device> y(prediction_shape(x.shape()), device_);
        predict(x, y);
        return y;
    }

    /// The same for data that as_view takes: a row-major Eigen matrix (N, features), or a vector
    /// (features). On other devices than the CPU it reads and writes host memory, also for tensors.
    template <NoViewAs<ConstView> X>
    Tensor<Scalar> predict(const X& x) const {
        return detail::predict_on_host(*this, as_view_of<Scalar>(x));
    }

    /// The same into the caller's memory, which must not overlap x. Repeated, it allocates nothing.
    WEFT_COLD void predict(ConstView x, View y) const {
        const Index samples = is_one_sample(x.shape()) ? 1 : x.shape()[0];
        detail::require_shape("the output has", y.shape(), prediction_shape(x.shape()));
        if (samples == 0) return;
        const ConstView xs = x.reshape(input_shape().batch(samples));
        const View ys = y.reshape(output_shape().batch(samples));
        detail::predict_batches<Scalar, Device>(*this, pool_, {&xs, 1}, {&ys, 1});
    }

    /// All outputs for batches of all inputs, with equal numbers of samples. Throws ArgumentError
    /// or ShapeError, which names the input, for other numbers or shapes.
    std::vector<Tensor<Scalar, Device>> predict(std::vector<ConstView> xs) const {
        const Index samples = detail::require_inputs(this->input_shapes(), xs, *this);
        std::vector<Tensor<Scalar, Device>> outputs;
        std::vector<View> ys;
        for (const Shape& shape : this->output_shapes()) {
            ys.push_back(outputs.emplace_back(shape.batch(samples), device_));
        }
        predict(Span<const ConstView>(xs), ys);
        return outputs;
    }

    /// The same for predict({x1, x2}); for one input predict({x}), whereas predict(x) returns a
    /// tensor.
    std::vector<Tensor<Scalar, Device>> predict(std::initializer_list<ConstView> xs) const {
        return predict(std::vector<ConstView>(xs));
    }

    /// The same into the caller's memory. Repeated, it allocates nothing.
    void predict(Span<const ConstView> xs, Span<const View> ys) const {
        const Index samples = detail::require_inputs(this->input_shapes(), xs, *this);
        detail::require_outputs(this->output_shapes(), ys, samples, *this);
        if (samples > 0) detail::predict_batches<Scalar, Device>(*this, pool_, xs, ys);
    }

    using Passes::input_shape;
    using Passes::output_shape;

protected:
    WEFT_COLD explicit Model(std::vector<Declaration> declarations) {
        for (Declaration& declaration : declarations) graph_.append(std::move(declaration));
    }

private:
    bool is_one_sample(const Shape& x) const {
        return detail::is_one_sample(x, input_shape(), built().names.front());
    }

    using Passes::built;
    using Passes::device_;
    using Passes::graph_;
    using Passes::pool_;
};

}  // namespace weft
