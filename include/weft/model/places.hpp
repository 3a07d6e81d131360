/// \file
/// Places: where blocks of memory lie that are needed at different times.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/core/shape.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace weft {

/// A block of memory that is needed from one moment to another, both included.
struct Place {
    Index bytes = 0;
    std::size_t first = 0, last = 0;
    Index offset = 0;  ///< of its first byte, a multiple of Buffer::alignment

    bool meets(const Place& other) const { return first <= other.last && other.first <= last; }
};

/// Gives each place an offset, so that two that are needed at the same time share no byte; returns
/// the bytes of all. The largest come first, each into the lowest gap that it fits in.
WEFT_COLD inline Index assign_places(std::span<Place> places) {
    constexpr auto alignment = static_cast<Index>(Buffer::alignment);
    std::vector<Place*> order;
    for (Place& place : places) order.push_back(&place);
    std::stable_sort(order.begin(), order.end(),
                     [](const Place* a, const Place* b) { return a->bytes > b->bytes; });
    Index total = 0;
    std::vector<const Place*> met;  // by offset, of those that have a place
    for (auto placed = order.begin(); placed != order.end(); ++placed) {
        Place& place = **placed;
        const Index bytes = (place.bytes + alignment - 1) / alignment * alignment;
        met.clear();
        for (auto other = order.begin(); other != placed; ++other) {
            if (place.meets(**other)) met.push_back(*other);
        }
        std::sort(met.begin(), met.end(),
                  [](const Place* a, const Place* b) { return a->offset < b->offset; });
        place.offset = 0;
        for (const Place* other : met) {
            if (place.offset + bytes <= other->offset) break;
            const Index end = other->offset + other->bytes;
            place.offset = (std::max)(place.offset, (end + alignment - 1) / alignment * alignment);
        }
        total = (std::max)(total, place.offset + bytes);
    }
    return total;
}

}  // namespace weft
