// Memory that only kernels and copies reach.
#include "memory.hpp"

#include "control.hpp"
#include "engine.hpp"
#include "fail.hpp"
#include "types.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

namespace cuda_sim {
namespace {

constexpr std::size_t page = 4096, alignment = 16;
constexpr std::size_t range_bytes = std::size_t{1} << 38;  // of addresses; they cost nothing

std::size_t rounded_up(std::size_t size, std::size_t multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

int this_thread() { return static_cast<int>(syscall(SYS_gettid)); }

struct sigaction handlers_before[2];
constexpr int faults[2] = {SIGSEGV, SIGBUS};

void protect(const Memory::Allocation& allocation, int access) {
    if (mprotect(allocation.pages, allocation.pages_size, access) != 0) fail("mprotect failed");
}

bool untouched(const std::byte* from, const std::byte* to) {
    return std::all_of(from, to, [](std::byte b) { return b == std::byte{0xFF}; });
}

std::string as_text(const void* address) {
    char text[32];
    std::snprintf(text, sizeof text, "%p", address);
    return text;
}

/// Gives the thread a stack for signals if it has none: its own may be what overflows.
void provide_signal_stack() {
    thread_local bool is_provided = false;
    if (std::exchange(is_provided, true)) return;
    stack_t stack{};
    if (sigaltstack(nullptr, &stack) != 0 || (stack.ss_flags & SS_DISABLE) == 0) return;
    constexpr std::size_t size = 64 << 10;
    thread_local std::byte memory[size];
    stack = {memory, 0, size};
    sigaltstack(&stack, nullptr);
}

/// Puts the handler first, also before one that a test framework has installed since.
void install(void (*handler)(int, void*, void*)) {
    struct sigaction own{};
    own.sa_sigaction = reinterpret_cast<void (*)(int, siginfo_t*, void*)>(handler);
    own.sa_flags = SA_SIGINFO | SA_ONSTACK;
    provide_signal_stack();
    for (int i = 0; i < 2; ++i) {
        struct sigaction before{};
        sigaction(faults[i], &own, &before);
        if (before.sa_sigaction != own.sa_sigaction) handlers_before[i] = before;
    }
}

}  // namespace

Memory& Memory::get() {
    static Memory& memory = *new Memory;
    return memory;
}

Memory::Memory() {
    void* const range =
        mmap(nullptr, range_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) fail("no addresses for device memory");
    range_ = unused_ = static_cast<std::byte*>(range);
}

void* Memory::allocate(std::size_t size_bytes, bool is_device) {
    install(&handle_fault);
    const std::size_t used = rounded_up(size_bytes, alignment), pages_size = rounded_up(used, page);
    if (is_device &&
        size_bytes > options().memory_bytes - std::min(in_use_, options().memory_bytes)) {
        return nullptr;
    }
    if (pages_size + page > static_cast<std::size_t>(range_ + range_bytes - unused_)) {
        fail("all addresses of device memory have been used");
    }
    Allocation allocation{
        unused_ + pages_size - used, size_bytes, unused_, pages_size, is_device, true};
    unused_ += pages_size + page;
    protect(allocation, PROT_READ | PROT_WRITE);
    std::memset(allocation.pages, 0xFF, pages_size);
    Allocation& placed =
        allocations_.emplace(allocation.begin + size_bytes, allocation).first->second;
    open_.reserve(allocations_.size());  // handle_fault() must not allocate
    if (!is_device) return placed.begin;
    in_use_ += size_bytes;
    if (openings_ > 0) {
        open_.push_back(&placed);
    } else {
        protect(placed, PROT_NONE);
        placed.is_open = false;
    }
    return placed.begin;
}

void Memory::release(void* begin) {
    Allocation& allocation = *find(begin);
    if (allocation.is_device) in_use_ -= allocation.size;
    std::erase(open_, &allocation);
    protect(allocation, PROT_NONE);
    madvise(allocation.pages, allocation.pages_size, MADV_DONTNEED);
    allocations_.erase(allocation.begin + allocation.size);
}

Memory::Allocation* Memory::find(const void* address) {
    const auto* const at = static_cast<const std::byte*>(address);
    const auto found = allocations_.lower_bound(at);
    return found == allocations_.end() || at < found->second.begin ? nullptr : &found->second;
}

bool Memory::holds(const void* address, std::size_t size_bytes, bool is_device) {
    const Allocation* const found = find(address);
    const auto* const at = static_cast<const std::byte*>(address);
    return found != nullptr && found->is_device == is_device && !found->is_freed &&
           size_bytes <= static_cast<std::size_t>(found->begin + found->size - at);
}

bool Memory::is_device_address(const void* address) const {
    const auto* const at = static_cast<const std::byte*>(address);
    return at >= range_ && at < range_ + range_bytes;
}

Memory::Opening::Opening() {
    Memory& memory = get();
    if (memory.openings_++ > 0) return;
    memory.thread_ = this_thread();
    install(&handle_fault);
}

Memory::Opening::~Opening() {
    Memory& memory = get();
    if (--memory.openings_ > 0) return;
    for (Allocation* const allocation : memory.open_) {
        protect(*allocation, PROT_NONE);
        allocation->is_open = false;
    }
    memory.open_.clear();
}

void Memory::check_fences(const char* kernel) const {
    for (const Allocation* const a : open_) {
        if (untouched(a->pages, a->begin) &&
            untouched(a->begin + a->size, a->pages + a->pages_size)) {
            continue;
        }
        fail(std::string("kernel ") + kernel + " wrote just before or after an allocation of " +
             std::to_string(a->size) + " bytes");
    }
}

/// Opens the allocation that the address is in, if its time has come.
bool Memory::open_at(const void* address) {
    if (openings_ == 0 || thread_ != this_thread()) return false;
    const auto* const at = static_cast<const std::byte*>(address);
    const auto found = allocations_.upper_bound(at);
    if (found == allocations_.end()) return false;
    Allocation& allocation = found->second;
    if (at < allocation.pages || allocation.is_open) return false;
    protect(allocation, PROT_READ | PROT_WRITE);
    allocation.is_open = true;
    open_.push_back(&allocation);
    return true;
}

void Memory::fail_at(const void* address) {
    const bool in_kernel = Engine::get().kernel() != nullptr && thread_ == this_thread();
    const auto* const at = static_cast<const std::byte*>(address);
    if (in_kernel && Engine::get().stack_overflown(address)) fail("the thread's stack overflows");
    if (!is_device_address(address)) fail("no memory at " + as_text(address));
    const auto next = allocations_.upper_bound(at);
    if (next != allocations_.end() && at >= next->second.begin) {
        fail("the host touches device memory, at " + as_text(address));
    }
    const auto before = next == allocations_.begin() ? allocations_.end() : std::prev(next);
    if (before != allocations_.end() &&
        at < before->second.pages + before->second.pages_size + page) {
        const Allocation& a = before->second;
        fail("access at " + as_text(address) + ", " + std::to_string(at - a.begin) +
             " bytes into an allocation of " + std::to_string(a.size));
    }
    fail("no device memory at " + as_text(address) + ", or no more");
}

void Memory::handle_fault(int signal, void* information, void* /*context*/) {
    const Unwatched unwatched;
    Memory& memory = get();
    const void* const address = static_cast<siginfo_t*>(information)->si_addr;
    if (memory.open_at(address)) return;
    const bool in_kernel = Engine::get().kernel() != nullptr && memory.thread_ == this_thread();
    if (in_kernel || memory.is_device_address(address)) memory.fail_at(address);
    // Not ours: the access is made once more, and whoever was asked before is asked.
    const int i = signal == faults[0] ? 0 : 1;
    sigaction(signal, &handlers_before[i], nullptr);
}

void refuse_misaligned(const void* at, std::size_t bytes) {
    fail("misaligned address " + as_text(at) + ": expected a multiple of " + std::to_string(bytes));
}

std::size_t memory_in_use() { return Memory::get().in_use(); }

}  // namespace cuda_sim
