/// \file
/// fold_batch_norm: a copy of a model for inference, with its batch norms inside other layers.
#pragma once

#include "weft/core/summation.hpp"
#include "weft/layers/average_pool2d.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/layers/global_average_pool2d.hpp"
#include "weft/layers/global_max_pool2d.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/model/sequential.hpp"

namespace weft {

namespace detail {

/// A batch norm in inference:  y_c = scale_c x_c + shift_c,  channels along the last axis.
struct ChannelMap {
    std::vector<double> scale, shift;

    bool is_finite() const {
        const auto finite = [](double x) { return std::isfinite(x); };
        return std::ranges::all_of(scale, finite) && std::ranges::all_of(shift, finite);
    }

    /// Whether max(map(a), map(b)) = map(max(a, b)).
    bool is_increasing() const {
        return std::ranges::all_of(scale, [](double s) { return s >= 0; });
    }

    /// The same map of elements that are seen as `channels`, a multiple of those here.
    ChannelMap repeated(Index channels) const {
        ChannelMap result;
        for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
            result.scale.push_back(scale[c % scale.size()]);
            result.shift.push_back(shift[c % shift.size()]);
        }
        return result;
    }
};

/// Z = X * W + b, of Dense as of Conv2D: the kernel W (taps..., C / groups, filters), a tap being
/// one place of a window, and the bias b (filters).
struct LinearMap {
    Tensor<double>& kernel;
    Tensor<double>& bias;
    Index groups;

    /// Z = map(X * W + b):  W_kcf scale_f,  b_f scale_f + shift_f.
    void append(const ChannelMap& map) const {
        for (Index i = 0; i < kernel.size(); ++i) kernel[i] *= scale(map, i % filters());
        for (Index f = 0; f < filters(); ++f) bias[f] = bias[f] * scale(map, f) + shift(map, f);
    }

    /// Z = map(X) * W + b:  W_kcf scale_c,  b_f + sum_kc shift_c W_kcf,  where every tap reads an
    /// element of X. Filters see the channels of their own group. The sum is pairwise, in double.
    void prepend(const ChannelMap& map) const {
        const Index group_channels = kernel.shape()[kernel.shape().rank() - 2];
        for (Index f = 0; f < filters(); ++f) {
            const Index first_channel = f / (filters() / groups) * group_channels;
            bias[f] += pairwise_sum(kernel.size() / filters(), [&](Index begin, Index end) {
                double sum = 0;
                for (Index k = begin; k < end; ++k) {
                    const Index c = first_channel + k % group_channels;
                    double& weight = kernel[k * filters() + f];
                    sum += shift(map, c) * weight;
                    weight *= scale(map, c);
                }
                return sum;
            });
        }
    }

private:
    static double scale(const ChannelMap& map, Index c) {
        return map.scale[static_cast<std::size_t>(c)];
    }
    static double shift(const ChannelMap& map, Index c) {
        return map.shift[static_cast<std::size_t>(c)];
    }
    Index filters() const { return kernel.shape().last(); }
};

/// The layers of a model on their way into the copy.
template <class Scalar, class Device>
class BatchNormFolder {
public:
    WEFT_COLD explicit BatchNormFolder(const Sequential<Scalar, Device>& model) {
        for (std::size_t i = 0; i < model.layer_count(); ++i) {
            const auto& declaration = model.declarations()[i];
            if (declaration.template get_if<Dropout>()) continue;
            Part part{declaration, &model.layer(i), {}};
            for (const ParameterInfo& parameter : model.layer_parameters(i)) {
                part.parameters.emplace_back(parameter.slot.shape);
                const auto numbers = on_host<Scalar>(model.device(), model.view(parameter.slot));
                std::ranges::copy(numbers, part.parameters.back().begin());
            }
            parts_.push_back(std::move(part));
        }
    }

    WEFT_COLD void fold() {
        for (std::size_t i = 0; i < parts_.size();) {
            if (fold(i)) {
                parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(i));
            } else {
                ++i;
            }
        }
    }

    WEFT_COLD Sequential<Scalar, Device> model(const Shape& input_shape,
                                               const Device& device) const {
        Sequential<Scalar, Device> result;
        result.set_device(device);
        for (const Part& part : parts_) result.add(part.declaration);
        result.build(input_shape);
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            for (std::size_t p = 0; p < parts_[i].parameters.size(); ++p) {
                const auto rounded = [](double value) { return static_cast<Scalar>(value); };
                write_on_host(device, result.view(result.layer_parameters(i)[p].slot),
                              [&](TensorView<Scalar> numbers) {
                                  std::ranges::transform(parts_[i].parameters[p], numbers.begin(),
                                                         rounded);
                              });
            }
        }
        return result;
    }

    bool is_empty() const { return parts_.empty(); }

