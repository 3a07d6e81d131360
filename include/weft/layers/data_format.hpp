/// \file
/// DataFormat: the place of the channels of an image.
#pragma once

#include <string_view>

namespace weft {

/// The place of the channels of an image: last (N, H, W, C) or first (N, C, H, W).
enum class DataFormat { channels_last, channels_first };

inline constexpr DataFormat channels_last = DataFormat::channels_last;
inline constexpr DataFormat channels_first = DataFormat::channels_first;

constexpr std::string_view to_string(DataFormat format) {
    return format == channels_last ? "channels_last" : "channels_first";
}

}  // namespace weft
