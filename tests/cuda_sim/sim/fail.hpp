/// \file
/// How the simulator ends a program that no GPU would run as its author thinks.
#pragma once

#include <string>

namespace cuda_sim {

/// Writes "cuda_sim: what" to stderr and aborts. Within a kernel the line names it, the block and the
/// thread. It ends the process, as an error of a kernel ends the use of a GPU.
[[noreturn]] void fail(const std::string& what);

}  // namespace cuda_sim
