/// \file
/// AllocationCounter: how often the process asks the heap for memory.
#pragma once

#include <cstdint>

namespace weft {

/// Counts the allocations of all threads since it was made, by operator new, malloc and their kin.
///
///   const AllocationCounter counter;
///   model.predict(x, y);
///   CHECK(counter.count() == 0);
class AllocationCounter {
public:
    AllocationCounter() : start_(total()) {}

    std::int64_t count() const { return total() - start_; }

    /// False where the sanitizers, which bring their own allocator, are on: then count() is 0.
    static bool available();

private:
    static std::int64_t total();

    std::int64_t start_;
};

}  // namespace weft
