/// \file
/// thread_scratch: temporary memory of a thread.
#pragma once

#include <cstddef>
#include <vector>

namespace weft::detail {

/// At least `size` elements with undefined values; calls on one thread return the same memory. So
/// reading and changing samples allocates nothing in a steady training step.
template <class T>
T* thread_scratch(std::size_t size) {
    thread_local std::vector<T> memory;
    if (memory.size() < size) memory.resize(size);
    return memory.data();
}

}  // namespace weft::detail
