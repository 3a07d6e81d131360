/// \file
/// Buffer: aligned bytes in host memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace weft {

/// An owned block of zeroed host memory, aligned to a cache line, which also suits the widest
/// vector registers. A copy is deep. Throws std::bad_alloc when memory runs out.
class Buffer {
public:
    static constexpr std::size_t alignment = 64;

    Buffer() = default;
    explicit Buffer(std::size_t size_bytes) : size_(size_bytes) {
        if (size_ == 0) return;
        data_ = allocate(size_);
        std::memset(data_, 0, size_);
    }
    Buffer(const Buffer& other) : size_(other.size_) {
        if (size_ == 0) return;
        data_ = allocate(size_);
        std::memcpy(data_, other.data_, size_);
    }
    Buffer(Buffer&& other) noexcept
        : size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr)) {}
    Buffer& operator=(Buffer other) noexcept {
        std::swap(size_, other.size_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~Buffer() { ::operator delete(data_, std::align_val_t{alignment}); }

    std::byte* data() { return data_; }
    const std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    static std::byte* allocate(std::size_t size_bytes) {
        return static_cast<std::byte*>(::operator new(size_bytes, std::align_val_t{alignment}));
    }

    std::size_t size_ = 0;
    std::byte* data_ = nullptr;
};

}  // namespace weft
