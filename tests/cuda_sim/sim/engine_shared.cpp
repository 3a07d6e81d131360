// The engine: shared memory.
#include "engine.hpp"

#include "fail.hpp"

#include <algorithm>
#include <cstring>

namespace cuda_sim {
namespace {

constexpr std::size_t gap = 64;  // bytes, at least, behind each array; NaN until an overrun

std::size_t with_gap(std::size_t size) { return (size + gap - 1) / gap * gap + gap; }

std::unique_ptr<std::byte[]> new_memory(std::size_t size) {
    return std::unique_ptr<std::byte[]>(new std::byte[size + gap]);
}

std::byte* aligned(std::byte* memory) {
    return memory + (gap - reinterpret_cast<std::uintptr_t>(memory) % gap);
}

}  // namespace

void Engine::begin_shared() {
    array_count_ = 0;
    array_bytes_ = 0;
    shared_used_ = 0;
}

/// Under the thread sanitizer each array of each block has memory of its own, or blocks would seem to
/// race for it.
std::byte* Engine::place_shared(const void* key, std::size_t size_bytes) {
    constexpr std::size_t most_arrays = std::extent_v<decltype(arrays_)>;
    if (array_count_ == most_arrays) fail("more than 64 arrays in shared memory");
    const std::size_t bytes = with_gap(size_bytes);
    if (watches_threads) {
        shared_memory_.push_back(new_memory(bytes));
        shared_used_ = 0;
    } else if (shared_memory_.empty()) {
        shared_memory_.push_back(new_memory(with_gap(kernel_->shared_bytes) + most_static_shared +
                                            2 * gap * most_arrays));
    }
    std::byte* const begin = aligned(shared_memory_.back().get()) + shared_used_;
    shared_used_ += bytes;
    std::memset(begin, 0xFF, bytes);
    arrays_[array_count_++] = {key, begin, size_bytes};
    return begin;
}

std::byte* Engine::find_shared(const void* key) const {
    for (unsigned i = 0; i < array_count_; ++i) {
        if (arrays_[i].key == key) return arrays_[i].begin;
    }
    return nullptr;
}

std::byte* Engine::dynamic_shared() {
    const Unwatched unwatched;
    running();
    std::byte* const found = find_shared(nullptr);
    return found != nullptr ? found : place_shared(nullptr, kernel_->shared_bytes);
}

std::byte* Engine::static_shared(const void* key, std::size_t size_bytes) {
    const Unwatched unwatched;
    running();
    if (std::byte* const found = find_shared(key)) return found;
    array_bytes_ += size_bytes;
    if (array_bytes_ > most_static_shared ||
        array_bytes_ + kernel_->shared_bytes > kernel_->most_shared_bytes) {
        fail("too much shared memory: " + std::to_string(array_bytes_) + " bytes of arrays and " +
             std::to_string(kernel_->shared_bytes) + " more, expected at most " +
             std::to_string(most_static_shared) + ", " +
             std::to_string(kernel_->most_shared_bytes) + " together");
    }
    return place_shared(key, size_bytes);
}

bool Engine::is_shared(const void* address) const {
    const auto* const at = static_cast<const std::byte*>(address);
    return std::any_of(arrays_, arrays_ + array_count_, [&](const SharedArray& array) {
        return at >= array.begin && at < array.begin + with_gap(array.size);
    });
}

void Engine::check_shared() {
    for (unsigned i = 0; i < array_count_; ++i) {
        const SharedArray& array = arrays_[i];
        if (std::all_of(array.begin + array.size, array.begin + with_gap(array.size),
                        [](std::byte b) { return b == std::byte{0xFF}; })) {
            continue;
        }
        fail("an array of " + std::to_string(array.size) +
             " bytes in shared memory is written past its end");
    }
}

}  // namespace cuda_sim
