/// \file
/// What kernels ask of memory, counted without a GPU: how many sectors a warp's loads and stores
/// touch, and in how many passes shared memory serves them.
///
/// clang (14 and later) calls the functions in trace.cpp at each load and store of what is compiled
/// with
///
///     -O1 -fno-vectorize -fno-slp-vectorize -DCUDA_SIM_TRACE
///     -fsanitize-coverage=func,trace-loads,trace-stores
///
/// which the kernels are, and neither trace.cpp nor the simulator. The vectors that it shows are those
/// of the source (float4) alone: nvcc makes none. Copies of other structs it does not show.
///
/// The n-th time that each lane of a warp comes by an instruction is one request of the warp. That is
/// what a GPU does with lanes that stay together, and an estimate for others. Caches are not modelled,
/// nor is what nvcc keeps in registers and clang does not.
#pragma once

#include <map>
#include <string>

namespace cuda_sim {

/// Of loads and stores of warps, each a request.
struct Traffic {
    long requests = 0;       ///< to the GPU's memory
    long sectors = 0;        ///< of 32 bytes that they touch
    long ideal_sectors = 0;  ///< that would hold the bytes they ask for
    long shared_requests = 0;
    long shared_passes = 0;  ///< in each of which every bank of 4 bytes serves one word
    long ideal_passes = 0;   ///< that would do without conflicts

    Traffic& operator+=(const Traffic& other);
    /// ideal_sectors / sectors: 1 is best.
    double coalescing() const;
    /// shared_passes / ideal_passes: 1 is best.
    double conflicts() const;
};

/// The same by instruction: addresses in the program's file, which `addr2line -e` takes to lines.
using Places = std::map<unsigned long, Traffic>;

/// By the name of the kernel, since the program's start or trace() = {}.
std::map<std::string, Places>& trace();

/// Of all instructions of a kernel.
Traffic traffic(const std::string& kernel);

/// A line a kernel, and one for each of its instructions with sectors that are not asked for, or
/// with conflicts.
std::string trace_report();

}  // namespace cuda_sim
