/// \file
/// Convolution: the argument of convolution kernels, the same on every device.
#pragma once

#include "weft/kernels/window.hpp"

namespace weft::kernels {

/// Windows over images (N, H, W, channels), and the filters (window, window, channels / groups,
/// filters) that each window is multiplied with. Filters and channels are split into the same
/// number of groups; filters of a group see only the channels of that group.
struct Convolution {
    Window2D window;
    Index filters = 1;
    Index groups = 1;

    constexpr Index group_channels() const { return window.channels / groups; }
    constexpr Index group_filters() const { return filters / groups; }
    /// The elements of a patch: the rows of a group's filter matrix.
    constexpr Index depth() const { return window.taps() * group_channels(); }
};

}  // namespace weft::kernels
