/// \file
/// Memory for the middle of a computation.
#pragma once

#include <cstddef>
#include <vector>

namespace weft::detail {

/// At least that many elements of any value, the same for each call on one thread. So reading and
/// changing samples allocates nothing in a steady training step.
template <class T>
T* thread_scratch(std::size_t size) {
    thread_local std::vector<T> memory;
    if (memory.size() < size) memory.resize(size);
    return memory.data();
}

}  // namespace weft::detail
