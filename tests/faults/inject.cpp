// The C library's functions in this program: each is counted, may fail, and else calls the original.
// libstdc++'s streams and std::filesystem come here too, since a program's own definition is found
// before the library's.
#include "tests/faults/inject.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_SANITIZED 1
#endif
#endif

namespace weft::faults {

namespace {

struct Plan {
    std::atomic<bool> is_on{false};
    Kind kind{};
    std::int64_t n = 0;
    bool lasts = false;
    std::atomic<std::int64_t> count{0};
};
constinit Plan plan;
constinit std::atomic<std::int64_t> blocks{0};

bool fails(Kind kind) {
    if (!plan.is_on.load(std::memory_order_acquire) || kind != plan.kind) return false;
    const std::int64_t count = ++plan.count;
    return plan.lasts ? count >= plan.n : count == plan.n;
}

bool fails(Kind kind, int error) {
    if (!fails(kind)) return false;
    errno = error;
    return true;
}

/// The function that this program's own hides.
template <class Function>
Function* original(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// Where code lies that ends the program when it gets no memory.
struct Range {
    std::uintptr_t begin = 0, end = 0;
};
constinit std::array<Range, 8> spared{};

int find_spared(dl_phdr_info* info, std::size_t, void* next) {
    auto& place = *static_cast<std::size_t*>(next);
    const std::string_view name = info->dlpi_name;
    const auto has = [&](const char* part) { return name.find(part) != name.npos; };
    if (!has("libgomp") && !has("libomp") && !has("ld-linux")) return 0;
    for (int i = 0; i < info->dlpi_phnum && place < spared.size(); ++i) {
        const auto& part = info->dlpi_phdr[i];
        if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
        const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
        spared[place++] = {begin, begin + part.p_memsz};
    }
    return 0;
}

[[maybe_unused]] bool is_spared(const void* caller) {
    const auto address = reinterpret_cast<std::uintptr_t>(caller);
    return std::ranges::any_of(spared, [=](const Range& range) {
        return address - range.begin < range.end - range.begin;
    });
}

bool is_terminal(int file) { return file <= STDERR_FILENO; }

}  // namespace

std::string_view name_of(Kind kind) {
    constexpr std::array<std::string_view, kinds> names{
        "memory", "thread", "open",   "read",  "short read", "write",  "short write",
        "seek",   "sync",   "rename", "close", "look",       "change", "remove"};
    return names[static_cast<std::size_t>(kind)];
}

Failing::Failing(Kind kind, std::int64_t n, bool lasts) {
    if (spared[0].end == 0) {
        std::size_t next = 0;
        dl_iterate_phdr(find_spared, &next);
        // It registers what a thread destroys when it ends.
        const auto at =
            reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "__cxa_thread_atexit_impl"));
        if (next < spared.size() && at != 0) spared[next] = {at, at + 256};
    }
    plan.kind = kind;
    plan.n = n;
    plan.lasts = lasts;
    plan.count = 0;
    plan.is_on.store(true, std::memory_order_release);
}
Failing::~Failing() { plan.is_on = false; }
std::int64_t Failing::count() const { return plan.count; }

std::int64_t live_blocks() { return blocks; }

int open_files() {
    DIR* const folder = opendir("/proc/self/fd");
    int count = -1;  // its own
    while (const dirent* entry = readdir(folder)) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

}  // namespace weft::faults

using namespace weft::faults;

#if !defined(WEFT_SANITIZED)

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);

static void* counted(void* block) {
    if (block != nullptr) ++blocks;
    return block;
}

#define WEFT_FAIL_MEMORY \
    if (!is_spared(__builtin_return_address(0)) && fails(Kind::memory, ENOMEM)) return nullptr

void* malloc(std::size_t size) noexcept {
    WEFT_FAIL_MEMORY;
    return counted(__libc_malloc(size));
}
void* calloc(std::size_t elements, std::size_t size) noexcept {
    WEFT_FAIL_MEMORY;
    return counted(__libc_calloc(elements, size));
}
void* realloc(void* block, std::size_t size) noexcept {
    WEFT_FAIL_MEMORY;
    return block == nullptr ? counted(__libc_realloc(block, size)) : __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
    WEFT_FAIL_MEMORY;
    return counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    WEFT_FAIL_MEMORY;
    return counted(__libc_memalign(alignment, size));
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
    if (!is_spared(__builtin_return_address(0)) && fails(Kind::memory)) return ENOMEM;
    *block = counted(__libc_memalign(alignment, size));
    return *block == nullptr ? ENOMEM : 0;
}
void free(void* block) noexcept {
    if (block != nullptr) --blocks;
    __libc_free(block);
}

}  // extern "C"

#else

