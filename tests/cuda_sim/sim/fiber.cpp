// Fibers: changing the stack.
#include "fiber.hpp"

#include "fail.hpp"

#include <sys/mman.h>

#include <cstdlib>

#if !defined(CUDA_SIM_UCONTEXT)
extern "C" void cuda_sim_switch_stack(void** save, void* to);

// Keeps the registers that a function must leave as they were (System V ABI) on the stack, and the
// stack's pointer in *save; goes on at the other stack, where the same was done.
asm(R"(
.text
.type cuda_sim_switch_stack, @function
cuda_sim_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size cuda_sim_switch_stack, .-cuda_sim_switch_stack
)");
#endif

#if defined(CUDA_SIM_TSAN)
// A fault's message is made in the handler; it is the last thing that the program does.
extern "C" const char* __tsan_default_options() { return "report_signal_unsafe=0"; }
#endif

namespace cuda_sim {
namespace {

#if defined(CUDA_SIM_TSAN) || defined(CUDA_SIM_ASAN)
constexpr std::size_t stack_bytes = 256 << 10;
#else
constexpr std::size_t stack_bytes = 64 << 10;
#endif
constexpr std::size_t guard_bytes = 1 << 20;  // closed; an array that is too large ends there

char* new_stack() {
    void* const memory = mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail("no memory for the stack of a CUDA thread");
    mprotect(memory, guard_bytes, PROT_NONE);
    return static_cast<char*>(memory) + guard_bytes;
}

}  // namespace

void Fiber::prepare(void (*entry)()) {
    stack_ = new_stack();
    bottom_ = stack_;
    size_ = stack_bytes;
#if defined(CUDA_SIM_TSAN)
    tsan_ = __tsan_create_fiber(0);
#endif
#if defined(CUDA_SIM_UCONTEXT)
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_;
    context_.uc_stack.ss_size = stack_bytes;
    makecontext(&context_, entry, 0);
#else
    constexpr int saved_registers = 6;
    auto** top = reinterpret_cast<void**>(stack_ + stack_bytes);
    *--top = nullptr;  // at its entry a function finds the stack 8 bytes off a multiple of 16
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < saved_registers; ++i) *--top = nullptr;
    stack_pointer_ = top;
#endif
}

void Fiber::run_as_host() {
#if defined(CUDA_SIM_TSAN)
    tsan_ = __tsan_get_current_fiber();
#endif
}

void Fiber::switch_to(Fiber& other) {
#if defined(CUDA_SIM_ASAN)
    left_ = this;
    __sanitizer_start_switch_fiber(&asan_fake_, other.bottom_, other.size_);
#endif
#if defined(CUDA_SIM_TSAN)
    constexpr unsigned no_order = 1;
    __tsan_switch_to_fiber(other.tsan_, no_order);
#endif
#if defined(CUDA_SIM_UCONTEXT)
    swapcontext(&context_, &other.context_);
#else
    cuda_sim_switch_stack(&stack_pointer_, other.stack_pointer_);
#endif
#if defined(CUDA_SIM_ASAN)
    __sanitizer_finish_switch_fiber(asan_fake_, nullptr, nullptr);
#endif
}

void Fiber::arrive() {
#if defined(CUDA_SIM_ASAN)
    // This is how the bounds of the host's stack become known.
    __sanitizer_finish_switch_fiber(nullptr, &left_->bottom_, &left_->size_);
#endif
}

bool Fiber::overflown(const void* address) const {
    const auto* const at = static_cast<const char*>(address);
    return stack_ != nullptr && at < stack_ && stack_ - at <= static_cast<long>(guard_bytes);
}

}  // namespace cuda_sim