private:
    struct Part {
        LayerDeclaration<Scalar, Device> declaration;
        const Layer<Scalar, Device>* layer;      ///< of the model that is folded
        std::vector<Tensor<double>> parameters;  ///< double, so that they are rounded once
    };

    /// Whether layer i is a batch norm and another layer now does its work.
    bool fold(std::size_t i) {
        const auto* batch_norm = parts_[i].declaration.template get_if<BatchNorm>();
        if (batch_norm == nullptr) return false;
        ChannelMap map = inference_map(*batch_norm, parts_[i].parameters);
        if (!map.is_finite()) return false;
        if (i > 0 && is_linear(parts_[i - 1])) {
            linear_map(parts_[i - 1]).append(map);
            return true;
        }
        std::size_t next = i + 1;
        while (next < parts_.size() && commute(map, parts_[next])) ++next;
        if (next == parts_.size() || !reads_elements_only(parts_[next])) return false;
        linear_map(parts_[next]).prepend(map);
        return true;
    }

    /// scale = gamma / sqrt(moving_variance + epsilon),  shift = beta - scale moving_mean.
    static ChannelMap inference_map(const BatchNorm& options,
                                    const std::vector<Tensor<double>>& parameters) {
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
    static bool commute(ChannelMap& map, const Part& part) {
        const auto& declaration = part.declaration;
        if (part.layer->is_view()) {
            const Index channels = part.layer->output_shape().last();
            if (channels % static_cast<Index>(map.scale.size()) != 0) return false;
            map = map.repeated(channels);
            return true;
        }
        // Windows of pooling leave out what is not in the image, so no zero is ever mixed in.
        if (declaration.template get_if<MaxPool2D>() ||
            declaration.template get_if<GlobalMaxPool2D>()) {
            return map.is_increasing();
        }
        return declaration.template get_if<AveragePool2D>() ||
               declaration.template get_if<GlobalAveragePool2D>();
    }

    /// Whether the layer is Z = X * W + b with nothing behind it.
    static bool is_linear(const Part& part) {
        const auto* dense = part.declaration.template get_if<Dense>();
        const auto* conv = part.declaration.template get_if<Conv2D>();
        return (dense && dense->activation == linear) || (conv && conv->activation == linear);
    }

    /// Whether the layer is act(X * W + b), without any zero of a padding.
    static bool reads_elements_only(const Part& part) {
        if (part.declaration.template get_if<Dense>()) return true;
        const auto* conv = part.declaration.template get_if<Conv2D>();
        if (conv == nullptr) return false;
        const auto fits = [&](Index axis, Index size, Index stride, Index dilation) {
            const kernels::WindowAxis window = kernels::window_axis(
                part.layer->input_shape()[axis], size, stride, dilation, conv->padding);
            return (window.output - 1) * stride + window.extent() <= window.input;
        };
        return fits(0, conv->kernel_size.rows, conv->strides.rows, conv->dilation_rate.rows) &&
               fits(1, conv->kernel_size.columns, conv->strides.columns,
                    conv->dilation_rate.columns);
    }

    /// The map of a Dense or Conv2D, which gets a bias if it has none.
    static LinearMap linear_map(Part& part) {
        Index groups = 1;
        if (const auto* dense = part.declaration.template get_if<Dense>()) {
            with_bias(part, *dense);
        } else {
            const Conv2D& conv = *part.declaration.template get_if<Conv2D>();
            groups = conv.groups;
            with_bias(part, conv);
        }
        return {part.parameters[0], part.parameters[1], groups};
    }

    template <class D>
    static void with_bias(Part& part, D declaration) {
        if (declaration.use_bias) return;
        declaration.use_bias = true;
        part.declaration = std::move(declaration);
        part.parameters.emplace_back(Shape{part.parameters.front().shape().last()});
    }

    std::vector<Part> parts_;
};

}  // namespace detail

/// A copy of a built model that predicts the same, to rounding, with less work: without dropouts,
/// and with as many batch norms as can be inside the layers around them. In inference a batch norm
/// is the affine map, channel by channel,
///
///   y_c = s_c x_c + t_c,
///   s = gamma / sqrt(moving_variance + epsilon),   t = beta - s moving_mean.
///
/// Behind a Dense or Conv2D without activation (kernel W, bias b, filter f) it becomes
///
///   W'_...f = s_f W_...f,   b'_f = s_f b_f + t_f.
///
/// Otherwise, in front of a Dense, or of a Conv2D whose windows stay inside the image, whose tap k
/// reads channel c:
///
///   W'_kcf = s_c W_kcf,   b'_f = b_f + sum_kc t_c W_kcf,
///
/// also with Flatten, Reshape and average pooling between the two, and max pooling if no s_c is
/// negative. A layer without bias gets one. A batch norm that none of this holds for stays: in
/// front of a padded Conv2D, whose zeros it does not map, or of an activation. Layers without a
/// name of their own are counted anew. Throws ArgumentError when the model is not built.
///
/// Not for more training: dropouts are gone, and a batch norm inside a kernel learns otherwise.
/// Source: Jacob et al. 2018, section 3.2.
template <class Scalar, class Device>
WEFT_COLD Sequential<Scalar, Device> fold_batch_norm(const Sequential<Scalar, Device>& model) {
    const Shape& input_shape = model.input_shape();
    detail::BatchNormFolder<Scalar, Device> folder(model);
    if (folder.is_empty()) return model;  // nothing but dropouts
    folder.fold();
    return folder.model(input_shape, model.device());
}

}  // namespace weft
