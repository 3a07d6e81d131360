/// \file
/// FlushSubnormals: numbers too small for full precision become 0.
#pragma once

#include "weft/core/processor.hpp"

namespace weft::detail {

/// While it lives, subnormal numbers (below 1.2e-38 in float) are 0 for the thread, as operands and
/// as results. Many processors compute with them a hundred times slower. Training makes thousands
/// of them: the moments of a gradient that stays 0 decay through their range. The destructor
/// restores the thread's mode.
class FlushSubnormals {
public:
    FlushSubnormals() : before_(floating_point_mode()) {
        if ((before_ & flush_bits) != flush_bits) set_floating_point_mode(before_ | flush_bits);
    }
    // Exception flags raised meanwhile, such as division by 0, stay.
    ~FlushSubnormals() {
        if ((before_ & flush_bits) != flush_bits) {
            set_floating_point_mode((floating_point_mode() & ~flush_bits) | (before_ & flush_bits));
        }
    }
    FlushSubnormals(const FlushSubnormals&) = delete;
    FlushSubnormals& operator=(const FlushSubnormals&) = delete;

private:
    std::uint64_t before_;
};

}  // namespace weft::detail
