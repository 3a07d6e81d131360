/// \file
/// Memory: that of the simulated GPU, and the host's pinned memory.
///
/// The GPU's is closed to the host (PROT_NONE). While kernels or copies run, it opens allocation by
/// allocation, at the first access to each, so that hundreds of others cost nothing. (What is open
/// then, other threads of the host reach too.) What is allocated is all bits 1: NaN in float and
/// double, -1 as an int. Each allocation ends at a closed page, so that an access past its end faults;
/// for that it is aligned to 16 bytes, not CUDA's 256, unless its size is a multiple of 256. Bytes
/// before it on its first page, and after a size that is no multiple of 16, are looked at after each
/// kernel. Addresses are never used twice.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

namespace cuda_sim {

class Memory {
public:
    struct Allocation {
        std::byte* begin;
        std::size_t size;
        std::byte* pages;
        std::size_t pages_size;
        bool is_device;  ///< else pinned memory of the host, always open
        bool is_open;
        bool is_freed = false;  ///< from the program's view: cudaFreeAsync has been called
    };

    static Memory& get();

    /// Null if there is not so much left.
    void* allocate(std::size_t size_bytes, bool is_device);
    void release(void* begin);

    /// That which the address is in, or at the end of; or null.
    Allocation* find(const void* address);
    /// Whether all the bytes are in one allocation, of the device or pinned.
    bool holds(const void* address, std::size_t size_bytes, bool is_device);
    /// Whether it is an address that device memory has or had.
    bool is_device_address(const void* address) const;

    std::size_t in_use() const { return in_use_; }

    /// While one exists, its thread reaches the memory.
    class Opening {
    public:
        Opening();
        ~Opening();
        Opening(const Opening&) = delete;
        Opening& operator=(const Opening&) = delete;
    };

    /// Fails if a byte beside an open allocation was written, by that kernel.
    void check_fences(const char* kernel) const;

private:
    Memory();
    static void handle_fault(int signal, void* information, void* context);
    bool open_at(const void* address);
    [[noreturn]] void fail_at(const void* address);

    std::map<const std::byte*, Allocation> allocations_;  ///< by their end
    std::vector<Allocation*> open_;
    std::byte *range_ = nullptr, *unused_ = nullptr;
    std::size_t in_use_ = 0;
    int openings_ = 0;
    int thread_ = 0;  ///< that has opened
};

}  // namespace cuda_sim
