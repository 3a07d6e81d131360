/// \file
/// Layer: what every layer is to a model.
#pragma once

#include "weft/kernels/activation.hpp"
#include "weft/layers/layer_builder.hpp"
#include "weft/layers/pass.hpp"

#include <memory>

namespace weft {

/// A layer of a built model: a pure function of its input and its parameters, y = f(x; p).
///
/// It holds no numbers of its own: parameters lie in the model's arena, and whatever a pass leaves
/// behind lies in the pass's workspace. So it never changes once built, models that are copies of
/// each other share it, and any number of threads may run passes through it at once.
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

    /// From dy = dL/dy and the x and y of the forward pass: dx = dL/dx, and the gradient of each
    /// trainable parameter, summed over the batch, into pass.gradient(slot), which it overwrites.
    /// dx is an empty view when nobody needs it. dy may be used as scratch; x, y and what forward
    /// saved stay as they are. Of an x or y that backward says it does not read only the shape is
    /// right.
    virtual void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                          TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                          TensorView<Scalar, Device> dx) const = 0;

    /// How many bytes forward keeps for backward, besides x and y.
    virtual std::size_t saved_bytes(Index /*batch*/) const { return 0; }

    /// Whether y is x under another shape: then they share memory, and forward and backward are
    /// never called.
    virtual bool is_view() const { return false; }

    /// The activation that the layer is and no more, so that a model runs just that; linear if it
    /// is something else.
    virtual Activation as_activation() const { return linear; }

    /// The activation behind f, which the model runs as a step of its own. Forward and backward
    /// leave it out: y is its input. But backward is not to read y then, which may be overwritten.
    virtual Activation output_activation() const { return linear; }

    /// Whether forward can apply a relu as it stores y, told by pass.after.
    virtual bool absorbs_relu() const { return false; }

    /// Whether forward can apply dropout as it stores y, and backward take its derivative from dy, told
    /// by pass.dropping.
    virtual bool absorbs_dropout() const { return false; }

    /// Whether forward can apply a relu and then dropout as it stores y, where backward has to know of
    /// neither: the layer behind takes the derivative of both.
    virtual bool absorbs_relu_and_dropout() const { return false; }

    /// Whether forward can take the moments of y, behind a relu that it absorbs, for a batch norm that
    /// is told by pass.norm.
    virtual bool absorbs_moments() const { return false; }

    /// Whether forward can apply a batch norm to x first, told by pass.norm, and backward take its
    /// derivative and write its gradients. x is then the batch norm's.
    virtual bool absorbs_norm() const { return false; }

    /// How many bytes more forward keeps for backward where it does.
    virtual std::size_t saved_bytes_of_norm(Index /*batch*/) const { return 0; }

    /// Whether the layer is a batch norm and no more, which normalizing(pass) then describes.
    virtual bool is_norm() const { return false; }
    virtual kernels::Normalizing<Scalar> normalizing(const Pass<Scalar, Device>& /*pass*/) const {
        return {};
    }

    /// Whether backward can take the derivative of a relu before the layer into its own, told by
    /// pass.before: dx = dL/dx where x > 0, else 0. Saves the relu a pass over its output.
    virtual bool backs_through_relu() const { return false; }

    /// Whether the same is true of a relu with dropout behind it, of which x tells enough: an x that
    /// was dropped is 0.
    virtual bool backs_through_dropout() const { return false; }

    /// The rate of the dropout that the layer is, and no more; 0 if it is something else.
    virtual double dropout_rate() const { return 0; }

    /// Whether backward allows dx to be dy.
    virtual bool backs_in_place() const { return false; }

    /// Whether backward reads the numbers of x, and those of y, through a relu before the layer or
    /// not. What it does not may be written over as soon as nobody else needs it, which saves memory.
    virtual bool backward_reads_x() const { return true; }
    virtual bool backward_reads_y(bool /*through_relu*/) const { return true; }

    /// The penalty on the layer's outputs, behind the output_activation().
    virtual Regularizer activity_regularizer() const { return {}; }

    /// What a model calls: MergeLayer has several inputs.
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
