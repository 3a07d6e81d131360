/// \file
/// Affine maps of channels, and their folding into linear layers.
#pragma once

#include "weft/core/summation.hpp"
#include "weft/core/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace weft::detail {

/// A batch norm in inference:  y_c = scale_c x_c + shift_c,  channels along the last axis.
struct ChannelMap {
    std::vector<double> scale, shift;

    bool is_finite() const {
        const auto finite = [](double x) { return std::isfinite(x); };
        return std::all_of(scale.begin(), scale.end(), finite) &&
               std::all_of(shift.begin(), shift.end(), finite);
    }

    /// Whether max(map(a), map(b)) = map(max(a, b)).
    bool is_increasing() const {
        return std::all_of(scale.begin(), scale.end(), [](double s) { return s >= 0; });
    }

    /// The same map for elements with `channels` channels, a multiple of this map's.
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

}  // namespace weft::detail
