/// \file
/// The bytes of a file in the making.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weft {

using Bytes = std::vector<std::uint8_t>;

/// The second after the first.
inline Bytes operator+(const Bytes& a, const Bytes& b) {
    Bytes both(a.size() + b.size());
    std::ranges::copy(b, std::ranges::copy(a, both.begin()).out);
    return both;
}

}  // namespace weft
