/// \file
/// Fiber: a stack of its own, for a function that is left in the middle and goes on later.
#pragma once

#include "sanitizers.hpp"

#include <cstddef>

#if !defined(__x86_64__) || defined(CUDA_SIM_PORTABLE)
#define CUDA_SIM_UCONTEXT
#include <ucontext.h>
#endif

namespace cuda_sim {

/// A switch takes 7 ns by ten lines of assembly on x86-64, and 234 ns by swapcontext elsewhere, which
/// asks the system for the signal mask (measured on Zen 4).
class Fiber {
public:
    /// The stack of whoever calls run_as_host(), until prepare() gives it one of its own.
    Fiber() = default;
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    /// Gives it a stack. The first switch to it starts entry, which never returns.
    void prepare(void (*entry)());
    bool is_prepared() const { return stack_ != nullptr; }

    /// This one stands for the calling thread's own stack.
    void run_as_host();

    /// Leaves this fiber, which runs, for another one. Returns when somebody switches back.
    void switch_to(Fiber& other);

    /// The first call in an entry.
    static void arrive();

    /// Whether the address is in the closed memory below the stack, which an overflow runs into.
    bool overflown(const void* address) const;

private:
    char* stack_ = nullptr;
#if defined(CUDA_SIM_UCONTEXT)
    ucontext_t context_{};
#else
    void* stack_pointer_ = nullptr;
#endif
    void* tsan_ = nullptr;          ///< the thread sanitizer's thread
    void* asan_fake_ = nullptr;     ///< the address sanitizer's second stack
    const void* bottom_ = nullptr;  ///< of the stack that the fiber runs on
    std::size_t size_ = 0;
    static inline Fiber* left_ = nullptr;  ///< by the last switch
};

}  // namespace cuda_sim
