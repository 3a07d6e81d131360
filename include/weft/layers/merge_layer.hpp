/// \file
/// MergeLayer: a layer of several inputs.
#pragma once

#include "weft/layers/layer.hpp"

#include <span>

namespace weft {

/// A layer that computes y = f(x_0, x_1, ...). Like Layer, but with several inputs, whose shapes
/// are LayerBuilder's input_shapes().
template <class Scalar, class Device>
class MergeLayer : public Layer<Scalar, Device> {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    using Layer<Scalar, Device>::Layer;

    /// y = f(xs).   xs[k] (N, input k...)   y (N, output_shape...)
    virtual void merge(const Pass<Scalar, Device>& pass, std::span<const ConstView> xs,
                       View y) const = 0;

    /// dxs[k] = dL/dx_k, unless it is an empty view. For the rest see Layer::backward.
    virtual void split(const Pass<Scalar, Device>& pass, std::span<const ConstView> xs, ConstView y,
                       View dy, std::span<const View> dxs) const = 0;

    void forward(const Pass<Scalar, Device>& pass, ConstView x, View y) const final {
        merge(pass, {&x, 1}, y);
    }
    void backward(const Pass<Scalar, Device>& pass, ConstView x, ConstView y, View dy,
                  View dx) const final {
        split(pass, {&x, 1}, y, dy, {&dx, 1});
    }
    void run_forward(const Pass<Scalar, Device>& pass, Span<const ConstView> xs,
                     View y) const final {
        merge(pass, {xs.data(), xs.size()}, y);
    }
    void run_backward(const Pass<Scalar, Device>& pass, Span<const ConstView> xs, ConstView y,
                      View dy, Span<const View> dxs) const final {
        split(pass, {xs.data(), xs.size()}, y, dy, {dxs.data(), dxs.size()});
    }
    bool is_merge() const final { return true; }
};

namespace detail {

/// The common shape of all inputs. Throws ShapeError if they differ.
WEFT_COLD inline const Shape& common_input_shape(const LayerBuilder& builder) {
    for (const Shape& shape : builder.input_shapes()) {
        if (shape == builder.input_shape()) continue;
        throw ShapeError(join({builder.name(), ": inputs have the shapes ",
                               builder.input_shape().to_batch_string(), " and ",
                               shape.to_batch_string(), ", expected the same"}));
    }
    return builder.input_shape();
}

}  // namespace detail

}  // namespace weft
