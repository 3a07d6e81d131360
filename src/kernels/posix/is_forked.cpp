// is_forked of core/processor.hpp, once for a program and the kernels that it links.
#include "weft/core/processor.hpp"

bool weft::detail::is_forked() {
    static bool forked = false;
    [[maybe_unused]] static const int error =
        pthread_atfork(nullptr, nullptr, [] { forked = true; });
    return forked;
}
