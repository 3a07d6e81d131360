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
    AllocationCounter() : start_(total()), bytes_start_(total_bytes()) {}

    std::int64_t count() const { return total() - start_; }

    /// The bytes of all of them together, freed or not.
    std::int64_t bytes() const { return total_bytes() - bytes_start_; }

    /// False where the sanitizers, which bring their own allocator, are on: then both are 0.
    static bool available();

private:
    static std::int64_t total();
    static std::int64_t total_bytes();

    std::int64_t start_, bytes_start_;
};

}  // namespace weft
