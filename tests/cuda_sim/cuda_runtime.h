/// \file
/// A stand-in for CUDA's header of this name: with it a host compiler takes CUDA sources for C++, and
/// kernels run on the CPU. So tests of them need no GPU, and no source has a condition for it.
///
///     g++ -std=c++20 -O2 -g -x c++ -Itests/cuda_sim -Iinclude -Isrc/cuda -I. -Wno-unknown-pragmas
///         src/cuda/*.cu tests/cuda_sim/sim/*.cpp some_test.cpp
///
/// tests/cuda_sim comes first on the path, before CUDA's headers and src/cuda, for it holds twins of
/// src/cuda/gpu/*.cuh too: what only a GPU's compiler can do. All files are compiled with the same
/// sanitizer, or none: -fsanitize=address,undefined finds overruns of a thread's own arrays,
/// -fsanitize=thread barriers and atomics that are missing, at their lines.
///
/// Where to read on: sim/control.hpp, what a test can set and ask; sim/engine.hpp, how threads run and
/// what is an error among them; sim/memory.hpp, how memory is guarded; sim/streams.hpp, when work
/// runs; trace/trace.hpp, how requests to memory are counted.
///
/// What a program does wrong and no GPU would report ends it with one line (sim/fail.hpp). What is
/// missing here (`__shared__` outside of gpu/, say) is no part of what weft's kernels may use.
///
/// What it cannot show: time, registers, and the weak order of a GPU's memory beyond missing barriers.
/// In a debugger: `handle SIGSEGV nostop noprint pass`, for memory opens by faults.
#pragma once

#if defined(__CUDACC__)
#error "this is for host compilers; nvcc must find CUDA's cuda_runtime.h"
#endif

#include "sim/api.hpp"
#include "sim/intrinsics.hpp"
#include "sim/types.hpp"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __grid_constant__
