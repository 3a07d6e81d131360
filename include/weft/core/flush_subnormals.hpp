/// \file
/// FlushSubnormals: numbers too small for full precision become 0.
#pragma once

#include "weft/config.hpp"

namespace weft::detail {

/// While it lives, the thread takes subnormal numbers, those below 1.2e-38 in float, for 0: as
/// operands and as results. Many processors compute with them a hundred times slower, and training
/// makes them by the thousand: the mean of gradients that stay 0 decays through them. The thread's
/// own mode comes back at the end.
class FlushSubnormals {
public:
    FlushSubnormals() : before_(floating_point_mode()) {
        if ((before_ & flush_bits) != flush_bits) set_floating_point_mode(before_ | flush_bits);
    }
    // The flags of what happened meanwhile, such as a division by 0, stay.
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
