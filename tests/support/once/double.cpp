#include "tests/support/kernels_once.hpp"

namespace weft::kernels {
WEFT_KERNELS_ONCE(, double)
}
