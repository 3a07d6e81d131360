#include "tests/support/reference_once.hpp"

namespace weft::kernels {
WEFT_REFERENCE_ONCE(, float)
WEFT_REFERENCE_ONCE(, double)
}  // namespace weft::kernels
