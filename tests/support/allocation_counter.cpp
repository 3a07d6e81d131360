#include "tests/support/allocation_counter.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

// gcc says it by macros, clang by a feature test, which other headers define for gcc as always 0.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEFT_SANITIZED 1
#endif
#endif
// The sanitizers replace the allocator themselves; what Windows aligns, only its own free releases.
#if defined(WEFT_SANITIZED) || defined(_WIN32)
#define WEFT_COUNTS_ALLOCATIONS 0
#else
#define WEFT_COUNTS_ALLOCATIONS 1
#endif

namespace {

constinit std::atomic<std::int64_t> allocations{0}, allocated_bytes{0};

[[maybe_unused]] void count(std::size_t size) {
    ++allocations;
    allocated_bytes += static_cast<std::int64_t>(size);
}

}  // namespace

namespace weft {

bool AllocationCounter::available() { return WEFT_COUNTS_ALLOCATIONS; }

std::int64_t AllocationCounter::total() { return allocations.load(); }

std::int64_t AllocationCounter::total_bytes() { return allocated_bytes.load(); }

}  // namespace weft

#if WEFT_COUNTS_ALLOCATIONS && defined(__GLIBC__)

// glibc lets a program replace malloc and its kin, and operator new goes through them. The
// originals stay reachable as __libc_*; memory still comes from those, so the library's own free
// suits it.
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept {
    count(size);
    return __libc_malloc(size);
}

void* calloc(std::size_t elements, std::size_t size) noexcept {
    count(elements * size);
    return __libc_calloc(elements, size);
}

void* realloc(void* memory, std::size_t size) noexcept {
    count(size);
    return __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
    count(size);
    return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    void* const block = memalign(alignment, size);
    if (block == nullptr) return ENOMEM;
    *memory = block;
    return 0;
}

}  // extern "C"

#elif WEFT_COUNTS_ALLOCATIONS

// Elsewhere only operator new is counted. Its array and nothrow forms call these.
void* operator new(std::size_t size) {
    count(size);
    if (void* const block = std::malloc(size + 1)) return block;
    throw std::bad_alloc();
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    count(size);
    const auto unit = static_cast<std::size_t>(alignment);
    if (void* const block = std::aligned_alloc(unit, (size / unit + 1) * unit)) return block;
    throw std::bad_alloc();
}

void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

#endif