// The sanitizer's own malloc looks for leaks; here operator new alone fails.
static void* new_block(std::size_t size, std::size_t alignment) {
    if (fails(Kind::memory, ENOMEM)) throw std::bad_alloc();
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    void* const block = alignment <= alignof(std::max_align_t)
                            ? std::malloc(size == 0 ? 1 : size)
                            : std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
    if (block == nullptr) throw std::bad_alloc();
    return block;
}
static void* try_new_block(std::size_t size, std::size_t alignment) noexcept {
    try {
        return new_block(size, alignment);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new(std::size_t size) { return new_block(size, 1); }
void* operator new[](std::size_t size) { return new_block(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return new_block(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return new_block(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return try_new_block(size, 1);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return try_new_block(size, 1);
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }

#endif

// What the C library's headers declare without an exception specification must have none here.
#define WEFT_ORIGINAL(name) static auto* const next = original<decltype(name)>(#name)

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
    WEFT_ORIGINAL(pthread_create);
    if (!is_spared(__builtin_return_address(0)) && fails(Kind::thread)) return EAGAIN;
    return next(thread, attributes, start, argument);
}

FILE* fopen(const char* name, const char* mode) {
    WEFT_ORIGINAL(fopen);
    return fails(Kind::open, EMFILE) ? nullptr : next(name, mode);
}
FILE* fopen64(const char* name, const char* mode) {
    WEFT_ORIGINAL(fopen64);
    return fails(Kind::open, EMFILE) ? nullptr : next(name, mode);
}

#define WEFT_OPEN(name, parameters, arguments)                                  \
    int name parameters {                                                       \
        WEFT_ORIGINAL(name);                                                    \
        va_list rest;                                                           \
        va_start(rest, flags);                                                  \
        const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0U; \
        va_end(rest);                                                           \
        return fails(Kind::open, EMFILE) ? -1 : next arguments;                 \
    }
WEFT_OPEN(open, (const char* path, int flags, ...), (path, flags, mode))
WEFT_OPEN(open64, (const char* path, int flags, ...), (path, flags, mode))
WEFT_OPEN(openat, (int folder, const char* path, int flags, ...), (folder, path, flags, mode))
WEFT_OPEN(openat64, (int folder, const char* path, int flags, ...), (folder, path, flags, mode))

ssize_t read(int file, void* to, std::size_t size) {
    WEFT_ORIGINAL(read);
    if (fails(Kind::read, EIO)) return -1;
    return next(file, to, size > 1 && fails(Kind::short_read) ? size / 2 : size);
}
dirent* readdir(DIR* folder) {
    WEFT_ORIGINAL(readdir);
    return fails(Kind::read, EIO) ? nullptr : next(folder);
}
ssize_t readlink(const char* path, char* to, std::size_t size) noexcept {
    WEFT_ORIGINAL(readlink);
    return fails(Kind::read, EIO) ? -1 : next(path, to, size);
}
ssize_t write(int file, const void* from, std::size_t size) {
    WEFT_ORIGINAL(write);
    if (is_terminal(file)) return next(file, from, size);
    if (fails(Kind::write, ENOSPC)) return -1;
    return next(file, from, size > 1 && fails(Kind::short_write) ? size / 2 : size);
}
ssize_t writev(int file, const iovec* parts, int count) {
    WEFT_ORIGINAL(writev);
    if (is_terminal(file)) return next(file, parts, count);
    if (fails(Kind::write, ENOSPC)) return -1;
    if (!fails(Kind::short_write)) return next(file, parts, count);
    const iovec half{parts[0].iov_base, (parts[0].iov_len + 1) / 2};
    return next(file, &half, 1);
}

off_t lseek(int file, off_t to, int whence) noexcept {
    WEFT_ORIGINAL(lseek);
    return fails(Kind::seek, EIO) ? -1 : next(file, to, whence);
}
off64_t lseek64(int file, off64_t to, int whence) noexcept {
    WEFT_ORIGINAL(lseek64);
    return fails(Kind::seek, EIO) ? -1 : next(file, to, whence);
}

int fsync(int) { return fails(Kind::sync, EIO) ? -1 : 0; }

int rename(const char* from, const char* to) noexcept {
    WEFT_ORIGINAL(rename);
    return fails(Kind::rename, EACCES) ? -1 : next(from, to);
}

int fclose(FILE* file) {
    WEFT_ORIGINAL(fclose);
    const int result = next(file);
    return fails(Kind::close, EIO) ? EOF : result;
}
int close(int file) {
    WEFT_ORIGINAL(close);
    const int result = next(file);
    return fails(Kind::close, EIO) ? -1 : result;
}

#define WEFT_STAT(name, Status, Of)                               \
    int name(Of of, struct Status* status) noexcept {             \
        WEFT_ORIGINAL(name);                                      \
        return fails(Kind::look, EACCES) ? -1 : next(of, status); \
    }
WEFT_STAT(stat, stat, const char*)
WEFT_STAT(stat64, stat64, const char*)
WEFT_STAT(lstat, stat, const char*)
WEFT_STAT(lstat64, stat64, const char*)
WEFT_STAT(fstat, stat, int)
WEFT_STAT(fstat64, stat64, int)

int mkdir(const char* path, mode_t mode) noexcept {
    WEFT_ORIGINAL(mkdir);
    return fails(Kind::change, EACCES) ? -1 : next(path, mode);
}
int fchmodat(int folder, const char* path, mode_t mode, int flags) noexcept {
    WEFT_ORIGINAL(fchmodat);
    return fails(Kind::change, EACCES) ? -1 : next(folder, path, mode, flags);
}
int truncate(const char* path, off_t size) noexcept {
    WEFT_ORIGINAL(truncate);
    return fails(Kind::change, EACCES) ? -1 : next(path, size);
}
char* realpath(const char* path, char* to) noexcept {
    WEFT_ORIGINAL(realpath);
    return fails(Kind::change, EACCES) ? nullptr : next(path, to);
}
int remove(const char* path) noexcept {
    WEFT_ORIGINAL(remove);
    return fails(Kind::remove, EACCES) ? -1 : next(path);
}
int unlink(const char* path) noexcept {
    WEFT_ORIGINAL(unlink);
    return fails(Kind::remove, EACCES) ? -1 : next(path);
}

}  // extern "C"
