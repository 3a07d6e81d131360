/// \file
/// Indices beyond arrays, a thread's own too, end a program of kernels that is compiled with
/// -fsanitize=bounds. This takes the place of the compiler's own library, which knows no threads of a GPU.
#include "sim/fail.hpp"

#include <cstdint>

namespace {

/// What the compiler says of an index: where it is, first of all.
struct OutOfBounds {
    const char* file;
    std::uint32_t line, column;
};

}  // namespace

extern "C" [[noreturn]] void __ubsan_handle_out_of_bounds(const OutOfBounds* what,
                                                          std::intptr_t index) {
    cuda_sim::fail("index " + std::to_string(index) + " is beyond the array, at " + what->file +
                   ":" + std::to_string(what->line));
}
