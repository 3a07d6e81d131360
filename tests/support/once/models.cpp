#include "tests/support/models_once.hpp"

namespace weft {
WEFT_MODELS_ONCE(, float)
WEFT_MODELS_ONCE(, double)
}  // namespace weft
