// Runs a target under libFuzzer:
//
//   fuzz_csv [libFuzzer's options] <folder for what it finds> [<folder of seeds>...]
//   fuzz_csv --seeds=<folder>     writes the target's seeds there, and ends
#include "tests/fuzz/fuzz.hpp"

#include <sanitizer/allocator_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace weft::fuzz {

namespace {

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "fuzz: %s\n", what);
    std::abort();
}

/// The bytes that read holds, and may hold. Hooks are free functions: so these are global.
std::atomic<std::ptrdiff_t> held_bytes = 0, limit_bytes = PTRDIFF_MAX;

void on_allocation(const volatile void*, std::size_t size) {
    const std::ptrdiff_t held = held_bytes += static_cast<std::ptrdiff_t>(size);
    if (held <= limit_bytes) return;
    const std::ptrdiff_t limit = limit_bytes.exchange(PTRDIFF_MAX);
    std::fprintf(stderr, "fuzz: holds %td bytes with the last %zu, expected at most %td\n", held,
                 size, limit);
    std::abort();
}

void on_release(const volatile void* memory) {
    if (memory == nullptr) return;
    held_bytes -= static_cast<std::ptrdiff_t>(
        __sanitizer_get_allocated_size(const_cast<const void*>(memory)));
}

}  // namespace

MemoryFile::MemoryFile() : descriptor_(memfd_create("fuzz", 0)) {
    if (descriptor_ < 0) fail("no file in memory can be had");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

MemoryFile::~MemoryFile() { close(descriptor_); }

void MemoryFile::write(Bytes bytes) {
    const bool written =
        ftruncate(descriptor_, 0) == 0 &&
        pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    if (!written) fail("a file in memory cannot be written");
}

}  // namespace weft::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    using namespace weft::fuzz;
    const std::string_view option = "--seeds=";
    for (int i = 1; i < *argc; ++i) {
        const std::string_view argument = (*argv)[i];
        if (!argument.starts_with(option)) continue;
        const std::filesystem::path folder = argument.substr(option.size());
        std::filesystem::create_directories(folder);
        write_seeds(folder);
        std::exit(0);
    }
    if (__sanitizer_install_malloc_and_free_hooks(on_allocation, on_release) == 0) {
        fail("allocations cannot be counted");
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weft::fuzz;
    static MemoryFile file;
    const Bytes bytes(data, size);
    file.write(bytes);
    held_bytes = 0;
    limit_bytes = static_cast<std::ptrdiff_t>(memory_limit(bytes));
    try_to([&] { read(file.path(), bytes); });
    limit_bytes = PTRDIFF_MAX;
    return 0;
}
