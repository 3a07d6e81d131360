/// \file
/// FoldedLayer: a layer that batch norms are folded into, or move past.
#pragma once

#include "weft/layers/average_pool2d.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/declaration.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/global_average_pool2d.hpp"
#include "weft/layers/global_max_pool2d.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/model/detail/channel_map.hpp"

namespace weft::detail {

/// A layer of a model while it is folded, with its changed parameters.
template <class Scalar, class Device>
struct FoldedLayer {
    LayerDeclaration<Scalar, Device> declaration;
    const Layer<Scalar, Device>* layer;      ///< of the model that is folded
    std::vector<Tensor<double>> parameters;  ///< double: they are rounded once

    /// scale = gamma / sqrt(moving_variance + epsilon),  shift = beta - scale moving_mean.
    ChannelMap inference_map(const BatchNorm& options) const {
        const Tensor<double>& mean = parameters[parameters.size() - 2];
        const Tensor<double>& variance = parameters.back();
        ChannelMap map;
        for (Index c = 0; c < mean.size(); ++c) {
            const double gamma = options.scale ? parameters.front()[c] : 1;
            const double beta = options.center ? parameters[options.scale ? 1 : 0][c] : 0;
            map.scale.push_back(gamma / std::sqrt(variance[c] + options.epsilon));
            map.shift.push_back(beta - map.scale.back() * mean[c]);
        }
        return map;
    }

    /// Whether layer(map(x)) = map'(layer(x)); makes map that map'.
    bool commutes_with(ChannelMap& map) const {
        if (layer->is_view()) {
            const Index channels = layer->output_shape().last();
            if (channels % static_cast<Index>(map.scale.size()) != 0) return false;
            map = map.repeated(channels);
            return true;
        }
        // Windows of pooling leave out elements outside the image, so they contain no zeros of a
        // padding.
        if (declaration.template get_if<MaxPool2D>() ||
            declaration.template get_if<GlobalMaxPool2D>()) {
            return map.is_increasing();
        }
        return declaration.template get_if<AveragePool2D>() ||
               declaration.template get_if<GlobalAveragePool2D>();
    }

    /// Whether the layer is Z = X * W + b with nothing behind it.
    bool is_linear() const {
        const auto* dense = declaration.template get_if<Dense>();
        const auto* conv = declaration.template get_if<Conv2D>();
        return (dense && dense->activation == linear) || (conv && conv->activation == linear);
    }

    /// Whether the layer is act(X * W + b), without any zero of a padding.
    bool reads_elements_only() const {
        if (declaration.template get_if<Dense>()) return true;
        const auto* conv = declaration.template get_if<Conv2D>();
        if (conv == nullptr) return false;
        const auto fits = [&](Index axis, Index size, Index stride, Index dilation) {
            const kernels::WindowAxis window = kernels::window_axis(
                layer->input_shape()[axis], size, stride, dilation, conv->padding);
            return (window.output - 1) * stride + window.extent() <= window.input;
        };
        return fits(0, conv->kernel_size.rows, conv->strides.rows, conv->dilation_rate.rows) &&
               fits(1, conv->kernel_size.columns, conv->strides.columns,
                    conv->dilation_rate.columns);
    }

    /// The map of a Dense or Conv2D, which gets a bias if it has none.
    LinearMap linear_map() {
        Index groups = 1;
        if (const auto* dense = declaration.template get_if<Dense>()) {
            with_bias(*dense);
        } else {
            const Conv2D& conv = *declaration.template get_if<Conv2D>();
            groups = conv.groups;
            with_bias(conv);
        }
        return {parameters[0], parameters[1], groups};
    }

private:
    template <class D>
    void with_bias(D dense_or_conv) {
        if (dense_or_conv.use_bias) return;
        dense_or_conv.use_bias = true;
        const auto known = declaration;  // which may have another name
        declaration = std::move(dense_or_conv);
        if (known.is_renamed()) declaration.set_name(known.name());
        parameters.emplace_back(Shape{parameters.front().shape().last()});
    }
};

}  // namespace weft::detail
