/// \file
/// Layer: the interface of layers to a model.
#pragma once

#include "weft/kernels/activation.hpp"
#include "weft/layers/layer_builder.hpp"
#include "weft/layers/pass.hpp"

#include <memory>

namespace weft {

/// A layer of a built model: a pure function of its input and its parameters, y = f(x; p).
///
/// It holds no numbers: parameters are in the model's arena, and the data of a pass are in the
/// pass's workspace. So a built layer never changes, copies of a model share it, and any number of
/// threads may run passes through it at once.
template <class Scalar, class Device>
class Layer {
public:
    Layer(const Shape& input_shape, const Shape& output_shape)
        : input_shape_(input_shape), output_shape_(output_shape) {}
    virtual ~Layer() = default;

    const Shape& input_shape() const { return input_shape_; }    ///< of one sample, without N
    const Shape& output_shape() const { return output_shape_; }  ///< of one sample, without N

    /// y = f(x).   x (N, input_shape...)   y (N, output_shape...)
    virtual void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                         TensorView<Scalar, Device> y) const = 0;

    /// Computes dx = dL/dx from dy = dL/dy and the forward pass's x and y. Overwrites
    /// pass.gradient(slot) with the gradient of each trainable parameter, summed over the batch. dx
    /// is an empty view if it is not needed. dy may be used as scratch; x, y and pass.saved must
    /// not change. If backward_reads_x() or backward_reads_y() is false, only the shape of that
    /// view is valid.
    virtual void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                          TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                          TensorView<Scalar, Device> dx) const = 0;

    /// The bytes that forward saves for backward, besides x and y.
    virtual std::size_t saved_bytes(Index /*batch*/) const { return 0; }

    /// Whether y is x with another shape. Then they share memory, and forward and backward are
    /// never called.
    virtual bool is_view() const { return false; }

    /// The activation, if the layer is nothing else: the model then runs only that. linear for
    /// other layers.
    virtual Activation as_activation() const { return linear; }

    /// The activation behind f. The model runs it as a separate step; forward and backward leave it
    /// out, and y is its input. Backward must not read y then, since it may be overwritten.
    virtual Activation output_activation() const { return linear; }

    /// Whether forward can apply a relu as it stores y; pass.after asks for it.
    virtual bool absorbs_relu() const { return false; }

    /// Whether forward can apply dropout as it stores y, and backward its derivative to dy;
    /// pass.dropping asks for it.
    virtual bool absorbs_dropout() const { return false; }

    /// Whether forward can apply a relu and then dropout as it stores y. Backward needs neither:
    /// the layer behind applies both derivatives.
    virtual bool absorbs_relu_and_dropout() const { return false; }

    /// Whether forward can compute the moments of y, after an absorbed relu, for the batch norm in
    /// pass.norm.
    virtual bool absorbs_moments() const { return false; }

    /// Whether forward can first apply the batch norm in pass.norm to x, and backward its
    /// derivative, and write its gradients. x is then the batch norm's input.
    virtual bool absorbs_norm() const { return false; }

    /// The additional bytes that forward saves for backward then.
    virtual std::size_t saved_bytes_of_norm(Index /*batch*/) const { return 0; }

    /// Whether the layer is a batch norm and nothing else; normalizing(pass) then describes it.
    virtual bool is_norm() const { return false; }
    virtual kernels::Normalizing<Scalar> normalizing(const Pass<Scalar, Device>& /*pass*/) const {
        return {};
    }

    /// Whether backward can apply the derivative of a relu before the layer, if pass.before asks:
    /// dx = dL/dx where x > 0, else 0. It saves the relu a pass over its output.
    virtual bool backs_through_relu() const { return false; }

    /// Whether it can do so for a relu followed by dropout: dropped elements of x are 0.
    virtual bool backs_through_dropout() const { return false; }

    /// The rate, if the layer is dropout and nothing else; else 0.
    virtual double dropout_rate() const { return 0; }

    /// Whether dx may be the memory of dy in backward.
    virtual bool backs_in_place() const { return false; }

    /// Whether backward reads the numbers of x, and of y, with or without a relu before the layer.
    /// Numbers that it does not read are overwritten as soon as nothing else needs them, which
    /// saves memory.
    virtual bool backward_reads_x() const { return true; }
    virtual bool backward_reads_y(bool /*through_relu*/) const { return true; }

    /// The penalty on the layer's outputs, behind the output_activation().
    virtual Regularizer activity_regularizer() const { return {}; }

    /// The calls of a model; MergeLayer has several inputs.
    virtual void run_forward(const Pass<Scalar, Device>& pass,
                             Span<const TensorView<const Scalar, Device>> xs,
                             TensorView<Scalar, Device> y) const {
        forward(pass, xs.front(), y);
    }
    virtual void run_backward(const Pass<Scalar, Device>& pass,
                              Span<const TensorView<const Scalar, Device>> xs,
                              TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                              Span<const TensorView<Scalar, Device>> dxs) const {
        backward(pass, xs.front(), y, dy, dxs.front());
    }
    virtual bool is_merge() const { return false; }

private:
    Shape input_shape_;
    Shape output_shape_;
};

}  // namespace weft
