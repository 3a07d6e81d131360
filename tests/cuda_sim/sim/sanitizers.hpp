/// \file
/// What sanitizers have to be told about a program that changes stacks by itself. Without them
/// nothing is left of it.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CUDA_SIM_TSAN
#endif
#if __has_feature(address_sanitizer)
#define CUDA_SIM_ASAN
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define CUDA_SIM_TSAN
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CUDA_SIM_ASAN
#endif

#if defined(CUDA_SIM_TSAN)
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif
#if defined(CUDA_SIM_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

namespace cuda_sim {

#if defined(CUDA_SIM_TSAN)

/// Under the thread sanitizer each CUDA thread is a thread of the sanitizer's. It knows of no order
/// between them but what release() and acquire() of one object say.
inline constexpr bool watches_threads = true;

inline void acquire(void* object) { __tsan_acquire(object); }
inline void release(void* object) { __tsan_release(object); }

/// The simulator's own memory is shared by all threads as it runs them: no races of the kernel.
/// (What is named for writes holds for reads too.)
class Unwatched {
public:
    Unwatched() { AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
    ~Unwatched() { AnnotateIgnoreWritesEnd(__FILE__, __LINE__); }
    Unwatched(const Unwatched&) = delete;
    Unwatched& operator=(const Unwatched&) = delete;
};

#else

inline constexpr bool watches_threads = false;

inline void acquire(void* /*object*/) {}
inline void release(void* /*object*/) {}

class Unwatched {
public:
    Unwatched() {}  // not = default: an unused variable would be warned of
};

#endif

}  // namespace cuda_sim
