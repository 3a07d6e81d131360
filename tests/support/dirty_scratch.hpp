/// \file
/// What a kernel may find in the memory that kernels share.
#pragma once

#include "weft/core/cpu.hpp"

#include <algorithm>
#include <cstddef>

namespace weft {

/// Fills the scratch memory with NaN of any type, as a kernel before may have left it.
inline void dirty_scratch(Cpu& cpu) {
    constexpr Index size_bytes = 1 << 20;
    const auto scratch = cpu.scratch<std::byte>(size_bytes);
    std::fill_n(scratch.data(), size_bytes, std::byte{0xFF});
}

}  // namespace weft
