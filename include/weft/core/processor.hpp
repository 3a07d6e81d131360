/// \file
/// The thread that computes: its team, its floating-point mode, its clock.
#pragma once

#include "weft/config.hpp"

#include <cstdint>
#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(_WIN32)
#include <chrono>
#else
#include <pthread.h>

#include <ctime>
#endif
#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace weft::detail {

/// OpenMP's own numbers; of one thread without it. They differ between translation units that are
/// compiled with OpenMP and without.
inline namespace WEFT_BUILD_NAMESPACE {
#if defined(_OPENMP)
inline int max_threads() { return omp_get_max_threads(); }
inline int processors() { return omp_get_num_procs(); }
inline int team_size() { return omp_get_num_threads(); }
inline int team_member() { return omp_get_thread_num(); }
inline bool in_parallel_region() { return omp_in_parallel() != 0; }
#else
inline int max_threads() { return 1; }
inline int processors() { return 1; }
inline int team_size() { return 1; }
inline int team_member() { return 0; }
inline bool in_parallel_region() { return false; }
#endif
}  // namespace WEFT_BUILD_NAMESPACE

/// The floating-point control register of a thread, and its bits that make subnormal numbers 0, as
/// results and as operands. 0 for unknown processors.
#if defined(__SSE2__) || defined(_M_X64)
inline std::uint64_t floating_point_mode() { return _mm_getcsr(); }
inline void set_floating_point_mode(std::uint64_t mode) { _mm_setcsr(static_cast<unsigned>(mode)); }
inline constexpr std::uint64_t flush_bits = 0x8040;  // FTZ, DAZ of MXCSR
#elif defined(__aarch64__) && defined(__GNUC__)
inline std::uint64_t floating_point_mode() {
    std::uint64_t mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
inline void set_floating_point_mode(std::uint64_t mode) {
    asm volatile("msr fpcr, %0" : : "r"(mode) : "memory");
}
inline constexpr std::uint64_t flush_bits = 0x1000000;  // FZ of FPCR
#else
inline std::uint64_t floating_point_mode() { return 0; }
inline void set_floating_point_mode(std::uint64_t) {}
inline constexpr std::uint64_t flush_bits = 0;
#endif

/// Seconds since some moment, of a clock that is never set. Without the header <chrono>, for which
/// g++ 12 allocates 4 MB.
#if defined(_WIN32)
inline double steady_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}
#else
inline double steady_seconds() {
    std::timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}
#endif

/// Tells the processor that a thread waits in a loop.
#if defined(__SSE2__) || defined(_M_X64)
inline void pause() { _mm_pause(); }
#elif defined(__aarch64__) && defined(__GNUC__)
inline void pause() { asm volatile("yield"); }
#else
inline void pause() {}
#endif

/// Whether the process was forked from one that had called this. The program's own code and the
/// kernels that it links ask the same one.
#if defined(_WIN32)
inline bool is_forked() { return false; }
#elif defined(WEFT_COMPILED_KERNELS)
bool is_forked();
#else
inline bool is_forked() {
    static bool forked = false;
    [[maybe_unused]] static const int error =
        pthread_atfork(nullptr, nullptr, [] { forked = true; });
    return forked;
}
#endif

}  // namespace weft::detail
